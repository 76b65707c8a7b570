//! What follows from a probe run, and how tests are altered.

use super::*;
use crate::task::fixture::task as plain;
use crate::verify::channel::Told;

fn task() -> Task {
    let mut task = plain("a");
    let ids = [
        "t.py::one",
        "t.py::many[1-2]",
        "t.py::many[3-4]",
        "t.py::plain",
    ];
    task.verification.fail_to_pass = ids.map(str::to_owned).to_vec();
    task
}

fn heard(told: &[(&str, TestState, &str)]) -> Heard {
    Heard {
        records: told
            .iter()
            .map(|(id, state, message)| Told {
                id: (*id).to_owned(),
                state: *state,
                ms: 0,
                message: (!message.is_empty()).then(|| (*message).to_owned()),
            })
            .collect(),
        collected: told.iter().map(|(id, ..)| (*id).to_owned()).collect(),
        ..Heard::default()
    }
}

const CLEAN: [(&str, TestState, &str); 4] = [
    ("t.py::one", TestState::Passed, ""),
    ("t.py::many[1-2]", TestState::Passed, ""),
    ("t.py::many[3-4]", TestState::Passed, ""),
    ("t.py::plain", TestState::Passed, ""),
];

/// Cases are named after their values, so altered ones have other names.
fn refusing() -> Vec<(&'static str, TestState, &'static str)> {
    vec![
        ("t.py::one", TestState::Failed, "assert 1 == 2"),
        ("t.py::many[1-7]", TestState::Failed, "assert 2 == 7"),
        ("t.py::many[3-9]", TestState::Failed, "AssertionError: no"),
        ("t.py::plain", TestState::Passed, ""),
        ("t.py::test_more", TestState::Failed, "assert 3 == 4"),
    ]
}

fn answer() -> Answer {
    serde_json::from_str(
        r#"{"t.py": {"sites": {"one": ["altered", "must_fail"], "many": ["helper"], "plain": []},
            "source": "", "must_fail": "test_more"}}"#,
    )
    .unwrap()
}

fn name_of(test: &str) -> Name {
    ("t.py".to_owned(), test.to_owned())
}

fn baseline(many: Kind) -> (Baseline, Picks) {
    let one = vec![(0, Kind::Altered)];
    let tests = vec![
        (name_of("many"), vec![(0, many)]),
        (name_of("one"), one),
        (name_of("plain"), Vec::new()),
    ];
    let baseline = Baseline {
        tests,
        must_fail: BTreeSet::from(["t.py".to_owned()]),
        ..Baseline::default()
    };
    let picks = picks(&baseline, |_| 0);
    (baseline, picks)
}

fn probed(many: Kind, told: &[(&str, TestState, &str)]) -> Probed {
    excusing(many, told, &Held::new())
}

fn excusing(many: Kind, told: &[(&str, TestState, &str)], excused: &Held) -> Probed {
    let (baseline, picks) = baseline(many);
    judge(
        &task(),
        &baseline,
        &picks,
        &answer(),
        &heard(&CLEAN),
        &heard(told),
        excused,
    )
}

#[test]
fn what_is_refused_everywhere_is_probed() {
    let probed = probed(Kind::Altered, &refusing());
    assert_eq!(probed.evidence, Evidence::Probed);
    let counts: Vec<_> = probed
        .probes
        .iter()
        .map(|one| (one.tests, one.of, one.held, one.exercised))
        .collect();
    assert_eq!(counts, [(3, 4, true, true), (1, 4, true, true)]);
    assert_eq!((probed.proofs.len(), probed.doubt), (0, None));
}

#[test]
fn a_value_that_passes_whatever_is_expected_is_proof() {
    let mut told = refusing();
    told[1] = ("t.py::many[1-7]", TestState::Passed, "");
    let probed = probed(Kind::Altered, &told);
    assert_eq!(
        probed.proofs,
        ["`t.py::many` also passes where another value is expected"]
    );
    assert_eq!(probed.evidence, Evidence::Records);
    assert!(!probed.probes[0].held);
}

#[test]
fn where_it_might_be_no_expectation_there_is_doubt_and_no_proof() {
    let mut told = refusing();
    told[1] = ("t.py::many[1-7]", TestState::Passed, "");
    let probed = probed(Kind::Helper, &told);
    assert_eq!(probed.proofs, Vec::<String>::new());
    assert_eq!(probed.doubt.unwrap().0, Reason::NotTested);
}

#[test]
fn what_the_reference_solution_passes_with_the_same_values_accuses_nobody() {
    let mut told = refusing();
    told[1] = ("t.py::many[1-7]", TestState::Passed, "");
    let of_reference = held(&task(), &heard(&CLEAN), &heard(&told));
    assert!(of_reference.contains(&(name_of("many"), 0)));
    assert!(!of_reference.contains(&(name_of("many"), 1)));
    for kind in [Kind::Altered, Kind::Helper] {
        let probed = excusing(kind, &told, &of_reference);
        assert_eq!((probed.proofs.len(), probed.doubt), (0, None));
        assert_eq!(probed.held, Held::new());
        // The test that must fail, in the same module, covers it.
        assert_eq!((probed.probes[0].tests, probed.probes[1].tests), (2, 2));
        told[2] = ("t.py::many[3-9]", TestState::Passed, "");
        let probed = excusing(kind, &told, &of_reference);
        assert!(!probed.probes[0].held);
        assert_eq!(probed.held, Held::from([(name_of("many"), 1)]));
        told[2] = ("t.py::many[3-9]", TestState::Failed, "assert 4 == 9");
    }
}

#[test]
fn a_test_that_must_fail_and_passes_is_proof() {
    let mut told = refusing();
    told[4] = ("t.py::test_more", TestState::Passed, "");
    assert_eq!(
        probed(Kind::Altered, &told).proofs,
        ["a test that must fail passes in t.py"]
    );
}

#[test]
fn what_has_no_result_there_is_doubted() {
    for at in [0, 4] {
        let mut told = refusing();
        told[at].1 = TestState::Skipped;
        let doubt = probed(Kind::Altered, &told).doubt;
        if at == 0 {
            assert_eq!(doubt.unwrap().0, Reason::RecordsContradict);
        }
        told.remove(at);
        let doubt = probed(Kind::Altered, &told).doubt;
        assert_eq!(doubt.unwrap().0, Reason::RecordsContradict);
    }
}

#[test]
fn what_fails_otherwise_accuses_nobody() {
    let mut told = refusing();
    told[0].2 = "ValueError: no month 13";
    let probed = probed(Kind::Altered, &told);
    assert_eq!((probed.proofs.len(), probed.doubt), (0, None));
    assert_eq!(
        probed.evidence,
        Evidence::Probed,
        "the module's own test covers it"
    );
}

#[test]
fn a_baseline_takes_up_what_the_solution_is_refused_at() {
    let mut learnt = Baseline::default();
    let picks = round(&answer(), 0);
    assert_eq!(picks.len(), 2);
    let mut told = refusing();
    told[2] = ("t.py::many[3-9]", TestState::Passed, "");
    learnt.learn(&task(), &picks, &answer(), &heard(&CLEAN), &heard(&told));
    let one = learnt
        .tests
        .iter()
        .find(|(name, _)| *name == name_of("one"));
    assert_eq!(one.unwrap().1, [(0, Kind::Altered)]);
    // One of its cases was not refused.
    let many = learnt
        .tests
        .iter()
        .find(|(name, _)| *name == name_of("many"));
    assert_eq!(many.unwrap().1, []);
    assert!(learnt.must_fail.contains("t.py"));
    assert!(
        !learnt.wants_more(&answer(), 1),
        "the one that has none has no other place"
    );
}

/// The program itself, on this machine's Python.
#[test]
fn a_test_file_is_altered_where_it_says_what_it_expects() {
    use std::io::Write;
    use std::process::{Command, Stdio};

    let source = r#"
import pytest
WANT = {"a": [1, 2]}
def check(got, want):
    assert got == want
def test_one():
    assert f(3) == 41
def test_two():
    if f(1):
        return
    assert f(2) == 5
@pytest.mark.parametrize("a, b", [(1, "x"), pytest.param(2, "y", id="z")])
def test_many(a, b):
    assert g(a) == b
def test_constant():
    assert h() == WANT
@pytest.mark.parametrize("text", ["a", "b"])
def test_both_ways(text):
    assert load(dump(text)) == text
def test_given():
    check(f(2), (4, 5))
def test_raises():
    with pytest.raises(ValueError):
        assert f(1) == 2
def test_loop():
    for n in rows():
        assert f(n) == 2
class TestA:
    def test_in(self):
        self.assertEqual(f(1), 7)
"#;
    let names = [
        "test_one",
        "test_two",
        "test_many",
        "test_constant",
        "test_given",
        "test_both_ways",
        "test_raises",
        "test_loop",
        "TestA::test_in",
    ];
    let request = serde_json::json!({
        "seed": 5,
        "files": {"t.py": {"source": source, "tests": names, "must_fail": true,
            "picks": {"test_one": 0, "test_many": 0, "test_constant": 0, "test_given": 0, "TestA::test_in": 0}}}
    });
    let program = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(program.path(), ALTER).unwrap();
    let child = Command::new("python3")
        .args([program.path().to_str().unwrap(), "1"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        eprintln!("skipped: there is no python3 here");
        return;
    };
    child
        .stdin
        .take()
        .unwrap()
        .write_all(request.to_string().as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let answer: Answer = serde_json::from_slice(&output.stdout).unwrap();
    let sites = answer.sites();
    let of = |name: &str| sites.get(&name_of(name)).cloned().unwrap_or_default();
    assert_eq!(of("test_one"), [Kind::Altered, Kind::MustFail]);
    // What goes in as well as it comes out is no expectation.
    assert_eq!(of("test_both_ways"), [Kind::MustFail]);
    for reached_by_chance in ["test_two", "test_raises", "test_loop"] {
        assert_eq!(of(reached_by_chance), [], "{reached_by_chance}");
    }
    assert_eq!(of("test_given"), [Kind::Helper]);
    assert_eq!(of("TestA::test_in"), [Kind::Altered, Kind::MustFail]);
    let altered = String::from_utf8(answer.sources().remove("t.py").unwrap()).unwrap();
    let changed: Vec<(&str, &str)> = source
        .lines()
        .zip(altered.lines())
        .filter(|(old, new)| old != new)
        .collect();
    assert_eq!(changed.len(), 5, "{changed:#?}");
    let added = answer.must_fail().remove("t.py").unwrap();
    assert!(altered.contains(&format!("def {added}():")));
    for untouched in ["assert g(a) == b", "assert f(2) == 5", "assert got == want"] {
        assert!(altered.contains(untouched));
    }
}
