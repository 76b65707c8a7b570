//! Facts about grading.

use proptest::prelude::*;

use super::*;

const START: &str = "+ : '>>>>> Start Test Output'\n";
const END: &str = "+ : '>>>>> End Test Output'\n";

/// `PASSED a` is a test.
fn words(text: &str) -> Result<Statuses, Raised> {
    let mut statuses = Statuses::new();
    for line in text.lines() {
        if let Some((status @ ("PASSED" | "FAILED" | "SKIPPED" | "ERROR" | "ODD"), test)) =
            line.split_once(' ')
        {
            statuses.insert(test, status);
        }
    }
    Ok(statuses)
}

fn ids(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

fn instance<'a>(f2p: &'a [String], p2p: &'a [String]) -> Instance<'a> {
    Instance {
        instance_id: "acme__widget-1",
        repo: "acme/widget",
        version: "1",
        log_parser: None,
        eval_type: None,
        fail_to_pass: f2p,
        pass_to_pass: p2p,
    }
}

fn of(rules: Rules, f2p: &[&str], p2p: &[&str], log: &str) -> Graded {
    let (f2p, p2p) = (ids(f2p), ids(p2p));
    graded(rules, &instance(&f2p, &p2p), log.as_bytes(), words).unwrap()
}

fn log(tests: &str, exit: &str) -> String {
    format!("{START}{tests}{END}>>>>> Test Exit Code: {exit}\n")
}

#[test]
fn a_run_in_which_all_pass_is_resolved() {
    for rules in [Rules::V4_1, Rules::V5_0] {
        let graded = of(
            rules,
            &["new"],
            &["old"],
            &log("PASSED new\nPASSED old\n", "0"),
        );
        assert!(graded.resolved() && graded.found());
        assert_eq!(graded.why, Why::Between);
        let half = of(
            rules,
            &["new", "b"],
            &["old"],
            &log("PASSED new\nPASSED old\n", "1"),
        );
        assert_eq!(half.found(), rules == Rules::V4_1);
    }
}

#[test]
fn a_failing_command_without_a_failed_test_is_not_believed_by_5_0() {
    let log = log("PASSED new\n", "1");
    let graded = of(Rules::V5_0, &["new"], &[], &log);
    assert_eq!(graded.why, Why::ExitCode(1));
    assert!(!graded.found() && graded.statuses.is_empty());
    assert_eq!(
        graded.why.to_string(),
        "the tests' command ended with 1, and the log names no test that failed"
    );
    assert!(of(Rules::V4_1, &["new"], &[], &log).resolved());
}

#[test]
fn a_skipped_test_is_a_failure_of_one_list_and_a_success_of_the_other() {
    let log = log("SKIPPED new\nSKIPPED old\n", "0");
    let of_5_0 = of(Rules::V5_0, &["new"], &["old"], &log);
    let status = of_5_0.tests_status().unwrap();
    assert_eq!(status.fail_to_pass.failure, ["new"]);
    assert_eq!(status.pass_to_pass.success, ["old"]);
    let of_4_1 = of(Rules::V4_1, &["new"], &["old"], &log);
    assert_eq!(of_4_1.tests_status(), Some(&TestsStatus::default()));
    assert!(of_4_1.resolved());
}

#[test]
fn a_cut_id_is_what_all_that_begin_so_agree_on() {
    let cases = [
        ("PASSED t[a b]\nPASSED t[a c]\n", Some(true)),
        ("PASSED t[a b]\nFAILED t[a c]\n", Some(false)),
        ("FAILED t[a b]\nERROR t[a c]\n", Some(false)),
        ("ODD t[a b]\nERROR t[a c]\n", None),
        ("ERROR t[a b]\nODD t[a c]\n", Some(false)),
        ("PASSED u[a b]\n", Some(false)),
    ];
    for (tests, success) in cases {
        let graded = of(Rules::V5_0, &["t[a"], &["t[a"], &log(tests, "0"));
        let status = graded.tests_status().unwrap();
        let lists = &status.fail_to_pass;
        let found = match (lists.success.len(), lists.failure.len()) {
            (1, 0) => Some(true),
            (0, 1) => Some(false),
            _ => None,
        };
        assert_eq!(found, success, "{tests}");
    }
    let log = log("SKIPPED t[a z]\nFAILED t[a b]\n", "0");
    let graded = of(Rules::V5_0, &[], &["t[a"], &log);
    assert!(graded.resolved(), "the first in the log decides");
}

#[test]
fn what_ends_the_grading_early_is_told() {
    let voided = format!("{}>>>>> Tests Errored\n", log("PASSED new\n", "0"));
    let cases = [
        (voided.as_str(), Why::ControlWord(Mark::TestsErrored)),
        ("PASSED new\n", Why::NoMark(Mark::Start)),
        (START, Why::NoMark(Mark::End)),
        (&log("", "0"), Why::NothingRan),
    ];
    for (log, why) in cases {
        let graded = of(Rules::V5_0, &["new"], &[], log);
        assert_eq!(graded.why, why);
        assert!(!graded.found() && !graded.resolved());
    }
    let outside = format!("PASSED new\n{START}{END}");
    assert_eq!(of(Rules::V5_0, &["new"], &[], &outside).why, Why::Whole);
    assert_eq!(of(Rules::V4_1, &[], &[], &log("", "0")).why, Why::Silent);
}

#[test]
fn an_environment_that_failed_is_told_where_no_test_counts() {
    let said = log("Could not resolve host: example.org\n", "1");
    let graded = of(Rules::V5_0, &["new"], &[], &said);
    assert_eq!(graded.infra.unwrap().reason, "network_unreachable");
    assert_eq!(of(Rules::V4_1, &["new"], &[], &said).infra, None);
    let counts = of(Rules::V5_0, &["new"], &[], &format!("{said}FAILED new\n"));
    assert_eq!(counts.infra, None);
}

#[test]
fn an_unknown_word_of_a_row_is_an_exception_of_5_0_alone() {
    let (f2p, p2p) = (ids(&["new"]), ids(&[]));
    let mut row = instance(&f2p, &p2p);
    row.eval_type = Some("maybe");
    let log = log("PASSED new\n", "0");
    let error = graded(Rules::V5_0, &row, log.as_bytes(), words).unwrap_err();
    assert_eq!(error.exception(), "ValueError");
    assert!(
        graded(Rules::V4_1, &row, log.as_bytes(), words)
            .unwrap()
            .resolved()
    );
    // Where no test counts, the word is never looked at.
    assert!(graded(Rules::V5_0, &row, b"", words).is_ok());
}

#[test]
fn a_stray_byte_is_replaced_by_5_0_and_ends_4_1() {
    let said = b"a\r\n\xe2\x82b";
    let written = test_output(Rules::V5_0, "a", said).unwrap();
    assert_eq!(written, "a\r\n\u{fffd}b");
    let error = test_output(Rules::V4_1, "a", said).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`a`: the log is not UTF-8: byte 3 (0xe2), in line 2"
    );
}

#[test]
fn marks_are_counted_and_placed() {
    let text = format!(
        "a\n{START}{}{END}>>>>> Test Exit Code: 0\n>>>>> Start Test Output",
        ">>>>> Reset Failed ".repeat(20)
    );
    let marks = control_words(text.as_bytes());
    let reset = marks.find(Mark::ResetFailed).unwrap();
    assert_eq!((reset.count, reset.places.len()), (20, MOST_PLACES));
    assert!(reset.places.iter().all(|place| place.line == 3));
    let start = marks.find(Mark::Start).unwrap();
    assert_eq!(start.places[0].offset, 7);
    assert_eq!(
        marks.oddities(),
        [
            "`>>>>> Reset Failed` stands 20 times, in lines 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, \
             3, 3, 3, 3, …, which voids the log wherever it stands",
            "`>>>>> Start Test Output` stands 2 times, in lines 2, 5, and the official rules \
             read from the first to the second",
        ]
    );
    assert_eq!(marks.find(Mark::TestsErrored), None);
}

#[test]
fn an_honest_log_has_no_oddities() {
    let echo = "+ echo '>>>>> Test Exit Code: 0'\n";
    let log = format!("{START}PASSED a\n{END}{echo}>>>>> Test Exit Code: 0\n");
    assert!(control_words(log.as_bytes()).oddities().is_empty());
    let turned = control_words(format!("{END}{START}").as_bytes());
    assert_eq!(
        turned.oddities(),
        ["`>>>>> End Test Output` in line 1 stands before `>>>>> Start Test Output` in line 2"]
    );
    assert_eq!(control_words(b"").oddities().len(), 2);
}

#[test]
fn large_logs_with_many_cut_ids_are_quick() {
    let tests: String = (0..100_000)
        .map(|at| format!("FAILED t[{at:06} x]\n"))
        .collect();
    let cut: Vec<String> = (0..2000).map(|at| format!("t[{:03}", at % 100)).collect();
    let log = log(&tests, "1");
    let begun = std::time::Instant::now();
    let graded = graded(Rules::V5_0, &instance(&cut, &cut), log.as_bytes(), words).unwrap();
    assert_eq!(
        graded.tests_status().unwrap().fail_to_pass.failure.len(),
        2000
    );
    assert!(begun.elapsed().as_secs() < 20);
}

proptest! {
    #[test]
    fn any_bytes_are_graded_or_refused(
        pieces in prop::collection::vec(prop_oneof![
            Just(START.as_bytes().to_vec()),
            Just(END.as_bytes().to_vec()),
            Just(b">>>>> Test Exit Code:".to_vec()),
            Just(b">>>>> Tests Timed Out".to_vec()),
            Just(b"PASSED t[a b]\r\n".to_vec()),
            Just(b"\nFAILED t[a".to_vec()),
            prop::collection::vec(any::<u8>(), 0..8),
            "\\PC{0,8}".prop_map(String::into_bytes),
        ], 0..12),
        test in "t?\\[?[a ]{0,2}\\]?",
    ) {
        let log = pieces.concat();
        let tests = vec![test];
        for rules in [Rules::V4_1, Rules::V5_0] {
            let graded = graded(rules, &instance(&tests, &tests), &log, words);
            prop_assert_eq!(graded.is_err(), std::str::from_utf8(&log).is_err());
        }
        let marks = control_words(&log);
        for found in &marks.0 {
            for place in &found.places {
                let text = found.mark.text().as_bytes();
                prop_assert!(log[place.offset as usize..].starts_with(text));
            }
        }
        marks.oddities();
    }
}
