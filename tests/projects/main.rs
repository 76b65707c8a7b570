//! Services beside a sandbox, in a real engine: who starts when, who reaches whom,
//! what main shares with them, and what fails.

mod left;
mod network;
mod place;

use std::time::Duration;

use bytes::Bytes;
use proofyard::sandbox::docker::Project;
use proofyard::sandbox::project::{Condition, Health, HealthProbe, Running, ServiceMount};
use proofyard::sandbox::{Ended, Exec, PackBounds, Sandbox, User};

use place::{LIMIT, Place, after, probe, project, service, sh, sh_in};

#[tokio::test(flavor = "multi_thread")]
async fn each_service_starts_when_its_conditions_hold() {
    let Some(place) = Place::new().await else {
        return;
    };
    let mut db = service(
        "db",
        "sleep 1; echo db >> /data/log; touch /tmp/up; sleep 1000",
    );
    db.probe = probe("test -e /tmp/up");
    let mut seed = service("seed", "echo seed >> /data/log");
    seed.after = vec![after("db", Condition::Healthy)];
    let mut api = service("api", "echo api >> /data/log; sleep 1000");
    api.after = vec![after("seed", Condition::Completed)];
    api.probe = probe("grep -q api /data/log");
    let mut spec = project(vec![api, seed, db]);
    spec.main.after = vec![after("api", Condition::Healthy)];
    let project = place.up(&spec).await;

    let main = place.main(&project).await;
    assert_eq!(sh(&main, "cat /data/log").await, "db\nseed\napi");
    let state = project.state("seed").await.unwrap();
    assert_eq!(state.running, Running::Ended(0));
    let state = project.state("db").await.unwrap();
    assert_eq!(
        (state.running, state.health),
        (Running::Yes, Health::Healthy)
    );
    main.stop().await.unwrap();
    project.stop().await.unwrap();
    place.is_empty().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn main_and_services_share_a_volume_and_what_comes_after_main_waits_for_it() {
    let Some(place) = Place::new().await else {
        return;
    };
    let mut watch = service("watch", "cat /data/said > /data/heard; sleep 1000");
    watch.after = vec![after("main", Condition::Healthy)];
    watch.probe = probe("test -e /data/heard");
    let mut spec = project(vec![watch, service("alone", "sleep 1000")]);
    spec.await_all = true;
    let project = place.up(&spec).await;
    let state = async |name| project.state(name).await.unwrap().running;
    assert_eq!(state("alone").await, Running::Yes);
    assert_eq!(state("watch").await, Running::NotYet);

    let main = place.main(&project).await;
    let error = project.after_main(false, LIMIT).await.unwrap_err();
    let told = "the service watch comes after main is healthy, which it is not";
    assert_eq!(error.to_string(), told);
    sh(&main, "echo hello > /data/said").await;
    project.after_main(true, LIMIT).await.unwrap();
    assert_eq!(sh(&main, "cat /data/heard").await, "hello");
    main.stop().await.unwrap();
    project.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_fails_is_named_with_its_last_words() {
    let Some(place) = Place::new().await else {
        return;
    };
    let script = "echo one; printf '\\033[31mno disk\\033[0m\\n' >&2; exit 3";
    let mut spec = project(vec![service("db", script)]);
    spec.main.after = vec![after("db", Condition::Completed)];
    let told = place.fails(&spec, LIMIT).await;
    let mut lines: Vec<&str> = told.lines().collect();
    // Output and errors are two streams: their order is the engine's.
    lines[2..].sort();
    let expected = [
        "the service db ended with status 3",
        "  the last lines of its log:",
        "    no disk",
        "    one",
    ];
    assert_eq!(lines, expected);

    // The same where only all of them have to run.
    spec.main.after = Vec::new();
    spec.services[0].probe = probe("true");
    spec.await_all = true;
    let told = place.fails(&spec, LIMIT).await;
    assert!(
        told.contains("the service db ended with status 3"),
        "{told}"
    );

    // And what is not required stops nobody.
    spec.await_all = false;
    spec.main.after = vec![after("db", Condition::Completed)];
    spec.main.after[0].required = false;
    let project = place.up(&spec).await;
    project.stop().await.unwrap();

    spec.services[0].command = Some(vec!["/no/such/program".into()]);
    let told = place.fails(&spec, LIMIT).await;
    assert!(told.contains("start the service db: "), "{told}");
    assert!(told.contains("no such file"), "{told}");
    place.is_empty().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_never_becomes_healthy_is_named_with_its_probe() {
    let Some(place) = Place::new().await else {
        return;
    };
    let mut db = service("db", "echo still starting; sleep 1000");
    db.probe = probe("echo no answer; exit 1");
    let mut spec = project(vec![db]);
    spec.main.after = vec![after("db", Condition::Healthy)];
    let told = place.fails(&spec, Duration::from_secs(2)).await;
    let expected = "the service db did not become healthy within 2 s\n  \
                    its healthcheck ended with status 1:\n    no answer\n  \
                    the last lines of its log:\n    still starting";
    assert_eq!(told, expected);

    // Its own retries may end earlier.
    let retries = Some(2);
    let probe = spec.services[0].probe.take().unwrap();
    spec.services[0].probe = Some(HealthProbe { retries, ..probe });
    let told = place.fails(&spec, LIMIT).await;
    assert!(told.starts_with("the service db is unhealthy\n"), "{told}");

    spec.services[0].probe = None;
    let told = place.fails(&spec, LIMIT).await;
    assert!(told.contains("db has no healthcheck"), "{told}");
    place.is_empty().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_there_before_a_service_starts_and_are_taken_from_it_with_bounds() {
    let Some(place) = Place::new().await else {
        return;
    };
    let mut one = service(
        "one",
        "cat /etc/one/deep/conf /opt/conf; echo; echo err >&2; sleep 1000",
    );
    one.files = vec![
        ("/etc/one/deep".into(), tar("conf", b"deep")),
        ("/opt".into(), tar("conf", b"opt")),
    ];
    one.mounts.push(ServiceMount::Anonymous {
        target: "/var/own".into(),
        read_only: false,
    });
    one.tmpfs.insert("/fast".into(), "size=1m".into());
    one.hostname = Some("uno".into());
    one.init = true;
    let project = place.up(&project(vec![one])).await;
    let log = until_log(&project, "one", "err").await;
    assert!(log.contains("deepopt"), "{log}");

    let said = sh_in(&project, "one", "hostname; findmnt -no FSTYPE /fast").await;
    assert_eq!(said, "uno\ntmpfs");
    let bounds = PackBounds::default();
    let path = "/etc/one";
    let taken = project.archive("one", path, bounds).await.unwrap().unwrap();
    let mut archive = tar::Archive::new(taken.as_slice());
    let names = archive.entries().unwrap().map(|entry| {
        let entry = entry.unwrap();
        entry.path().unwrap().to_str().unwrap().to_owned()
    });
    let names: Vec<String> = names.collect();
    assert_eq!(names, ["one/", "one/deep/", "one/deep/conf"]);
    let none = project.archive("one", "/etc/none", bounds).await.unwrap();
    assert_eq!(none, None);
    let few = PackBounds {
        entries: 2,
        ..bounds
    };
    let error = project.archive("one", path, few).await.unwrap_err();
    assert!(error.to_string().contains("2 entries"), "{error}");
    project.stop().await.unwrap();
    place.is_empty().await;
}

async fn until_log(project: &Project, service: &str, end: &str) -> String {
    for _ in 0..200 {
        let log = project.logs(service, 10).await.unwrap().text();
        if log.contains(end) {
            return log;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{service} never said {end}")
}

fn tar(name: &str, content: &[u8]) -> Bytes {
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o644);
    header.set_size(content.len() as u64);
    tar.append_data(&mut header, name, content).unwrap();
    tar.into_inner().unwrap().into()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_in_a_service_has_a_user_bounds_and_few_privileges() {
    let Some(place) = Place::new().await else {
        return;
    };
    let mut spec = project(vec![
        service("one", "sleep 1000"),
        service("two", "sleep 1000"),
    ]);
    spec.services[1].cap_add = vec!["SETUID".into()];
    let project = place.up(&spec).await;
    let mut exec = Exec::new([
        "sh",
        "-c",
        "id -u; cat; head -c 100000 /dev/zero >&2; exit 4",
    ]);
    exec.user = User::Named("nobody".into());
    exec.stdin = b"typed".to_vec();
    exec.output_bytes = 100;
    let ran = project.exec("one", exec).await.unwrap();
    assert_eq!(ran.ended, Ended::Exited(4));
    assert_eq!(ran.stdout.text(), "65534\ntyped");
    assert_eq!((ran.stderr.head.len(), ran.stderr.total()), (50, 100_000));

    let mut exec = Exec::new(["sleep", "100"]);
    exec.timeout = Duration::from_millis(300);
    let ran = project.exec("one", exec).await.unwrap();
    assert_eq!(ran.ended, Ended::TimedOut);

    let look = "grep -E 'CapBnd|NoNewPrivs' /proc/1/status | tr -s '\\t\\n' ' '";
    // Docker's default set is a80425fb; less MKNOD (27) and NET_RAW (13).
    let one = sh_in(&project, "one", look).await;
    assert_eq!(one, "CapBnd: 00000000a00405fb NoNewPrivs: 1");
    let two = sh_in(&project, "two", look).await;
    assert_eq!(two, "CapBnd: 00000000a00405fb NoNewPrivs: 0");
    project.stop().await.unwrap();
    place.is_empty().await;
}
