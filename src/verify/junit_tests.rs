//! Facts about the reading of JUnit XML.

use proptest::prelude::*;
use quick_xml::escape::escape;

use super::*;

fn one(inner: &str) -> Case {
    let xml = format!(
        r#"<testsuites><testsuite><testcase classname="a" name="t">{inner}</testcase></testsuite></testsuites>"#
    );
    parse(xml.as_bytes()).unwrap().remove(0)
}

#[test]
fn kinds_of_marks_are_told_apart() {
    assert_eq!(one("").state, TestState::Passed);
    assert_eq!(one("<failure/>").state, TestState::Failed);
    assert_eq!(one("<error/>").state, TestState::Error);
    assert_eq!(
        one(r#"<skipped type="pytest.skip"/>"#).state,
        TestState::Skipped
    );
    assert_eq!(
        one(r#"<skipped type="pytest.xfail"/>"#).state,
        TestState::Xfailed
    );
    assert_eq!(
        one("<system-out>failure</system-out>").state,
        TestState::Passed
    );
}

#[test]
fn the_worst_of_several_marks_decides() {
    let case = one(r#"<error message="teardown">E</error><failure message="call">F</failure>"#);
    assert_eq!(
        (case.state, case.message.as_str(), case.detail.as_str()),
        (TestState::Error, "teardown", "E")
    );
    let case = one(r#"<failure message="call">F</failure><error message="teardown">E</error>"#);
    assert_eq!(
        (case.state, case.message.as_str(), case.detail.as_str()),
        (TestState::Error, "teardown", "E")
    );
}

#[test]
fn entities_are_resolved_and_unknown_ones_refused() {
    let case =
        one(r#"<failure message="a &lt; b&#10;c">x &amp; &#x41;<![CDATA[<raw>]]></failure>"#);
    assert_eq!(case.message, "a < b\nc");
    assert_eq!(case.detail, "x & A<raw>");
    for hostile in [
        r#"<testsuite><testcase name="&boom;"/></testsuite>"#,
        r#"<testsuite><testcase name="a"><failure>&boom;</failure></testcase></testsuite>"#,
    ] {
        assert!(matches!(
            parse(hostile.as_bytes()),
            Err(ReportError::Damaged { .. })
        ));
    }
    let doctype = r#"<!DOCTYPE x [<!ENTITY a "aaaa">]><testsuite/>"#;
    assert_eq!(parse(doctype.as_bytes()), Err(ReportError::Doctype));
}

#[test]
fn a_report_that_is_damaged_anywhere_is_trusted_nowhere() {
    let good = r#"<testsuites><testsuite><testcase name="a"/><testcase name="b"/></testsuite></testsuites>"#;
    assert_eq!(parse(good.as_bytes()).unwrap().len(), 2);
    for end in 1..good.len() {
        assert!(parse(&good.as_bytes()[..end]).is_err(), "cut at {end}");
    }
    for added in ["x", "<testsuite/>", "</testsuites>", "<"] {
        assert!(
            parse(format!("{good}{added}").as_bytes()).is_err(),
            "{added}"
        );
    }
    assert!(parse(b"<html><testcase name='a'/></html>").is_err());
    assert!(
        parse(b"<testsuite><testcase name='a'><testcase name='b'/></testcase></testsuite>")
            .is_err()
    );
    assert_eq!(parse(b" \n"), Err(ReportError::Empty));
    assert_eq!(parse(b"<testsuite \xff/>"), Err(ReportError::NotUtf8(11)));
}

#[test]
fn bounds_hold() {
    let deep = "<testsuite>".repeat(40);
    assert_eq!(parse(deep.as_bytes()), Err(ReportError::TooDeep));
    let many = format!(
        "<testsuite>{}</testsuite>",
        "<testcase name='a'/>".repeat(MAX_CASES + 1)
    );
    assert_eq!(parse(many.as_bytes()), Err(ReportError::TooManyCases));
    let long = "ä".repeat(MAX_MESSAGE_BYTES);
    let case = one(&format!(r#"<failure message="{long}">{long}end</failure>"#));
    assert!(case.message.len() <= MAX_MESSAGE_BYTES && case.detail.len() <= MAX_MESSAGE_BYTES);
    assert!(case.detail.ends_with("end"));
}

#[test]
fn terminal_escapes_do_not_get_in() {
    let case = one("<failure message='\u{1b}[31mred\u{7}'>\u{1b}]0;title\u{7}</failure>");
    assert_eq!(
        (case.message.as_str(), case.detail.as_str()),
        ("[31mred", "]0;title")
    );
}

#[test]
fn odd_times_are_nought_or_the_largest() {
    let ms = |time: &str| {
        let xml = format!("<testsuite><testcase name='a' time='{time}'/></testsuite>");
        parse(xml.as_bytes()).unwrap()[0].ms
    };
    assert_eq!(
        (ms("0.0126"), ms("-1"), ms("NaN"), ms("x"), ms("inf")),
        (13, 0, 0, 0, u64::MAX)
    );
}

#[test]
fn a_nameless_case_is_no_record() {
    let xml = include_bytes!("../../tests/fixtures/junit/pytest_exit.xml");
    let names: Vec<_> = parse(xml)
        .unwrap()
        .into_iter()
        .map(|case| case.name)
        .collect();
    assert_eq!(names, ["test_a"]);
}

fn any_state() -> impl Strategy<Value = TestState> {
    prop_oneof![
        Just(TestState::Passed),
        Just(TestState::Failed),
        Just(TestState::Error),
        Just(TestState::Skipped),
        Just(TestState::Xfailed),
    ]
}

fn written(cases: &[(String, String, TestState, u16)]) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?><testsuites><testsuite>");
    for (classname, name, state, ms) in cases {
        let mark = match state {
            TestState::Failed => "<failure message=\"m\">text</failure>",
            TestState::Error => "<error message=\"m\">text</error>",
            TestState::Skipped => "<skipped type=\"pytest.skip\" message=\"m\">text</skipped>",
            TestState::Xfailed => "<skipped type=\"pytest.xfail\" message=\"m\">text</skipped>",
            _ => "",
        };
        let (classname, name) = (escape(classname), escape(name));
        let time = f64::from(*ms) / 1000.0;
        xml.push_str(&format!(
            "<testcase classname=\"{classname}\" name=\"{name}\" time=\"{time}\">{mark}</testcase>"
        ));
    }
    xml + "</testsuite></testsuites>"
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn no_pieces_of_xml_make_it_panic(pieces in proptest::collection::vec(prop_oneof![
        Just("<testsuite>"), Just("</testsuite>"), Just("<testcase name='a'>"), Just("<testcase name=\"b\"/>"),
        Just("</testcase>"), Just("<failure>"), Just("</failure>"), Just("<error message='"), Just("'>"),
        Just("&lt;"), Just("&#0;"), Just("&#xD800;"), Just("&x;"), Just("<![CDATA["), Just("]]>"), Just("<!--"),
        Just("-->"), Just("é"), Just("<"), Just(">"), Just("</"), Just("<?xml?>"),
    ], 0..24)) {
        let _ = parse(format!("<testsuite>{}", pieces.concat()).as_bytes());
    }

    #[test]
    fn what_is_written_is_read(cases in proptest::collection::vec(
        ("[^\\p{C}\\s]{0,12}", "[^\\p{C}\\s][^\\p{C}\t\r\n\u{85}\u{2028}]{0,24}", any_state(), any::<u16>()), 0..12)) {
        let read = parse(written(&cases).as_bytes()).unwrap();
        let read: Vec<_> = read.into_iter().map(|case| (case.classname, case.name, case.state, case.ms as u16)).collect();
        prop_assert_eq!(read, cases);
    }
}
