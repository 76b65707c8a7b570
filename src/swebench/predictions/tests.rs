//! Facts about predictions, as they are read and written.

use std::fs;

use proptest::prelude::*;

use super::*;

fn read_as(name: &str, text: &str) -> Result<Predictions, PredictionError> {
    parse(name, text.as_bytes())
}

/// Id, model and patch of each.
fn told(predictions: &Predictions) -> Vec<(&str, Option<&str>, Option<&str>)> {
    let all = predictions.all.iter();
    all.map(|is| {
        (
            is.instance_id.as_str(),
            is.model.as_deref(),
            is.patch.as_deref(),
        )
    })
    .collect()
}

/// The problems of a text, one a line.
fn wrong(name: &str, text: &str) -> String {
    match read_as(name, text) {
        Err(PredictionError::Invalid { problems }) => {
            let problems = problems.iter().map(Problem::to_string);
            problems.collect::<Vec<_>>().join("\n")
        }
        other => panic!("{other:?}"),
    }
}

const A: &str = r#"{"instance_id": "a", "model_name_or_path": "m", "model_patch": "x\n"}"#;
const B: &str = r#"{"instance_id": "b", "model_name_or_path": "m", "model_patch": null}"#;

#[test]
fn every_shape_comes_to_the_same() {
    let expected = [("a", Some("m"), Some("x\n")), ("b", Some("m"), None)];
    let shapes = [
        ("p.jsonl", format!("{A}\n{B}\n")),
        ("p.jsonl", format!("{A}\r\n\n{B}")),
        ("p.json", format!("[{A}, {B}]")),
        ("p.json", format!("{{\"a\": {A}, \"b\": {B}}}")),
        (
            "p.json",
            r#"[{"instance_id": "a", "patch": "x\n", "prefix": "m"},
                {"instance_id": "b", "patch": null, "prefix": "m"}]"#
                .to_owned(),
        ),
    ];
    for (name, text) in shapes {
        let read = read_as(name, &text).unwrap();
        assert_eq!(told(&read), expected, "{text}");
        assert_eq!(read.warnings, Vec::<String>::new(), "{text}");
    }
    let live = read_as("p.json", r#"{"a": {"model_patch": "x\n"}}"#).unwrap();
    assert_eq!(told(&live), [("a", None, Some("x\n"))]);
}

#[test]
fn each_prediction_knows_its_line() {
    let text = format!("[\n{A},\n\n  {B}]");
    let read = read_as("p.json", &text).unwrap();
    let lines: Vec<usize> = read.all.iter().map(|prediction| prediction.line).collect();
    assert_eq!(lines, [2, 4]);
}

#[test]
fn a_name_that_says_something_else_is_a_warning() {
    for (name, text) in [
        ("preds.txt", format!("{A}\n{B}")),
        ("preds", format!("[{A}]")),
        ("preds.json", format!("{A}\n{B}\n")),
        ("preds.jsonl", format!("[{A},\n{B}]")),
        ("preds.pred", A.to_owned()),
        ("preds.jsonl", format!("\u{feff}{A}")),
    ] {
        let read = read_as(name, &text).unwrap();
        assert_eq!(read.warnings.len(), 1, "{name}: {:?}", read.warnings);
    }
}

#[test]
fn null_and_nothing_are_no_patch() {
    let text = r#"[{"instance_id": "a", "model_patch": ""}, {"instance_id": "b", "model_patch": null},
        {"instance_id": "c", "model_patch": "\n"}]"#;
    let read = read_as("p.json", text).unwrap();
    let patches: Vec<Option<&str>> = read.all.iter().map(Prediction::patch).collect();
    assert_eq!(patches, [None, None, Some("\n")]);
}

#[test]
fn a_missing_newline_is_told_and_mended() {
    let text = r#"{"instance_id": "a", "model_patch": "+x"}"#;
    let read = read_as("p.jsonl", text).unwrap();
    assert_eq!(read.warnings, ["1 patch lacks its final newline (a)"]);
    assert_eq!(read.all[0].patch(), Some("+x"));
    assert_eq!(mended("+x"), "+x\n");
    assert!(matches!(mended("+x\n"), Cow::Borrowed("+x\n")));
    assert_eq!(mended(""), "");
}

#[test]
fn a_second_model_is_told() {
    let other = A.replace("\"a\"", "\"c\"").replace("\"m\"", "\"other\"");
    let read = read_as("p.jsonl", &format!("{A}\n{other}")).unwrap();
    assert_eq!(
        read.warnings,
        ["the predictions are of 2 models; an official summary is named after the first, `m`"]
    );
}

#[test]
fn a_second_prediction_names_both_places() {
    assert_eq!(
        wrong("p.jsonl", &format!("{A}\n{B}\n{A}\n")),
        "p.jsonl:3:1: `a` is predicted a second time, first in line 1, column 1"
    );
    assert_eq!(
        wrong("p.json", &format!("{{\"a\": {A}, \"a\": {A}}}")),
        format!(
            "p.json:1:{}: `a` is predicted a second time, first in line 1, column 7",
            7 + A.len() + 7
        )
    );
}

#[test]
fn a_missing_key_is_named_with_what_is_near() {
    let text = r#"{"instance_id": "a", "model_ptach": "x"}
{"instanceid": "a", "model_patch": "x"}
{"instance_id": "c"}
{"model_patch": 1, "instance_id": "d"}
3
{"instance_id": ["e"], "model_patch": ""}"#;
    assert_eq!(
        wrong("p.jsonl", text),
        "p.jsonl:1:1: a prediction without `model_patch`\n\
         p.jsonl:2:1: a prediction without `instance_id`\n\
         p.jsonl:3:1: a prediction without `model_patch`\n\
         p.jsonl:4:17: `model_patch` must be a text or null, and this is a number\n\
         p.jsonl:5:1: a prediction is an object, and this is a number\n\
         p.jsonl:6:17: `instance_id` must be a text or null, and this is a list"
    );
    let shown = read_as("p.jsonl", text).unwrap_err().render(false);
    assert!(shown.contains("it has `model_ptach`"), "{shown}");
    assert!(shown.contains("write \"model_patch\": \"\""), "{shown}");
}

#[test]
fn broken_json_has_a_place_and_a_reason() {
    let cases = [
        (
            format!("{A}\n{{\"instance_id\": \"b\", \"model_patch\": \"x\n"),
            "p.jsonl:2:",
        ),
        (format!("{A}\n,{B}"), "p.jsonl:2:1: this is not JSON"),
        ("[".to_owned(), "p.jsonl:1:1: this is not JSON; EOF"),
        ("{\"a\": 1,}".to_owned(), "p.jsonl:1:9: this is not JSON"),
        (
            "3".to_owned(),
            "p.jsonl:1:1: a prediction is an object, and this is a number",
        ),
        (
            "{\"instance_id\": \"a\", \"model_patch\": \"\\ud800\"}".to_owned(),
            "p.jsonl:1:37: `model_patch` must be a text",
        ),
    ];
    for (text, start) in cases {
        let said = wrong("p.jsonl", &text);
        assert!(said.starts_with(start), "{said}");
    }
    for nothing in ["", " \n", "[]", "{}"] {
        let said = "`p.jsonl` holds no prediction";
        assert_eq!(wrong("p.jsonl", nothing), said);
    }
    let Err(PredictionError::Invalid { problems }) = parse("p.jsonl", b"{}\n\xff") else {
        panic!("no error");
    };
    assert_eq!(problems[0].to_string(), "p.jsonl:2:1: this is not UTF-8");
}

#[test]
fn the_rows_of_a_data_set_are_no_predictions() {
    let row = r#"{"instance_id": "a", "patch": "gold", "test_patch": "t", "repo": "a/b"}"#;
    let shown = read_as("p.jsonl", row).unwrap_err().render(false);
    assert!(
        shown.contains("`gold` stands for the patches of the data set"),
        "{shown}"
    );
}

#[test]
fn an_id_that_leads_elsewhere_is_refused() {
    for id in ["", "..", "../x", "a/b", "a\\u0000", "a\\n"] {
        let text = format!("{{\"instance_id\": \"{id}\", \"model_patch\": \"\"}}");
        assert!(
            wrong("p.jsonl", &text).contains("is no instance_id"),
            "{id}"
        );
    }
    let text = r#"{"a": {"instance_id": "b", "model_patch": ""}}"#;
    assert!(wrong("p.json", text).contains("`a` holds a prediction for `b`"));
}

#[test]
fn a_patch_beyond_the_bound_is_refused() {
    let patch = "x".repeat(MOST_PATCH + 1);
    let text = format!("{{\"instance_id\": \"a\", \"model_patch\": \"{patch}\"}}");
    assert_eq!(
        wrong("p.jsonl", &text),
        "p.jsonl:1:37: the patch is larger than 64 MiB"
    );
}

#[test]
fn many_problems_are_bounded() {
    let text = "{}\n".repeat(1000);
    assert_eq!(wrong("p.jsonl", &text).lines().count(), 21);
}

#[test]
fn what_is_written_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("predictions.jsonl");
    let read_first = read_as(
        "p.jsonl",
        &format!("{A}\n{B}\n{{\"instance_id\": \"c\", \"model_patch\": \"é\\u2028\\n\"}}"),
    )
    .unwrap();
    let mut file = fs::File::create(&path).unwrap();
    write_jsonl(&mut file, &read_first.all).unwrap();
    let again = read(&path).unwrap();
    let mut expected = read_first.all.clone();
    expected[2].model = Some("None".to_owned());
    assert_eq!(again.all, expected);
    let missing = read(&folder.path().join("none")).unwrap_err();
    assert!(missing.to_string().ends_with("cannot be read"), "{missing}");
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(
        name in "p(\\.jsonl?)?",
        pieces in prop::collection::vec(prop_oneof![
            Just("{".to_owned()), Just("}".to_owned()), Just("[".to_owned()),
            Just("]".to_owned()), Just(",".to_owned()), Just("\n".to_owned()),
            Just("\"instance_id\": \"é\"".to_owned()), Just("\"model_patch\": ".to_owned()),
            Just("\"x\"".to_owned()), Just("null".to_owned()), Just(A.to_owned()),
            Just(B.to_owned()), Just("\"a\": ".to_owned()), "\\PC{0,5}",
        ], 0..10),
    ) {
        if let Err(error) = read_as(&name, &pieces.concat()) {
            prop_assert!(error.render(false).starts_with("error: "));
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        if let Err(error) = parse("p", &bytes) {
            prop_assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn any_prediction_survives_writing(
        model in prop::option::of("\\PC{1,10}"),
        patch in prop::option::of(any::<String>()),
    ) {
        let one = Prediction {
            instance_id: "a".to_owned(), model, patch, line: 1,
        };
        let mut written = Vec::new();
        write_jsonl(&mut written, [&one]).unwrap();
        let read = parse("p.jsonl", &written).unwrap();
        prop_assert_eq!(&read.all[0].patch, &one.patch);
        prop_assert_eq!(read.all[0].model.as_deref(), one.model.as_deref().or(Some("None")));
    }
}
