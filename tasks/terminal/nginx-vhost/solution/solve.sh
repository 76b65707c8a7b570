#!/bin/bash
set -eu
cd /etc/nginx
mkdir -p press

cat > press/make-redirects <<'E'
#!/usr/bin/python3
"""redirects.tsv as two nginx maps on "path|id"; regular expressions, because maps of strings ignore case"""
import re

def literal(s):
    return re.sub(r'[][.^$*+?(){}|\\"]', lambda m: "\\\\" if m.group() == "\\" else "[%s]" % m.group().replace("^", "\\^"), s)

state, target = [], []
for line in open("/srv/press/redirects.tsv", encoding="utf-8"):
    if line.startswith("#") or not line.strip():
        continue
    old, what, *new = line.rstrip("\n").split("\t")
    page = re.fullmatch(r"(/index\.php)\?id=(\d+)", old)
    key = literal(page[1]) + "[|]" + page[2] + "$" if page else literal(old) + "[|]"
    state.append('    "~^%s" %s;' % (key, what))
    if new:
        target.append('    "~^%s" "%s%s";' % (key, new[0], "" if page else "$is_args$args"))
print('map "$uri|$arg_id" $press_old_state {\n    default "";\n%s\n}' % "\n".join(state))
print('map "$uri|$arg_id" $press_old_target {\n    default "";\n%s\n}' % "\n".join(target))
E
python3 press/make-redirects > conf.d/press-redirects.conf

cat > conf.d/press-common.conf <<'E'
server_tokens off;

map $request_uri $logged_uri {
    default $request_uri;
    "~^(?<lu_before>[^?]*\?(?:[^&]*&)*?token=)[^&]*(?<lu_after>.*)$" "$lu_before-$lu_after";
}
log_format harbour escape=json
    '{"time":"$time_iso8601","addr":"$remote_addr","host":"$http_host","method":"$request_method",'
    '"uri":"$logged_uri","status":$status,"bytes":$body_bytes_sent,"agent":"$http_user_agent","seconds":$request_time}';

map "$status $uri" $press_cache {
    default "";
    "~^200 /assets/" "public, max-age=31536000, immutable";
    "~^200 " no-cache;
}
# addresses that end in .html, without it
map $request_uri $press_plain {
    default "";
    "~^(?<pp_dir>[^?]*/)index\.html(?<pp_query>\?.*)?$" $pp_dir$pp_query;
    "~^(?<pp_path>[^?]*)\.html(?<pp_rest>\?.*)?$" $pp_path$pp_rest;
}

map $request_uri $api_target {
    default "";
    "~^/v1(?<at_rest>/.*)$" $at_rest;
}
map $http_x_request_id $api_request_id {
    default $request_id;
    "~^[0-9a-f]{32}$" $http_x_request_id;
}
map "$request_method $uri" $login_key {
    default "";
    "~^POST /v1/login$" $binary_remote_addr;
}
E

cat > snippets/client-address.conf <<'E'
set_real_ip_from 127.0.0.2;
real_ip_header X-Forwarded-For;
real_ip_recursive off;
E
cat > snippets/security.conf <<'E'
add_header X-Content-Type-Options nosniff always;
add_header X-Frame-Options DENY always;
E
cat > snippets/healthz.conf <<'E'
location = /healthz {
    access_log off;
    default_type text/plain;
    return 200 "ok\n";
}
E
cat > snippets/api-pass.conf <<'E'
if ($api_target = "") {
    return 404;
}
limit_req zone=login burst=3 nodelay;
limit_req_status 429;
proxy_pass http://127.0.0.1:9100$api_target;
proxy_set_header Host api.press.example;
proxy_set_header X-Real-IP $remote_addr;
proxy_set_header X-Forwarded-For $remote_addr;
proxy_set_header X-Request-Id $api_request_id;
proxy_set_header X-Internal-User "";
proxy_hide_header X-Request-Id;
add_header X-Request-Id $api_request_id always;
E

cat > sites-available/press.conf <<'E'
server {
    listen 8080 default_server;
    server_name _;
    access_log off;
    return 444;
}

server {
    listen 8080;
    server_name www.press.example press-old.example;
    include snippets/client-address.conf;
    include snippets/security.conf;
    access_log /var/log/nginx/press.log harbour;
    return 301 http://press.example:8080$request_uri;
}

server {
    listen 8080;
    server_name press.example;
    root /srv/press/public;
    access_log /var/log/nginx/press.log harbour;
    include snippets/client-address.conf;
    include snippets/security.conf;
    add_header Cache-Control $press_cache always;
    error_page 404 /errors/404.html;

    if ($press_old_state = moved) {
        return 301 http://press.example:8080$press_old_target;
    }
    if ($press_old_state = temporary) {
        return 302 http://press.example:8080$press_old_target;
    }
    if ($press_old_state = gone) {
        return 410;
    }
    if ($press_plain) {
        return 301 http://press.example:8080$press_plain;
    }

    location / {
        try_files $uri $uri.html $uri/ =404;
    }
    location = /index.php {
        return 404;
    }
    location /errors/ {
        internal;
    }
    location ~ (/\.|\.bak$|~$) {
        return 404;
    }
    location ^~ /.well-known/ {
    }
    location /print/ {
        alias /srv/press/print-files/;
    }
    location /staff/ {
        satisfy any;
        allow 127.0.10.0/24;
        deny all;
        auth_basic staff;
        auth_basic_user_file /etc/nginx/staff.htpasswd;
        try_files $uri $uri.html $uri/ =404;
    }
    include snippets/healthz.conf;
}
E
cat > sites-available/api.conf <<'E'
limit_req_zone $login_key zone=login:1m rate=6r/m;

server {
    listen 8081 default_server;
    server_name _;
    access_log off;
    return 444;
}

server {
    listen 8081;
    server_name api.press.example;
    access_log /var/log/nginx/api.log harbour;
    include snippets/client-address.conf;
    client_max_body_size 65536;
    types { }                       # whatever the path ends in
    default_type application/json;

    error_page 404 @not_found;
    error_page 413 @too_large;
    error_page 429 @too_many;
    error_page 502 504 =503 @unavailable;

    location / {
        return 404;
    }
    location = /v1 {
        return 404;
    }
    location /v1/ {
        include snippets/api-pass.conf;
    }
    location = /v1/upload {
        client_max_body_size 1048576;
        include snippets/api-pass.conf;
    }
    include snippets/healthz.conf;

    location @not_found {
        return 404 '{"error":"not found"}';
    }
    location @too_large {
        return 413 '{"error":"too large"}';
    }
    location @too_many {
        add_header Retry-After 10 always;
        return 429 '{"error":"too many requests"}';
    }
    location @unavailable {
        return 503 '{"error":"unavailable"}';
    }
}
E
ln -sf ../sites-available/press.conf ../sites-available/api.conf sites-enabled/
nginx -t
