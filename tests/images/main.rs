//! Images in a real engine. Each test's images hold a number of their own, so
//! that nothing is shared between tests, and are removed at its end.

mod budget;
mod place;
mod pulled;
mod registry;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bollard::query_parameters::RemoveImageOptionsBuilder;
use futures_util::future::join_all;
use proofyard::config::{HostSettings, ImageSettings};
use proofyard::sandbox::docker::images::{
    GcRules, ImageError, ImageProgress, Images, Recipe, image_config,
};

use place::{MINUTE, Place, Told};

#[tokio::test(flavor = "multi_thread")]
async fn eight_callers_in_two_processes_build_once() {
    let Some(place) = Place::new().await else {
        return;
    };
    // A base of its own: what is built on `scratch` shares its first layer with all
    // else, and begins again when somebody takes that layer away.
    let base = format!("base-{}:1", place.mark);
    let alone = format!("FROM scratch\nLABEL a={}\n", place.mark);
    place.foreign(&base, &alone).await;
    place.image("one", &format!("FROM {base}\nCOPY mark /mark\n"));
    let (recipe, told) = (place.recipe("one"), Told::default());
    let images = [place.images(), place.images()];
    let callers = (0..8).map(|caller| {
        let (images, recipe, sink) = (&images[caller % 2], &recipe, told.sink());
        async move { images.ensure(recipe, MINUTE, &sink).await.unwrap().id }
    });
    let ids = join_all(callers).await;
    assert!(ids.iter().all(|id| *id == ids[0]));
    assert_eq!(told.first_steps(), 1);

    place
        .images()
        .ensure(&recipe, MINUTE, &told.sink())
        .await
        .unwrap();
    assert_eq!(told.first_steps(), 1, "what is there is not built again");
    assert!(place.exists(&format!("{}:latest", recipe.repository)).await);
}

#[tokio::test]
async fn bases_of_ours_come_first_and_a_changed_one_changes_the_image() {
    let Some(place) = Place::new().await else {
        return;
    };
    place
        .image("low", "FROM scratch\nCOPY mark /low\nENV LOW=1\n")
        .image("high", "FROM @low\nCOPY mark /high\n");
    let first = place.build("high").await.unwrap();
    let config = image_config(&place.docker, &first.id).await.unwrap();
    assert!(config.env.contains(&"LOW=1".to_owned()));
    place.image("low", "FROM scratch\nCOPY mark /low\nENV LOW=2\n");
    let second = place.build("high").await.unwrap();
    let config = image_config(&place.docker, &second.id).await.unwrap();
    assert!(config.env.contains(&"LOW=2".to_owned()));
    assert!(place.exists(&first.tag).await, "the old one keeps its tag");
}

#[tokio::test]
async fn a_step_that_is_taken_away_in_the_middle_is_built_anew() {
    let Some(place) = Place::new().await else {
        return;
    };
    let base = format!("base-{}:1", place.mark);
    let alone = format!("FROM scratch\nLABEL a={}\n", place.mark);
    place.foreign(&base, &alone).await;
    place.image("short", &format!("FROM {base}\nCOPY mark /mark\n"));
    place.image("long", &format!("FROM {base}\nCOPY . /\n"));
    // Copied for longer than a removal takes.
    let big = place.path("images").join(place.name("long")).join("big");
    fs::File::create(big).unwrap().set_len(256 << 20).unwrap();
    let short = place.build("short").await.unwrap().id;

    // The first step of both images is one, and goes with the last image on it.
    let (told, removed) = (Told::default(), tokio::sync::Notify::new());
    let sink = told.sink();
    let tell = |progress: ImageProgress| {
        if matches!(progress, ImageProgress::Building { step: 2, .. }) {
            removed.notify_one();
        }
        sink(progress);
    };
    let (recipe, images) = (place.recipe("long"), place.images());
    let removal = async {
        removed.notified().await;
        // All its names go, as with `docker rmi --force`.
        let options = RemoveImageOptionsBuilder::new().force(true).build();
        place.docker.remove_image(&short, Some(options), None).await
    };
    let (built, removal) = tokio::join!(images.ensure(&recipe, MINUTE, &tell), removal);
    removal.unwrap();
    assert!(place.exists(&built.unwrap().tag).await);
    assert_eq!(told.first_steps(), 2, "the removal came while it was built");
}

#[tokio::test]
async fn a_failing_build_shows_its_place_and_the_end_of_its_log() {
    let Some(place) = Place::new().await else {
        return;
    };
    let dockerfile = "FROM scratch\nCOPY root /\nCOPY mark /mark\nLABEL mark=x\n\
                      RUN echo one && \\\n  echo \"\x1b[31mtwo\" >&2 && exit 3\n";
    let dockerfile = dockerfile.replace("mark=x", &format!("mark={}", place.mark));
    place.image("bad", &dockerfile).with_shell("bad");
    let error = place.build("bad").await.unwrap_err();
    let text = error.to_string();
    let ImageError::Build(failure) = error else {
        panic!("{text}")
    };
    assert_eq!(failure.at, Some((5, "RUN echo one && \\".into())));
    // Output and errors are two streams: their order is the engine's.
    for line in ["one", "two"] {
        assert!(failure.tail.contains(&line.to_owned()), "{text}");
    }
    assert!(failure.message.contains("returned a non-zero code: 3"));
    let log = fs::read_to_string(&failure.log).unwrap();
    assert!(log.contains("Step ") && log.contains("one"), "{log}");
    for part in [
        "Dockerfile:5",
        "5 │ RUN echo one",
        "    two\n",
        "whole log: ",
    ] {
        assert!(text.contains(part), "{text}");
    }

    assert_eq!(place.containers().await, 0);
    assert!(!place.exists(&place.recipe("bad").tag()).await);
    assert_eq!(place.collect(&place.images(), "bad").await, (0, 0, 1));
    assert_eq!(place.collect(&place.images(), "bad").await, (0, 0, 0));
}

#[tokio::test]
async fn waiting_callers_share_a_failure() {
    let Some(place) = Place::new().await else {
        return;
    };
    place.image("bad", "FROM scratch\nCOPY mark /mark\n\nCOPY missing /x\n");
    let (recipe, images, told) = (place.recipe("bad"), place.images(), Told::default());
    let callers = (0..4).map(|_| async {
        let error = images.ensure(&recipe, MINUTE, &told.sink()).await;
        error.unwrap_err().to_string()
    });
    let texts = join_all(callers).await;
    assert!(
        texts.iter().all(|text| text.contains("Dockerfile:4")),
        "{}",
        texts[0]
    );
    assert_eq!(told.first_steps(), 1);
    assert_eq!(place.collect(&images, "bad").await, (0, 0, 1));
}

#[tokio::test]
async fn a_dockerfile_that_the_engine_refuses_is_named_with_its_line() {
    let Some(place) = Place::new().await else {
        return;
    };
    place.image("bad", "FROM scratch\n\nCOPPY mark /mark\n");
    let ImageError::Build(failure) = place.build("bad").await.unwrap_err() else {
        panic!()
    };
    assert_eq!(failure.at, Some((3, "COPPY mark /mark".into())));
}

#[tokio::test]
async fn a_build_that_takes_too_long_is_ended_with_its_container() {
    let Some(place) = Place::new().await else {
        return;
    };
    let dockerfile = format!(
        "FROM scratch\nCOPY root /\nLABEL mark={}\nRUN echo begun && sleep 1000\n",
        place.mark
    );
    place.image("slow", &dockerfile).with_shell("slow");
    let limit = Duration::from_secs(5);
    let images = place.images();
    let error = images.ensure(&place.recipe("slow"), limit, &|_| ()).await;
    let error = error.unwrap_err();
    assert!(
        matches!(error, ImageError::Timeout { seconds: 5, .. }),
        "{error}"
    );
    // The engine notices the closed connection in its own time.
    for _ in 0..300 {
        if place.containers().await == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(place.containers().await, 0);
    assert_eq!(place.collect(&images, "slow").await.2, 1);
}

#[tokio::test]
async fn gc_takes_old_recipes_and_never_what_others_built_on_them() {
    let Some(place) = Place::new().await else {
        return;
    };
    place.image("own", "FROM scratch\nCOPY mark /mark\n");
    let using = place.images();
    let recipe = place.recipe("own");
    let old = using.ensure(&recipe, MINUTE, &|_| ()).await.unwrap();
    let heir = format!("heir-{}:1", place.mark);
    let stranger = format!("stranger-{}:1", place.mark);
    place
        .foreign(&heir, &format!("FROM {}\nENV A=1\n", old.tag))
        .await;
    place
        .foreign(
            &stranger,
            &format!("FROM scratch\nLABEL a={}\n", place.mark),
        )
        .await;

    let other = place.images();
    assert_eq!(
        place.collect(&other, "own").await,
        (0, 0, 0),
        "it is current"
    );
    place.image("own", "FROM scratch\nCOPY mark /moved\n");
    let new = place.build("own").await.unwrap();
    assert_eq!(
        place.collect(&other, "own").await,
        (0, 1, 0),
        "it is in use"
    );
    drop(using);
    assert_eq!(place.collect(&other, "own").await, (1, 0, 0));
    assert!(!place.exists(&old.tag).await);
    for kept in [&new.tag, &heir, &stranger] {
        assert!(place.exists(kept).await, "{kept}");
    }
}

#[tokio::test]
async fn the_host_s_bundle_reaches_the_build_and_leaves_no_trace_in_the_environment() {
    let Some(mut place) = Place::new().await else {
        return;
    };
    let dockerfile = "FROM scratch\nCOPY root /\nCOPY . /ctx/\n\
        RUN [ -s \"$PIP_CERT\" ] && [ -e /ctx/Dockerfile ] && [ ! -e /ctx/.dockerignore ] && \
        [ ! -e /ctx/.proofyard.Dockerfile ] && [ ! -e /ctx/ca.pem ]\n";
    place.image("net", dockerfile).with_shell("net");
    let without = place.recipe("net").digest;
    let bundle = place.path("bundle.pem");
    fs::write(&bundle, format!("no certificate, {}\n", place.mark)).unwrap();
    place.ca_bundle = Some(bundle);
    let image = place.build("net").await.unwrap();
    assert_eq!(
        image.recipe,
        Some(without),
        "the host is no part of a recipe"
    );
    let config = image_config(&place.docker, &image.id).await.unwrap();
    assert!(
        config.env.iter().all(|pair| !pair.contains("ca.pem")),
        "{config:?}"
    );

    let carriers = place.images().list().await.unwrap();
    place.ca_bundle = None;
    let rules = GcRules {
        names: vec!["ca".into()],
        all: false,
        older_than: MINUTE,
        dry_run: true,
    };
    let stale = place.images().gc(rules).await.unwrap().removed;
    assert!(stale.iter().all(|image| carriers.contains(image)));
    let ours = stale.iter().max_by_key(|image| image.created).unwrap();
    let options = RemoveImageOptionsBuilder::new().build();
    place
        .docker
        .remove_image(&ours.tag, Some(options), None)
        .await
        .unwrap();
}

#[tokio::test]
async fn what_is_not_local_and_not_pulled_is_a_clear_error() {
    let Some(place) = Place::new().await else {
        return;
    };
    place.image("far", "# far\nFROM nowhere.invalid/x:1\n");
    let error = place.build("far").await.unwrap_err().to_string();
    assert!(
        error.contains("Dockerfile:2: the image nowhere.invalid/x:1 is not local"),
        "{error}"
    );
    let images = place.images();
    let error = images
        .ensure_named("nowhere.invalid/x:1", true, &|_| ())
        .await;
    assert!(matches!(error, Err(ImageError::NotLocal { .. })));
    place.image("lost", "FROM proofyard/none-at-all\n");
    let error = place.build("lost").await.unwrap_err().to_string();
    assert!(
        error.contains("Dockerfile:1: proofyard/none-at-all is neither"),
        "{error}"
    );
}

#[tokio::test]
async fn the_shipped_images_build() {
    let Some(place) = Place::new().await else {
        return;
    };
    if std::env::var_os("PROOFYARD_SLOW").is_none() {
        eprintln!("skipped: PROOFYARD_SLOW is not set");
        return;
    }
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("images");
    let images = ImageSettings {
        dir: Some(dir.clone()),
        pull: true,
        budget: None,
    };
    let host = HostSettings {
        ca_bundle: std::env::var_os("SSL_CERT_FILE").map(PathBuf::from),
        pass_env: Vec::new(),
        state: place.state(),
    };
    let images = Images::new(&place.docker, &images, &host);
    for name in Recipe::names(&dir).unwrap() {
        let recipe = Recipe::named(&name, &dir).unwrap();
        let tell = |progress: ImageProgress| eprintln!("{progress:?}");
        let image = images.ensure(&recipe, 30 * MINUTE, &tell).await.unwrap();
        let config = image_config(&place.docker, &image.id).await.unwrap();
        assert!(config.env.contains(&"LANG=C.UTF-8".to_owned()), "{name}");
        assert_eq!(config.workdir, "/workspace");
    }
}
