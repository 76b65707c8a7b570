//! What a log says of the run itself: whether tests ran, and how their command ended.

use std::sync::LazyLock;

use regex::Regex;

/// Most digits of a number that Python reads.
const MOST_DIGITS: usize = 4300;

/// Whether some runner's count of tests is more than none, or a case of the OpenLayers
/// runner is told as ok.
pub fn says_that_tests_ran(log: &str) -> bool {
    static SAYS: LazyLock<Regex> = LazyLock::new(|| {
        // Python's `\w` and `\s` are not those of this crate.
        let ways = [
            r"Executed [1-9]\d* of \d",
            r"TOTAL: [1-9]\d* (?:SUCCESS|FAILED)",
            r"[1-9]\d* passing",
            r"Tests:[\s\x1c-\x1f]+[1-9]",
            r"Test Suites:[\s\x1c-\x1f]+(?:\d+ [\p{L}\p{N}_]+, )*[1-9]\d* total",
            r"^# tests [1-9]",
            r"[1-9]\d* specs?, \d+ failure",
            r"': ok$",
        ];
        Regex::new(&format!("(?m){}", ways.join("|"))).expect("a constant pattern")
    });
    SAYS.is_match(log)
}

/// The first exit status that the log tells, with as many digits as Python refuses as the
/// error; a number that is too large for us is the largest.
pub fn exit_code(log: &str) -> Result<Option<i64>, usize> {
    static TOLD: LazyLock<Regex> = LazyLock::new(|| {
        let told = r">>>>> Test Exit Code:[\s\x1c-\x1f]*(-?)(\d+)";
        Regex::new(told).expect("a constant pattern")
    });
    let Some(told) = TOLD.captures(log) else {
        return Ok(None);
    };
    let text = |group| told.get(group).map_or("", |found| found.as_str());
    let digits = text(2);
    let count = digits.chars().count();
    if count > MOST_DIGITS {
        return Err(count);
    }
    let size = digits.chars().fold(0i64, |number, digit| {
        number.saturating_mul(10).saturating_add(value(digit))
    });
    Ok(Some(if text(1) == "-" { -size } else { size }))
}

/// What a decimal digit of any script is worth. Scripts have theirs in a row, from zero
/// on, and some rows follow on one another.
fn value(digit: char) -> i64 {
    static DIGIT: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^\d$").expect("a constant pattern"));
    if let Some(value) = digit.to_digit(10) {
        return value.into();
    }
    let is_digit = |code: &u32| {
        let sign = char::from_u32(*code);
        sign.is_some_and(|sign| DIGIT.is_match(sign.encode_utf8(&mut [0; 4])))
    };
    let before = (0..u32::from(digit)).rev().take_while(is_digit).count();
    i64::try_from(before % 10).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(code: &str) -> Result<Option<i64>, usize> {
        exit_code(&format!("x\n>>>>> Test Exit Code: {code}\n"))
    }

    #[test]
    fn digits_of_every_script_count() {
        assert_eq!(told("12"), Ok(Some(12)));
        assert_eq!(told("-00"), Ok(Some(0)));
        assert_eq!(told("\u{660}\u{661}"), Ok(Some(1)));
        // Two rows of digits that follow on one another.
        assert_eq!(told("\u{1d7d8}"), Ok(Some(0)));
        assert_eq!(told("\u{1d7d7}"), Ok(Some(9)));
        assert_eq!(told("x"), Ok(None));
        assert_eq!(told("\u{1c}\n\t7"), Ok(Some(7)));
    }

    #[test]
    fn a_number_longer_than_python_reads_is_an_error() {
        assert_eq!(told(&"0".repeat(4300)), Ok(Some(0)));
        assert_eq!(told(&"1".repeat(4300)), Ok(Some(i64::MAX)));
        assert_eq!(told(&"0".repeat(4301)), Err(4301));
    }

    #[test]
    fn a_count_of_none_is_no_run() {
        for line in [
            "Executed 0 of 0",
            "0 passing",
            "# tests 0",
            "a # tests 3",
            "x': ok y",
        ] {
            assert!(!says_that_tests_ran(line), "{line}");
        }
        for line in [
            "Executed 3 of 9",
            "a\n# tests 3",
            "Test Suites: 1 failed, 2 total",
        ] {
            assert!(says_that_tests_ran(line), "{line}");
        }
    }
}
