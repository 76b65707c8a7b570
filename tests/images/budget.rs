//! Room for images, in a real engine.

use proofyard::sandbox::docker::images::{BuiltImage, Images};

use crate::place::{MINUTE, Place};

/// An image of this place that an instance has used.
async fn used(place: &Place, images: &Images, name: &str) -> BuiltImage {
    // One layer is this image's own, the other that of all of them.
    place.image(
        name,
        &format!("FROM @all\nENV NAME={name}\nCOPY mark /{name}\n"),
    );
    let recipe = place.recipe(name);
    let image = images.ensure(&recipe, MINUTE, &|_| ()).await.unwrap();
    images.used_for_instance(&image).unwrap();
    image
}

#[tokio::test]
async fn the_longest_unused_goes_and_what_is_leased_foreign_or_never_used_stays() {
    let Some(place) = Place::new().await else {
        return;
    };
    place.image("all", "FROM scratch\nCOPY mark /mark\n");
    let images = place.images();
    let first = used(&place, &images, "first").await;
    let second = used(&place, &images, "second").await;
    let third = used(&place, &images, "third").await;
    let fourth = used(&place, &images, "fourth").await;
    // The first is used once more, the third by another process.
    images.used_for_instance(&first).unwrap();
    let other = place.images();
    let recipe = place.recipe("third");
    other.ensure(&recipe, MINUTE, &|_| ()).await.unwrap();
    let foreign = format!("foreign-{}:1", place.mark);
    let text = format!("FROM scratch\nLABEL a={}\n", place.mark);
    place.foreign(&foreign, &text).await;
    let local = images.for_instance(&foreign, false, &|_| ()).await.unwrap();
    images.used_for_instance(&local).unwrap();

    let whole = images.keep_within(u64::MAX, &|_| false).await.unwrap();
    assert!(whole.removed.is_empty() && whole.bytes > 0);
    let nearly = images
        .keep_within(whole.bytes - 1, &|_| false)
        .await
        .unwrap();
    assert_eq!(tags(&nearly.removed), [second.tag.as_str()]);
    assert_eq!(nearly.bytes, whole.bytes - nearly.removed[0].bytes);

    let needed = |tag: &str| tag == first.tag;
    let none = images.keep_within(0, &needed).await.unwrap();
    assert_eq!(tags(&none.removed), [fourth.tag.as_str()]);
    assert_eq!(none.in_use, [third.tag.as_str()]);
    for kept in [&first.tag, &third.tag, &foreign] {
        assert!(place.exists(kept).await, "{kept}");
    }
    assert!(place.exists(&place.recipe("all").tag()).await);

    drop(other);
    let rest = images.keep_within(0, &|_| false).await.unwrap();
    assert_eq!((rest.removed.len(), rest.bytes), (2, 0));
    assert!(place.exists(&foreign).await);
}

fn tags(removed: &[proofyard::sandbox::docker::images::Removed]) -> Vec<&str> {
    removed.iter().map(|one| one.tag.as_str()).collect()
}
