//! Numbers as people read them: shares, tokens, money, times.
//!
//! Owns rounding, and that it claims nothing: nearly all is not all, little is not
//! nothing. Must not know what is counted.

/// `68 %`; never rounded to all or nothing.
pub(super) fn percent(value: f64) -> String {
    match value {
        v if v > 0.0 && v < 0.005 => "<1 %".to_owned(),
        v if (0.995..1.0).contains(&v) => ">99 %".to_owned(),
        v => format!("{:.0} %", v * 100.0),
    }
}

/// `0.86` of a share from 0 to 1; never rounded to all or nothing.
pub(super) fn share(value: f64) -> String {
    match value {
        v if v > 0.0 && v < 0.005 => "0.01".to_owned(),
        v if (0.995..1.0).contains(&v) => "0.99".to_owned(),
        v => format!("{v:.2}"),
    }
}

/// `14`, `14.5`.
pub(super) fn number(value: f64) -> String {
    match value.fract() == 0.0 {
        true => format!("{value:.0}"),
        false => format!("{value:.1}"),
    }
}

/// `310`, `1.4 k`, `31 k`, `2.5 M`.
pub(super) fn thousands(value: f64) -> String {
    match value {
        v if v < 999.5 => format!("{v:.0}"),
        v if v < 9_950.0 => format!("{:.1} k", v / 1_000.0),
        v if v < 999_500.0 => format!("{:.0} k", v / 1_000.0),
        v => format!("{:.1} M", v / 1_000_000.0),
    }
}

/// `$3.10`, `$0.42`, `$0.021`: two digits that say something, of micro-dollars.
pub(super) fn money(micro: f64) -> String {
    let dollars = micro / 1_000_000.0;
    match dollars {
        0.0 => "$0".to_owned(),
        v if v < 0.000_05 => "<$0.0001".to_owned(),
        v if v < 0.009_95 => format!("${v:.4}"),
        v if v < 0.099_5 => format!("${v:.3}"),
        v => format!("${v:.2}"),
    }
}

/// `12 ms`, `1.2 s`.
pub(super) fn milliseconds(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        _ => format!("{:.1} s", ms as f64 / 1_000.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearly_all_is_not_all_and_little_is_not_nothing() {
        for (value, shown) in [
            (0.999, ">99 %"),
            (0.001, "<1 %"),
            (1.0, "100 %"),
            (0.0, "0 %"),
        ] {
            assert_eq!(percent(value), shown);
        }
        for (value, shown) in [
            (0.999, "0.99"),
            (0.001, "0.01"),
            (1.0, "1.00"),
            (0.0, "0.00"),
        ] {
            assert_eq!(share(value), shown);
        }
        assert_eq!(money(30.0), "<$0.0001");
        assert_eq!(money(0.0), "$0");
    }

    #[test]
    fn money_shows_digits_that_say_something() {
        for (micro, shown) in [
            (210.0, "$0.0002"),
            (9_960.0, "$0.010"),
            (21_400.0, "$0.021"),
            (420_000.0, "$0.42"),
            (3_100_000.0, "$3.10"),
        ] {
            assert_eq!(money(micro), shown);
        }
    }

    #[test]
    fn tokens_are_rounded_to_thousands() {
        for (tokens, shown) in [
            (310.0, "310"),
            (1_440.0, "1.4 k"),
            (9_960.0, "10 k"),
            (31_200.0, "31 k"),
            (999_700.0, "1.0 M"),
        ] {
            assert_eq!(thousands(tokens), shown);
        }
    }
}
