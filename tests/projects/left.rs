//! Nothing of a project is left, however it ends.

use std::process::{Command, Stdio};
use std::time::Duration;

use proofyard::sandbox::docker::{Project, clean};
use proofyard::sandbox::project::{Condition, ProjectSpec, ServiceMount};

use crate::place::{LIMIT, Place, after, open, probe, project, service};

/// Where the process that will die has its state.
const STATE: &str = "PROOFYARD_TEST_STATE";

fn some() -> ProjectSpec {
    let mut db = service("db", "sleep 0.3; touch /tmp/up; sleep 1000");
    db.probe = probe("test -e /tmp/up");
    db.mounts.push(ServiceMount::Anonymous {
        target: "/var/own".into(),
        read_only: false,
    });
    let mut spec = project(vec![db, service("other", "sleep 1000")]);
    spec.main.after = vec![after("db", Condition::Healthy)];
    spec
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_dropped_is_taken_away_also_where_its_sandbox_goes_later() {
    let Some(place) = Place::new().await else {
        return;
    };
    let project = place.up(&some()).await;
    let main = place.main(&project).await;
    assert_eq!(place.left().await.len(), 6);
    drop(project);
    tokio::time::sleep(Duration::from_millis(300)).await;
    drop(main);
    place.is_empty_soon().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_goes_away_at_any_moment_leaves_nothing() {
    let Some(place) = Place::new().await else {
        return;
    };
    for moment in [0, 20, 60, 120, 200, 350, 600] {
        let engine = place.engine.clone();
        let caller = tokio::spawn(async move {
            let project = Project::start(&engine, &some()).await.unwrap();
            project.up_to_main(LIMIT).await.unwrap();
            std::future::pending::<()>().await;
        });
        tokio::time::sleep(Duration::from_millis(moment)).await;
        caller.abort();
        let _ = caller.await;
    }
    place.is_empty_soon().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_owner_left_is_cleaned() {
    let Some(place) = Place::new().await else {
        return;
    };
    let mut owner = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "left::an_owner_that_will_be_killed"])
        .env(STATE, place.state.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut waited = 0;
    while place.left().await.len() < 5 {
        waited += 1;
        assert!(waited < 1000, "{:?}", place.left().await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // It lives: nothing of it is touched.
    let cleaned = clean(Some(place.engine.docker()), place.engine.state()).await;
    assert_eq!((cleaned.owners, cleaned.containers), (0, 0));
    owner.kill().unwrap();
    owner.wait().unwrap();
    let cleaned = clean(Some(place.engine.docker()), place.engine.state()).await;
    assert_eq!(cleaned.failed, Vec::<String>::new());
    assert_eq!((cleaned.networks, cleaned.volumes), (1, 1));
    assert_eq!((cleaned.owners, cleaned.containers), (1, 2));
    place.is_empty().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "is started and killed by the test above"]
async fn an_owner_that_will_be_killed() {
    let Some(state) = std::env::var_os(STATE) else {
        return;
    };
    let engine = open(state.as_ref(), |_| ()).await;
    let project = Project::start(&engine, &some()).await.unwrap();
    project.up_to_main(LIMIT).await.unwrap();
    std::future::pending::<()>().await;
}
