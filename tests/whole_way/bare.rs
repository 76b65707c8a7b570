//! An image that holds nothing, not even a shell: the helper is all there is.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use proofyard::config::{EngineSettings, HostSettings, ImageSettings, Transport, WorkTreeWay};
use proofyard::record::Limits;
use proofyard::sandbox::docker::images::{Images, Recipe};
use proofyard::sandbox::docker::{DockerSandbox, Engine};
use proofyard::sandbox::{
    Ended, Exec, GuestErrorKind, MainProcess, NetworkMode, PackBounds, Role, Sandbox, SandboxError,
    SandboxSpec, User, wire,
};
use serde_json::json;

use crate::yard::{Yard, bash, call};

#[test]
fn files_are_written_and_read_where_there_is_no_shell_and_no_verdict_is_the_tasks_fault() {
    let yard = Yard::new();
    let task = yard.answer("bare");
    yard.image(&task, "FROM scratch");
    let calls = [
        bash("true"),
        call("write", json!({"path": "/a/answer", "content": "41\n"})),
        call(
            "edit",
            json!({"path": "/a/answer", "old": "41", "new": "42"}),
        ),
        call("read", json!({"path": "a/answer"})),
        bash("true"),
    ];
    let script = yard.script("calls.jsonl", &calls);
    std::fs::remove_file(task.join("solution/solve.sh")).unwrap();
    std::fs::copy(yard.path("calls.jsonl"), task.join("solution/calls.jsonl")).unwrap();

    let trial = yard.one(&task, &script, &["--no-check"]);
    let no_shell = "there is no shell to run tests/test.sh with: start `sh`";
    assert_eq!(trial["outcome"], "unresolved", "{trial:#}");
    assert_eq!(trial["verdict"]["reason"], "no_verdict");
    let message = trial["verdict"]["message"].as_str().unwrap();
    assert!(message.starts_with(no_shell), "{message}");
    let results = yard.results(&trial);
    let told = |at: usize| (results[at].error.as_deref(), results[at].output.as_deref());
    let no_bash = "the sandbox has no shell: neither bash nor sh is on its PATH";
    for bash in [0, 4] {
        assert_eq!(told(bash), (Some(no_bash), Some("")));
    }
    assert_eq!(told(3), (None, Some("42\n")));
    assert!(yard.stored(&trial).join("change.tar.zst").exists());

    // The reference solution meets the same: no agent is to blame.
    let (trials, code) = yard.run(&task, &["-a", "oracle", "-a", "nop"]);
    assert_eq!((trials.len(), code), (2, Some(1)));
    for trial in &trials {
        assert_eq!(trial["error"]["class"], "task", "{trial:#}");
        let message = trial["error"]["message"].as_str().unwrap();
        assert!(
            message.contains("the reference solution meets the same"),
            "{message}"
        );
        assert!(message.contains(no_shell), "{message}");
    }
    assert_eq!(yard.left(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_helper_alone_does_all_that_a_sandbox_can() {
    let yard = Yard::new();
    for transport in [Transport::Socket, Transport::Stream] {
        let engine = engine(&yard, transport).await;
        assert_eq!(engine.uses_socket(), transport == Transport::Socket);
        let image = image(&yard, &engine).await;
        let first = DockerSandbox::start(&engine, &spec(&image)).await.unwrap();
        let change = acts(&first).await;
        let second = DockerSandbox::start(&engine, &spec(&image)).await.unwrap();
        second.unpack("/", &[], &change).await.unwrap();
        assert_eq!(text(&second, "/made/here").await, "one\n");
        for sandbox in [first, second] {
            sandbox.stop().await.unwrap();
        }
        engine.settle().await;
    }
    assert_eq!(yard.left(), Vec::<String>::new());
}

/// Every kind of call; gives back what changed.
async fn acts(sandbox: &DockerSandbox) -> Vec<u8> {
    let me = User::Default;
    sandbox.start_main().await.unwrap();
    sandbox
        .write("/made/here", b"one\n", Some(0o600), &me)
        .await
        .unwrap();
    sandbox
        .write("/made/gone", b"two\n", None, &me)
        .await
        .unwrap();
    let read = sandbox.read("/made/here", 1, 2, &me).await.unwrap();
    assert_eq!(
        (read.content.as_slice(), read.size, read.mode),
        (&b"ne"[..], 4, 0o600)
    );

    let refused = |error: SandboxError| match error {
        SandboxError::Guest(error) => error.kind,
        other => panic!("{other}"),
    };
    let nothing = sandbox.exec(Exec::new(["sh", "-c", "true"])).await;
    assert_eq!(refused(nothing.unwrap_err()), GuestErrorKind::NoProgram);
    let nobody = User::Named("nobody".into());
    let read = sandbox.read("/made/here", 0, 9, &nobody).await;
    assert_eq!(refused(read.unwrap_err()), GuestErrorKind::Invalid);
    let read = sandbox.read("/made", 0, 9, &me).await;
    assert_eq!(refused(read.unwrap_err()), GuestErrorKind::NotRegular);

    // The one program that there is.
    let program = Exec::new([wire::HELPER, "--version"]);
    let ran = sandbox.exec(program).await.unwrap();
    assert_eq!(ran.ended, Ended::Exited(0), "{}", ran.stderr.text());
    assert!(ran.stdout.text().starts_with("proofyard "));
    assert_eq!(sandbox.kill_all().await.unwrap(), 0);

    sandbox
        .unpack("/", &[b"/made/gone".to_vec()], &[])
        .await
        .unwrap();
    let changes = sandbox.changes().await.unwrap();
    let paths: Vec<Vec<u8>> = changes.into_iter().map(|change| change.path).collect();
    assert_eq!(paths, [b"/made".to_vec(), b"/made/here".to_vec()]);
    let packed = sandbox.pack(&paths, PackBounds::default()).await.unwrap();
    assert_eq!(packed.skipped, []);
    sandbox.revive().await.unwrap();
    assert_eq!(text(sandbox, "/made/here").await, "one\n");
    packed.tar
}

async fn text(sandbox: &DockerSandbox, path: &str) -> String {
    let read = sandbox
        .read(path, 0, 1 << 20, &User::Default)
        .await
        .unwrap();
    String::from_utf8(read.content).unwrap()
}

async fn engine(yard: &Yard, transport: Transport) -> Arc<Engine> {
    let settings = EngineSettings {
        host: None,
        transport,
        work_tree: WorkTreeWay::Auto,
    };
    let helper = Path::new(env!("CARGO_BIN_EXE_proofyard"));
    let opened = Engine::open_with_helper(&settings, &host(yard), helper).await;
    opened.unwrap()
}

fn host(yard: &Yard) -> HostSettings {
    HostSettings {
        ca_bundle: None,
        pass_env: Vec::new(),
        state: yard.path("state"),
    }
}

async fn image(yard: &Yard, engine: &Engine) -> String {
    let task = yard.answer("bare");
    yard.image(&task, "FROM scratch");
    let recipe = Recipe::from_dir(&task.join("environment"), None).unwrap();
    let settings = ImageSettings {
        dir: None,
        pull: false,
        budget: None,
    };
    let images = Images::new(engine.docker(), &settings, &host(yard));
    let built = images
        .ensure(&recipe, Duration::from_secs(60), &|_| ())
        .await;
    built.unwrap().id
}

fn spec(image: &str) -> SandboxSpec {
    SandboxSpec {
        image: image.to_owned(),
        run: "bare".to_owned(),
        trial: "bare".to_owned(),
        role: Role::Agent,
        limits: Limits {
            cpus: 1.0,
            memory_bytes: 128 << 20,
            pids: 64,
            open_files: 256,
            disk_bytes: 64 << 20,
        },
        network: NetworkMode::None,
        env: Default::default(),
        workdir: None,
        user: None,
        work_tree: None,
        main: MainProcess::Image,
        privileges: Default::default(),
        hosts: Vec::new(),
        attach: None,
    }
}
