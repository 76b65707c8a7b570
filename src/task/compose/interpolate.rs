//! Variables in a text: `$NAME`, `${NAME}` and its forms with a default, an
//! alternative or a complaint, `$$` for a dollar; before anything else a dollar is
//! one too.
//!
//! Owns the syntax. Must not know where variables come from.

/// Most bytes that one text may grow to.
pub const LONGEST: usize = 1 << 20;
/// Deepest default inside a default.
const DEEPEST: usize = 16;

/// Why a text has no value.
#[derive(Debug, PartialEq, Eq)]
pub enum Unfilled {
    /// A variable has no value, and no default stands beside it.
    Unset {
        name: String,
    },
    /// `${NAME:?complaint}`.
    Required {
        name: String,
        complaint: String,
    },
    /// What begins with `${` is none of the forms.
    Malformed {
        part: String,
    },
    TooLong,
    TooDeep,
}

/// The text with every variable filled in.
pub fn fill(text: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Result<String, Unfilled> {
    let mut filled = String::with_capacity(text.len());
    fill_into(&mut filled, text, lookup, 0)?;
    Ok(filled)
}

fn fill_into(
    filled: &mut String,
    text: &str,
    lookup: &dyn Fn(&str) -> Option<String>,
    depth: usize,
) -> Result<(), Unfilled> {
    if depth > DEEPEST {
        return Err(Unfilled::TooDeep);
    }
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        put(filled, &rest[..at])?;
        let after = &rest[at + 1..];
        if let Some(after) = after.strip_prefix('$') {
            put(filled, "$")?;
            rest = after;
        } else if let Some(inner) = after.strip_prefix('{') {
            let end = closing(inner).ok_or_else(|| malformed(&rest[at..]))?;
            braced(filled, &inner[..end], lookup, depth)?;
            rest = &inner[end + 1..];
        } else if let Some((name, after)) = name(after) {
            let value = lookup(name).ok_or_else(|| Unfilled::Unset { name: name.into() })?;
            put(filled, &value)?;
            rest = after;
        } else {
            put(filled, "$")?;
            rest = after;
        }
    }
    put(filled, rest)
}

/// What stands between the braces.
fn braced(
    filled: &mut String,
    inner: &str,
    lookup: &dyn Fn(&str) -> Option<String>,
    depth: usize,
) -> Result<(), Unfilled> {
    let whole = || malformed(&format!("${{{inner}}}"));
    let (name, form) = name(inner).ok_or_else(whole)?;
    let value = lookup(name);
    if form.is_empty() {
        let value = value.ok_or_else(|| Unfilled::Unset { name: name.into() })?;
        return put(filled, &value);
    }
    // With a colon an empty value counts as none.
    let (value, form) = match form.strip_prefix(':') {
        Some(form) => (value.filter(|value| !value.is_empty()), form),
        None => (value, form),
    };
    let mut signs = form.chars();
    let kind = signs.next();
    let other = signs.as_str();
    match (kind, value) {
        (Some('-'), None) | (Some('+'), Some(_)) => fill_into(filled, other, lookup, depth + 1),
        (Some('-' | '?'), Some(value)) => put(filled, &value),
        (Some('+'), None) => Ok(()),
        (Some('?'), None) => {
            let mut complaint = String::new();
            fill_into(&mut complaint, other, lookup, depth + 1)?;
            let name = name.into();
            Err(Unfilled::Required { name, complaint })
        }
        _ => Err(whole()),
    }
}

fn put(filled: &mut String, more: &str) -> Result<(), Unfilled> {
    if filled.len() + more.len() > LONGEST {
        return Err(Unfilled::TooLong);
    }
    filled.push_str(more);
    Ok(())
}

/// Where the brace that was open is closed; braces in between come in pairs.
fn closing(text: &str) -> Option<usize> {
    let mut open = 1usize;
    for (at, sign) in text.char_indices() {
        match sign {
            '{' => open += 1,
            '}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Some(at);
        }
    }
    None
}

/// A name at the beginning, and what follows it.
fn name(text: &str) -> Option<(&str, &str)> {
    let begins = text.starts_with(|sign: char| sign.is_ascii_alphabetic() || sign == '_');
    let end = text
        .find(|sign: char| !(sign.is_ascii_alphanumeric() || sign == '_'))
        .unwrap_or(text.len());
    begins.then(|| text.split_at(end))
}

fn malformed(part: &str) -> Unfilled {
    let part = part.lines().next().unwrap_or_default();
    Unfilled::Malformed {
        part: part.chars().take(40).collect(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn variables(name: &str) -> Option<String> {
        match name {
            "FULL" => Some("full".to_string()),
            "EMPTY" => Some(String::new()),
            "LONG" => Some("x".repeat(LONGEST / 2)),
            _ => None,
        }
    }

    fn filled(text: &str) -> Result<String, Unfilled> {
        fill(text, &variables)
    }

    #[test]
    fn every_form_gives_what_the_specification_says() {
        for (text, value) in [
            ("a $FULL-${FULL}b", "a full-fullb"),
            ("$$FULL $${FULL}", "$FULL ${FULL}"),
            (
                "${EMPTY}${EMPTY-d}${EMPTY:-d}${NONE-d}${NONE:-d}${FULL:-d}",
                "dddfull",
            ),
            ("${FULL+x}${EMPTY+x}${EMPTY:+y}${NONE+x}${NONE:+x}", "xx"),
            ("${FULL?no}${FULL:?no}${EMPTY?no}", "fullfull"),
            ("${NONE:-${EMPTY:-${FULL}}}", "full"),
            ("${NONE:-{\"a\": 1}}", "{\"a\": 1}"),
            ("${NONE:-}", ""),
            ("$(date) 5$ a$ b $1 $-", "$(date) 5$ a$ b $1 $-"),
        ] {
            assert_eq!(filled(text).as_deref(), Ok(value), "{text}");
        }
    }

    #[test]
    fn a_variable_without_value_and_default_is_named() {
        let unset = |name: &str| Err(Unfilled::Unset { name: name.into() });
        assert_eq!(filled("$NONE"), unset("NONE"));
        assert_eq!(filled("${FULL:+$NONE}"), unset("NONE"));
        let complaint = |complaint: &str| {
            Err(Unfilled::Required {
                name: "EMPTY".into(),
                complaint: complaint.into(),
            })
        };
        assert_eq!(filled("${EMPTY:?set it}"), complaint("set it"));
        assert_eq!(filled("${EMPTY:?}"), complaint(""));
    }

    #[test]
    fn braces_of_another_kind_are_malformed() {
        for text in ["${}", "${FULL", "${FULL:5}", "${FULL/a/b}"] {
            assert!(
                matches!(filled(text), Err(Unfilled::Malformed { .. })),
                "{text}"
            );
        }
    }

    #[test]
    fn nothing_grows_without_bound() {
        assert_eq!(filled("$LONG$LONG$LONG"), Err(Unfilled::TooLong));
        let deep = "${A:-".repeat(100) + &"}".repeat(100);
        assert_eq!(filled(&deep), Err(Unfilled::TooDeep));
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text in "[$A{}:?+-]{0,30}|\\PC{0,60}") {
            let _ = filled(&text);
        }
    }
}
