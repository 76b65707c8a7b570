//! Facts about plans: what is counted, and what the estimates come to.

use std::collections::BTreeMap;

use insta::assert_snapshot;

use super::*;

const SPECIFICATIONS: &str = "[[environment]]\nrepo = \"psf/requests\"\nbase = \"b\"\npython = \"3.9\"\n\
    [[environment]]\nrepo = \"pallets/flask\"\nbase = \"b\"\npython = \"3.9\"\n\
    [[environment]]\nrepo = \"gone/away\"\nbase = \"b\"\nsource = \"gone.bundle\"\n";

fn environments() -> Environments {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.toml");
    std::fs::write(&file, SPECIFICATIONS).unwrap();
    Environments::read(&[file], &[]).unwrap()
}

fn row<'a>(instance_id: &'a str, repo: &'a str, image: Option<&str>) -> Row<'a> {
    Row {
        instance_id,
        repo,
        version: "2.0",
        images: image.map(str::to_owned).into_iter().collect(),
    }
}

fn planned(rows: &[Row<'_>], pull: bool, is_built: bool) -> Plan {
    let local = BTreeMap::from([("here:1".to_owned(), 3_200_000_000)]);
    let host = Host {
        local: &local,
        is_built: &|_| is_built,
        pull,
    };
    plan(rows, &environments(), &host).unwrap()
}

fn shown(plan: &Plan) -> String {
    // The folder of the specifications is another each time.
    let folder = regex::Regex::new(r"/tmp/[^ ]*/|/[^ ]*/[.]tmp[^/]*/").unwrap();
    folder.replace_all(&plan.table(), "").into_owned()
}

#[test]
fn what_is_local_is_neither_pulled_nor_built() {
    let rows = [row("one", "psf/requests", Some("here:1"))];
    let plan = planned(&rows, true, false);
    assert_eq!((plan.local.instances, plan.local.bytes), (1, 3_200_000_000));
    assert_eq!((plan.pulled.images, plan.built.instances), (0, 0));
    assert_eq!(plan.total, Cost::default());
    assert!(plan.figures_from.is_empty());
}

#[test]
fn one_image_of_several_rows_is_pulled_once() {
    let rows = [
        row("one", "psf/requests", Some("there:1")),
        row("two", "psf/requests", Some("there:1")),
        row("three", "some/other", Some("there:2")),
    ];
    let plan = planned(&rows, true, false);
    assert_eq!((plan.pulled.images, plan.pulled.have_environment), (2, 1));
}

#[test]
fn without_pulls_specifications_are_built_and_the_rest_is_named() {
    let rows = [
        row("one", "psf/requests", Some("there:1")),
        row("two", "psf/requests", Some("there:2")),
        row("three", "pallets/flask", None),
        row("four", "some/other", Some("there:4")),
        row("five", "some/other", None),
        row("six", "gone/away", None),
        row("seven", "psf/requests", Some("here:1")),
    ];
    assert_snapshot!(shown(&planned(&rows, false, false)), @r"
    7 instances
                   images        download            disk              time
    there already       1                          3.2 GB
    pulled              0               0               0                 0
    built               4      0.1–0.5 GB      0.3–2.7 GB        0.8–11 min
    needed              4      0.1–0.5 GB      0.3–2.7 GB        0.8–11 min

    1 image of environments, shared by 3 images of instances:
          3  a.toml:1  pallets/flask, psf/requests

    3 instances without an image:
      four: its official image is not local, `images.pull` is off, and no specification is for some/other 2.0
      five: no specification is for some/other 2.0
      six: the source of a.toml:9 is not there: gone.bundle
      try: load their official images into the engine, allow `images.pull`, or write a
      specification (docs/environments.md)

      from: builds of small libraries in pure Python on two cores (0.3 to 0.4 GB and 1.5
      minutes for an environment, 3 to 10 s for an instance); to: a guess for compiled ones
      without the history of each repo, which is fetched once where it is not local
    ");
}

#[test]
fn an_environment_that_is_built_costs_its_instances_alone() {
    let rows = [row("one", "psf/requests", None)];
    let (new, again) = (planned(&rows, false, false), planned(&rows, false, true));
    assert!(again.total.minutes.high < new.total.minutes.high);
    assert_eq!(again.total.download_gb, Range::default());
    assert!(again.table().contains("there already"));
}

#[test]
fn the_sum_of_many_is_the_published_one_and_one_is_between_the_smallest_and_the_largest() {
    let ids: Vec<String> = (0..500).map(|index| format!("image:{index}")).collect();
    let rows: Vec<Row<'_>> = ids
        .iter()
        .map(|image| row(image, "django/django", Some(image)))
        .collect();
    let many = planned(&rows, true, false).total.download_gb;
    assert!((120.0..130.0).contains(&many.low) && (615.0..625.0).contains(&many.high));
    let single = planned(&rows[..1], true, false).total.download_gb;
    assert!((single.low - 0.81).abs() < 0.01 && (single.high - 3.22).abs() < 0.01);
    assert_snapshot!(shown(&planned(&rows, true, false)), @r"
    500 instances
                   images        download            disk              time
    there already       0                               0
    pulled            500      120–620 GB     310–1900 GB          0.3–14 h
    built               0               0               0                 0
    needed            500      120–620 GB     310–1900 GB          0.3–14 h

      official images, compressed, by a registry's own figures: 500 of Verified have
      0.81 to 3.22 GB, median 1.12, mean 1.24; 300 of Multilingual median 0.53, mean 0.67
      from: a fifth of their sum, which is what others found when shared layers count once;
      to: nothing shared. On the disk 2.5 to 3 times as much
      time at 1000 to 100 Mbit/s, without unpacking
    ");
}

#[test]
fn a_plan_is_an_object_for_machines() {
    let json = serde_json::to_value(planned(&[row("one", "x/y", None)], true, false)).unwrap();
    assert_eq!(json["schema"], 1);
    assert_eq!(
        json["without"][0]["reason"],
        "no specification is for x/y 2.0"
    );
}
