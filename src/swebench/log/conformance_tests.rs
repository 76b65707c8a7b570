//! The shared cases: what the functions of both versions of swebench read of the same logs.

use std::path::PathBuf;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

use super::*;

#[derive(Deserialize)]
struct Case {
    id: String,
    parser: String,
    #[serde(rename = "fn")]
    function: String,
    versions: Vec<String>,
    spec: Spec,
    log: String,
    status_map: Option<Pairs>,
    raises: Option<String>,
}

#[derive(Deserialize)]
struct Spec {
    instance_id: String,
    version: String,
}

/// An object in its order.
#[derive(Debug, PartialEq)]
struct Pairs(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Pairs;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of texts")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        from.deserialize_map(InOrder)
    }
}

/// A shared file; none where the folder is missing, and says so.
fn shared(name: &str) -> Option<String> {
    let folder = std::env::var_os("PROOFYARD_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"),
        PathBuf::from,
    );
    let path = folder.join("data/swebench/parsers").join(name);
    let text = std::fs::read_to_string(&path).ok();
    if text.is_none() {
        eprintln!("skipped: no {} (set PROOFYARD_SHARED)", path.display());
    }
    text
}

fn rules_of(version: &str) -> Rules {
    match version {
        "4.1.0" => Rules::V4_1,
        "5.0.2" => Rules::V5_0,
        _ => panic!("unknown version {version}"),
    }
}

#[test]
fn every_shared_log_reads_as_the_official_parser_reads_it() {
    let Some(text) = shared("synthetic.jsonl") else {
        return;
    };
    let lines = text.split('\n').filter(|line| !line.is_empty());
    let cases: Vec<Case> = lines
        .map(|line| serde_json::from_str(line).expect("a case"))
        .collect();
    assert_eq!(cases.len(), 512);
    let mut wrong = Vec::new();
    for case in &cases {
        for version in &case.versions {
            let rules = rules_of(version);
            let parser = Parser::named(rules, &case.parser).expect("a known parser");
            assert_eq!(parser.name(), case.function, "{}", case.id);
            let about = About {
                instance_id: &case.spec.instance_id,
                version: &case.spec.version,
            };
            let (read, raises) = match parser.parse(rules, about, &case.log) {
                Ok(statuses) => (Some(pairs(&statuses)), None),
                Err(Raised(name)) => (None, Some(name)),
            };
            if read != case.status_map || raises != case.raises.as_deref() {
                wrong.push(format!("{} of {version}: {read:?} {raises:?}", case.id));
            }
        }
    }
    assert_eq!(wrong, [""; 0], "{} of them", wrong.len());
}

fn pairs(statuses: &Statuses) -> Pairs {
    let pairs = statuses.iter();
    Pairs(
        pairs
            .map(|(name, status)| (name.into(), status.into()))
            .collect(),
    )
}

#[test]
fn names_projects_and_fail_only_projects_are_the_official_ones() {
    let Some(text) = shared("parsers.json") else {
        return;
    };
    let official: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let table = |version: &str, table: &str| {
        let pairs = official[version][table].as_object().expect("an object");
        let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
        pairs
            .iter()
            .map(|(name, function)| (name.clone(), text(function)))
            .collect::<Vec<_>>()
    };
    let names = table("5.0.2", "registry_name_to_function");
    assert_eq!(names.len(), 57);
    for (name, function) in &names {
        let parser = Parser::named(Rules::V5_0, name).expect("a known name");
        assert_eq!(parser.name(), function, "{name}");
    }
    for version in ["4.1.0", "5.0.2"] {
        for (repo, function) in table(version, "repo_to_function") {
            let parser = Parser::of_repo(rules_of(version), &repo).map(Parser::name);
            // What no name of the registry leads to is left out.
            let known = names.iter().any(|(_, known)| *known == function);
            assert_eq!(parser, known.then_some(function.as_str()), "{repo}");
        }
    }
    let in_4_1 = table("4.1.0", "repo_to_function");
    for (repo, _) in table("5.0.2", "repo_to_function") {
        let known = in_4_1.iter().any(|(known, _)| *known == repo);
        let found = Parser::of_repo(Rules::V4_1, &repo).is_some();
        assert_eq!(found, known, "{repo}");
        let listed = official["4.1.0"]["fail_only_repos"].as_array();
        let listed = listed.expect("a list").iter().any(|listed| *listed == repo);
        assert_eq!(fail_only(&repo), listed, "{repo}");
    }
}
