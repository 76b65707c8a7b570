//! Images that a registry gives, in a real engine.

use std::sync::atomic::Ordering;

use futures_util::future::join_all;
use proofyard::config::{HostSettings, ImageSettings};
use proofyard::sandbox::docker::images::{ImageError, Images};

use crate::place::Place;
use crate::registry::Registry;

/// As a process of its own would see images, which may be pulled.
fn pulling(place: &Place) -> Images {
    let images = ImageSettings {
        dir: None,
        pull: true,
        budget: None,
    };
    let host = HostSettings {
        ca_bundle: None,
        pass_env: Vec::new(),
        state: place.state(),
    };
    Images::new(&place.docker, &images, &host)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_is_pulled_once_after_a_busy_registry_gave_way_and_its_digest_is_known() {
    let Some(place) = Place::new().await else {
        return;
    };
    let registry = Registry::serve(&place.mark, 2);
    // (An engine asks twice, whether it is there and for it.)
    let name = format!("{}/own/{}:latest", registry.host, place.name("eval"));
    // Of a name that nobody has the second is taken.
    let names = [format!("own/{}:gone", place.name("none")), name.clone()];
    let processes = [pulling(&place), pulling(&place)];
    let callers = (0..6).map(|caller| {
        let (images, names) = (&processes[caller % 2], &names[1..]);
        async move { images.ensure_any(names, &|_| ()).await.unwrap().unwrap() }
    });
    let all = join_all(callers).await;
    assert!(all.iter().all(|image| *image == all[0]), "{all:?}");
    assert_eq!(registry.given.load(Ordering::SeqCst), 1);
    let repository = name.trim_end_matches(":latest");
    let expected = format!("{repository}@{}", registry.digest);
    assert_eq!(all[0].registry.as_ref(), Some(&expected));
    assert_eq!(all[0].tag, name);

    // What is local is not asked for again, and comes before what would have to be pulled.
    let again = processes[0].ensure_any(&names, &|_| ()).await.unwrap();
    assert_eq!(again.unwrap().id, all[0].id);
    assert_eq!(registry.given.load(Ordering::SeqCst), 1);

    // A run brought it, so that room may be made of it once no process needs it.
    drop(processes);
    let images = pulling(&place);
    let trimmed = images.keep_within(0, &|_| false).await.unwrap();
    let removed: Vec<&str> = trimmed.removed.iter().map(|one| one.tag.as_str()).collect();
    assert_eq!(removed, [name.as_str()]);
    assert!(!place.exists(&name).await);
}

#[tokio::test]
async fn a_registry_that_stays_busy_is_asked_three_times() {
    let Some(place) = Place::new().await else {
        return;
    };
    let registry = Registry::serve(&place.mark, usize::MAX);
    let name = format!("{}/own/{}:latest", registry.host, place.name("busy"));
    let found = pulling(&place)
        .ensure_any(std::slice::from_ref(&name), &|_| ())
        .await;
    let Err(ImageError::Pull {
        image,
        attempts,
        message,
    }) = found
    else {
        panic!("{found:?}");
    };
    assert_eq!((image, attempts), (name, 3));
    assert!(message.contains("503"), "{message}");
}
