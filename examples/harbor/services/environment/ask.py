import sys, urllib.request as r
body = sys.argv[1].encode() if len(sys.argv) > 1 else None
print(r.urlopen(r.Request("http://store", data=body, method="PUT" if body else "GET")).read().decode())
