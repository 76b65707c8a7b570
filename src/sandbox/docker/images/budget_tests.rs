//! Facts about which image goes next, and what it frees.

use proptest::prelude::*;

use super::*;

/// An image of steps: each a name, which tells the step with all before it, and bytes.
fn image(tag: &str, last: u64, steps: &[(u8, u64)]) -> Weighed {
    let steps = steps.iter().map(|(name, bytes)| Step {
        with_all_before: [*name; 32],
        bytes: *bytes,
    });
    Weighed {
        tag: tag.to_owned(),
        last,
        steps: steps.collect(),
        may_go: true,
        made: Made::Pulled,
    }
}

/// What goes, in order, and what is left.
fn trimmed(mut images: Vec<Weighed>, budget: u64) -> (Vec<(String, u64)>, u64) {
    let mut gone = Vec::new();
    while let Some(next) = next(&images, budget) {
        gone.push((images.remove(next.index).tag, next.frees));
    }
    (gone, weight(&images))
}

#[test]
fn nothing_goes_from_what_fits() {
    let images = vec![image("a", 1, &[(1, 10)]), image("b", 2, &[(2, 10)])];
    assert_eq!(trimmed(images, 20), (Vec::new(), 20));
}

#[test]
fn who_was_not_used_for_longest_goes_first_and_no_more_than_needed() {
    let images = vec![
        image("new", 3, &[(3, 10)]),
        image("old", 1, &[(1, 10)]),
        image("middle", 2, &[(2, 10)]),
    ];
    let gone = vec![("old".to_owned(), 10)];
    assert_eq!(trimmed(images, 25), (gone, 20));
}

#[test]
fn what_is_shared_counts_once() {
    let of = |tag: &str, last: u64, own: u8| image(tag, last, &[(1, 100), (own, 5)]);
    let images = vec![of("a", 1, 2), of("b", 2, 3), of("c", 3, 4)];
    assert_eq!(weight(&images), 115);
    assert_eq!(trimmed(images.clone(), 115).0.len(), 0);
    let gone = vec![("a".to_owned(), 5), ("b".to_owned(), 5)];
    assert_eq!(trimmed(images.clone(), 105), (gone, 105));
    // The last one takes what was shared with it.
    assert_eq!(trimmed(images, 10).0[2], ("c".to_owned(), 105));
}

#[test]
fn an_environment_stays_until_its_instances_are_gone() {
    let environment = image("environment", 1, &[(1, 100)]);
    let instance = image("instance", 2, &[(1, 100), (2, 5)]);
    let images = vec![environment, instance];
    let gone = vec![("instance".to_owned(), 5)];
    assert_eq!(trimmed(images.clone(), 100), (gone, 100));
    let both = ["instance", "environment"];
    let (gone, left) = trimmed(images, 0);
    assert_eq!(
        (
            gone.iter().map(|one| one.0.as_str()).collect::<Vec<_>>(),
            left
        ),
        (both.into(), 0)
    );
}

#[test]
fn what_is_in_use_stays_however_old_and_however_much() {
    let mut old = image("old", 1, &[(1, 50)]);
    old.may_go = false;
    let images = vec![old, image("new", 2, &[(2, 10)])];
    assert_eq!(trimmed(images, 20), (vec![("new".to_owned(), 10)], 50));
}

#[test]
fn two_names_of_one_image_go_both() {
    let images = vec![
        image("a", 1, &[(1, 10)]),
        image("b", 2, &[(1, 10)]),
        image("c", 3, &[(2, 10)]),
    ];
    // The one that frees something goes before those that only do so together.
    let gone = [("c", 10), ("a", 0), ("b", 10)];
    let gone = gone.map(|(tag, frees)| (tag.to_owned(), frees));
    assert_eq!(trimmed(images, 0), (gone.into(), 0));
}

#[test]
fn locks_of_pulled_images_are_file_names() {
    let key = pulled_key(&format!("host:5000/{}:latest", "long/".repeat(50)));
    assert_eq!(key.len(), "pulled-".len() + 32);
    assert_ne!(key, pulled_key("another:latest"));
}

proptest! {
    #[test]
    fn what_is_left_fits_or_is_in_use(
        images in prop::collection::vec(
            (0u64..5, prop::collection::vec((0u8..12, 0u64..100), 0..6), any::<bool>()),
            0..12,
        ),
        budget in 0u64..600,
    ) {
        let images: Vec<Weighed> = images.iter().enumerate().map(|(index, (last, names, may_go))| {
            // A step is told by its name, and so are its bytes.
            let steps: Vec<(u8, u64)> = names.iter().map(|(name, _)| (*name, u64::from(*name) * 7)).collect();
            let mut steps = steps;
            steps.dedup();
            let mut seen = HashSet::new();
            steps.retain(|step| seen.insert(step.0));
            Weighed { may_go: *may_go, ..image(&index.to_string(), *last, &steps) }
        }).collect();
        let before = weight(&images);
        let kept: Vec<Weighed> = images.iter().filter(|image| !image.may_go).cloned().collect();
        let (gone, left) = trimmed(images, budget);
        prop_assert_eq!(gone.iter().map(|one| one.1).sum::<u64>() + left, before);
        prop_assert!(left <= budget.max(weight(&kept)));
    }
}
