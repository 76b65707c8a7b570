//! Files beside the compose file: variables, what is built, what is mounted.

use insta::assert_snapshot;

use super::*;

#[test]
fn a_dot_env_gives_variables_below_those_of_the_task() {
    let folder = Folder::new(&file_with("environment: [A=$A, B=$B, C]"))
        .file(".env", "A=file\nB='$A'\nC=${A}/c\n")
        .variable("A", "task");
    let environment = &folder.compose().services["a"].environment;
    assert_eq!(environment["A"], "task");
    assert_eq!(environment["B"], "$A");
    assert_eq!(environment["C"], "task/c");
}

#[test]
fn env_files_stand_below_the_environment() {
    let folder = Folder::new(&file_with(
        "env_file:
  - one.env
  - { path: two.env, format: raw }
  - { path: none.env, required: false }
environment: { B: own, GIVEN: , NOBODY: }",
    ))
    .file("one.env", "A=1\nB=1\nC=${X:-y}\n")
    .file("two.env", "A=$2\n")
    .variable("GIVEN", "given");
    let environment = folder.compose().services["a"].environment.clone();
    let pairs: Vec<String> = environment
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    assert_eq!(pairs.join(" "), "A=$2 B=own C=y GIVEN=given");
}

#[test]
fn a_fault_in_an_env_file_has_its_place_there() {
    let folder =
        Folder::new(&file_with("env_file: conf/one.env")).file("conf/one.env", "A=1\nB=$NOBODY\n");
    assert_snapshot!(folder.error(), @r#"
    error: the variable `NOBODY` is not set
      ┌─ conf/one.env:2:1
      │
    2 │ B=$NOBODY
      │ ^^^^^^^^^
      │
      = write ${NOBODY:-a default}, or set it in `.env` beside this file or in the task's own environment
      = the host's environment is not looked at; a dollar before a name is `$$`
    "#);
    let missing = Folder::new(&file_with("env_file: [one.env, ../two.env]"));
    assert_snapshot!(missing.error(), @r#"
    error: there is no file `one.env`
      ┌─ docker-compose.yaml:4:16
      │
    4 │     env_file: [one.env, ../two.env]
      │                ^^^^^^^ `required: false` makes do without it
    error: `../two.env` leads out of the compose file's folder
      ┌─ docker-compose.yaml:4:25
      │
    4 │     env_file: [one.env, ../two.env]
      │                         ^^^^^^^^^^ a service sees what is beside the compose file, and nothing else of the host
    "#);
    let folder = Folder::new(&file_with("")).file(".env", "no variable\n");
    assert_snapshot!(folder.error(), @r#"
    error: this is no variable
      ┌─ .env:1:1
      │
    1 │ no variable
      │ ^^^^^^^^^^^ a line is NAME=VALUE, a comment, or empty
    "#);
}

#[test]
fn a_build_is_of_the_folder_or_of_one_inside() {
    let folder = Folder::new(
        "services:
  a: { build: . }
  b: { build: { context: ./api, dockerfile: Dockerfile.dev, target: run, args: [A=1, GIVEN, NOBODY] } }
  c: { build: { context: '${CONTEXT_DIR}', dockerfile_inline: FROM x } }
  d: { build: { dockerfile: api/Dockerfile.dev, labels: { a: b }, no_cache: true } }
",
    )
    .file("api/Dockerfile.dev", "")
    .variable("GIVEN", "given");
    let path = folder.path();
    let folder = folder.variable("CONTEXT_DIR", path.to_str().unwrap());
    let compose = folder.compose();
    let build = |name: &str| compose.services[name].build.clone().unwrap();
    assert_eq!(build("a").context, path);
    assert_eq!(build("a").dockerfile, None);
    assert_eq!(build("b").context, path.join("api"));
    assert_eq!(build("b").dockerfile, Some(path.join("api/Dockerfile.dev")));
    assert_eq!(build("b").target.as_deref(), Some("run"));
    let args = build("b").args;
    assert_eq!(
        (args.len(), &*args["A"], &*args["GIVEN"]),
        (2, "1", "given")
    );
    assert_eq!(build("c").inline.as_deref(), Some("FROM x"));
    assert_eq!(build("d").context, path);
}

#[test]
fn a_build_of_anything_else_is_refused() {
    let folder = Folder::new(
        "services:
  a: { build: .. }
  b: { build: https://example.org/x.git }
  c: { build: ./none }
  d: { build: ./api }
  e: { build: { context: ., dockerfile: ../Dockerfile } }
  f: { build: { context: ., dockerfile: Dockerfile.none } }
  g: { build: { ssh: [default], network: host, secrets: [a], dockerfil: x } }
  h: { build: { dockerfile: Dockerfile, dockerfile_inline: FROM x } }
",
    )
    .file("api/x", "");
    assert_snapshot!(folder.error(), @r#"
    error: `..` leads out of the compose file's folder
      ┌─ docker-compose.yaml:2:15
      │
    2 │   a: { build: .. }
      │               ^^ a service sees what is beside the compose file, and nothing else of the host
    error: `https://example.org/x.git` is not a folder of the task
      ┌─ docker-compose.yaml:3:15
      │
    3 │   b: { build: https://example.org/x.git }
      │               ^^^^^^^^^^^^^^^^^^^^^^^^^ an image is built from the task's own files
    error: there is no folder `./none`
      ┌─ docker-compose.yaml:4:15
      │
    4 │   c: { build: ./none }
      │               ^^^^^^
    error: there is no `Dockerfile` in what is built from
      ┌─ docker-compose.yaml:5:15
      │
    5 │   d: { build: ./api }
      │               ^^^^^ `dockerfile` names one that is called otherwise
    error: `../Dockerfile` leads out of the compose file's folder
      ┌─ docker-compose.yaml:6:41
      │
    6 │   e: { build: { context: ., dockerfile: ../Dockerfile } }
      │                                         ^^^^^^^^^^^^^ a service sees what is beside the compose file, and nothing else of the host
    error: there is no file `Dockerfile.none`
      ┌─ docker-compose.yaml:7:41
      │
    7 │   f: { build: { context: ., dockerfile: Dockerfile.none } }
      │                                         ^^^^^^^^^^^^^^^
    error: `ssh` is not allowed in a task
      ┌─ docker-compose.yaml:8:17
      │
    8 │   g: { build: { ssh: [default], network: host, secrets: [a], dockerfil: x } }
      │                 ^^^ a task has no keys of the host
    error: `network` cannot be `host`
      ┌─ docker-compose.yaml:8:42
      │
    8 │   g: { build: { ssh: [default], network: host, secrets: [a], dockerfil: x } }
      │                                          ^^^^ it must be `default`
    error: `secrets` is not allowed in a task
      ┌─ docker-compose.yaml:8:48
      │
    8 │   g: { build: { ssh: [default], network: host, secrets: [a], dockerfil: x } }
      │                                                ^^^^^^^ a task has no secrets of the host
    error: unknown key `dockerfil` in `build`
      ┌─ docker-compose.yaml:8:62
      │
    8 │   g: { build: { ssh: [default], network: host, secrets: [a], dockerfil: x } }
      │                                                              ^^^^^^^^^ did you mean `dockerfile`?
    error: `dockerfile` and `dockerfile_inline` stand together
      ┌─ docker-compose.yaml:9:15
      │
    9 │   h: { build: { dockerfile: Dockerfile, dockerfile_inline: FROM x } }
      │               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ one of them says how the image is built
    "#);
}

#[test]
fn a_mount_is_a_volume_or_of_a_path_inside() {
    let folder = Folder::new(
        "services:
  a:
    image: x
    volumes:
      - data:/data
      - /anonymous
      - ./conf/app.conf:/etc/app.conf:ro
      - ./none:/none
      - cache:/cache:nocopy,rw
      - type: volume
        source: data
        target: /again
        read_only: true
        volume: { nocopy: true }
      - type: bind
        source: ./conf
        target: /conf
        bind: { create_host_path: false }
      - { type: tmpfs, target: /run, tmpfs: { size: 64m, mode: 01777 } }
      - { type: volume, target: /own }
      - ${LOGS}/verifier:/logs/verifier
      - { type: bind, source: '${LOGS}', target: /logs }
    tmpfs: [/tmp, '/var/tmp:size=64m,mode=1777']
volumes: { data: , cache: { driver: local, name: fixed } }
",
    )
    .file("conf/app.conf", "")
    .variable("LOGS", format!("{LOGS_MARKER}x"));
    let (path, compose) = (folder.path(), folder.compose());
    let a = &compose.services["a"];
    let mounts: Vec<String> = a
        .volumes
        .iter()
        .map(|mount| {
            let kind = match &mount.kind {
                MountKind::Named(name) => name.clone(),
                MountKind::Anonymous => "anonymous".to_string(),
                MountKind::Inside(inside) => {
                    format!("./{}", inside.strip_prefix(&path).unwrap().display())
                }
            };
            let flags = [(mount.read_only, " ro"), (mount.no_copy, " nocopy")];
            let flags = flags.iter().filter(|(is, _)| *is).map(|(_, flag)| *flag);
            format!("{kind} {}{}", mount.target, flags.collect::<String>())
        })
        .collect();
    assert_eq!(
        mounts.join("\n"),
        "data /data\nanonymous /anonymous\n./conf/app.conf /etc/app.conf ro\n./none /none\n\
         cache /cache nocopy\ndata /again ro nocopy\n./conf /conf\nanonymous /own"
    );
    assert_eq!(
        a.tmpfs,
        [
            "/run:size=67108864,mode=1777",
            "/tmp",
            "/var/tmp:size=64m,mode=1777"
        ]
    );
    assert_eq!(compose.volumes.len(), 2);
    assert_eq!(compose.warnings.len(), 1);
    assert!(compose.warnings[0].contains("there is no `./none`: an empty folder is mounted"));
}

#[test]
fn nothing_of_the_host_is_mounted() {
    let folder = Folder::new(&file_with(
        "volumes:
  - /etc:/etc
  - ~/.ssh:/ssh
  - ../tests:/tests
  - ./out:/out
  - ./out/passwd:/passwd
  - ./dead:/dead
  - ./conf/../../solution:/solution
  - /var/run/docker.sock:/var/run/docker.sock
  - { type: bind, source: /run/docker.sock, target: /s }
  - { type: bind, source: /, target: /host }
  - { type: npipe, source: x, target: /x }
  - ./conf:/conf:rshared
  - ./conf:relative
  - ./conf:/a/../b
  - a/b:/c
  - ./conf:/x:ro:y",
    ))
    .file("conf/x", "")
    .link("out", "/etc")
    .link("dead", "/nowhere/at/all");
    assert_snapshot!(folder.error(), @r#"
    error: `/etc` leads out of the compose file's folder
      ┌─ docker-compose.yaml:5:9
      │
    5 │       - /etc:/etc
      │         ^^^^^^^^^ a service sees what is beside the compose file, and nothing else of the host
    error: `~/.ssh` leads out of the compose file's folder
      ┌─ docker-compose.yaml:6:9
      │
    6 │       - ~/.ssh:/ssh
      │         ^^^^^^^^^^^ a service sees what is beside the compose file, and nothing else of the host
    error: `../tests` leads out of the compose file's folder
      ┌─ docker-compose.yaml:7:9
      │
    7 │       - ../tests:/tests
      │         ^^^^^^^^^^^^^^^ a service sees what is beside the compose file, and nothing else of the host
    error: `./out` leads out of the compose file's folder
      ┌─ docker-compose.yaml:8:9
      │
    8 │       - ./out:/out
      │         ^^^^^^^^^^ a service sees what is beside the compose file, and nothing else of the host
    error: `./out/passwd` leads out of the compose file's folder
      ┌─ docker-compose.yaml:9:9
      │
    9 │       - ./out/passwd:/passwd
      │         ^^^^^^^^^^^^^^^^^^^^ a service sees what is beside the compose file, and nothing else of the host
    error: `./dead` leads out of the compose file's folder
       ┌─ docker-compose.yaml:10:9
       │
    10 │       - ./dead:/dead
       │         ^^^^^^^^^^^^ a service sees what is beside the compose file, and nothing else of the host
    error: `./conf/../../solution` leads out of the compose file's folder
       ┌─ docker-compose.yaml:11:9
       │
    11 │       - ./conf/../../solution:/solution
       │         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ a service sees what is beside the compose file, and nothing else of the host
    error: `/var/run/docker.sock` is the engine's socket, and is never given to a task
       ┌─ docker-compose.yaml:12:9
       │
    12 │       - /var/run/docker.sock:/var/run/docker.sock
       │         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ who has it commands the host
    error: `/run/docker.sock` is the engine's socket, and is never given to a task
       ┌─ docker-compose.yaml:13:9
       │
    13 │       - { type: bind, source: /run/docker.sock, target: /s }
       │         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ who has it commands the host
    error: `/` leads out of the compose file's folder
       ┌─ docker-compose.yaml:14:9
       │
    14 │       - { type: bind, source: /, target: /host }
       │         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ a service sees what is beside the compose file, and nothing else of the host
    error: a volume of type `npipe` is not supported
       ┌─ docker-compose.yaml:15:9
       │
    15 │       - { type: npipe, source: x, target: /x }
       │         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `volume`, `bind` and `tmpfs` are
    error: `rshared` is no option of a volume here
       ┌─ docker-compose.yaml:16:9
       │
    16 │       - ./conf:/conf:rshared
       │         ^^^^^^^^^^^^^^^^^^^^ `ro` is, and `rw`
    error: `relative` in `volumes` is not a path of a container
       ┌─ docker-compose.yaml:17:9
       │
    17 │       - ./conf:relative
       │         ^^^^^^^^^^^^^^^ an absolute path without `..`
    error: `/a/../b` in `volumes` is not a path of a container
       ┌─ docker-compose.yaml:18:9
       │
    18 │       - ./conf:/a/../b
       │         ^^^^^^^^^^^^^^ an absolute path without `..`
    error: `a/b` is not the name of a volume
       ┌─ docker-compose.yaml:19:9
       │
    19 │       - a/b:/c
       │         ^^^^^^ a path begins with `./`
    error: `./conf:/x:ro:y` is not a volume
       ┌─ docker-compose.yaml:20:9
       │
    20 │       - ./conf:/x:ro:y
       │         ^^^^^^^^^^^^^^ SOURCE:TARGET, SOURCE:TARGET:ro, or TARGET
    "#);
}

#[test]
fn a_link_inside_is_followed_inside() {
    let folder = Folder::new(&file_with("volumes: [./link/x:/x]"))
        .file("conf/x", "")
        .link("link", "conf");
    let compose = folder.compose();
    let inside = MountKind::Inside(folder.path().join("conf/x"));
    assert_eq!(compose.services["a"].volumes[0].kind, inside);
}

#[test]
fn a_compose_file_that_is_a_link_out_is_not_read() {
    let folder = Folder::new("").link("compose.yaml", "/etc/passwd");
    let file = folder.path().join("compose.yaml");
    let problems = read(&file, &folder.path(), &|_| None).unwrap_err();
    assert_eq!(
        lines_of(&problems, &folder.path()),
        "`compose.yaml` leads out of its folder"
    );
}
