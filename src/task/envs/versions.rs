//! Versions of rows, and ranges of them.
//!
//! Owns how two versions compare. A version is a text; one of numbers between dots is
//! also compared as such, so that 1.10 comes after 1.9 and 2.0 is 2.0.0.

use std::cmp::Ordering;

/// Most parts of a dotted number; longer ones are mere texts.
const MOST_PARTS: usize = 8;
/// Most bounds of a range.
const MOST_BOUNDS: usize = 16;

/// Which versions an environment is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Versions {
    All,
    Listed(Vec<String>),
    /// All of the bounds hold; a version that is no dotted number is in no range.
    Range(Vec<Bound>),
}

/// One side of a range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    relation: Relation,
    version: Vec<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    Less,
    AtMost,
    Equal,
    Other,
    AtLeast,
    More,
}

/// Longer signs first, since the shorter are their beginnings.
const SIGNS: [(&str, Relation); 7] = [
    ("<=", Relation::AtMost),
    (">=", Relation::AtLeast),
    ("==", Relation::Equal),
    ("!=", Relation::Other),
    ("<", Relation::Less),
    (">", Relation::More),
    ("=", Relation::Equal),
];

impl Versions {
    /// Reads `">=2.0, <3"`, or one version.
    ///
    /// # Errors
    /// What is wrong with it, as a label.
    pub fn parse(text: &str) -> Result<Self, String> {
        if !text.contains(['<', '>', '=', '!', ',']) {
            return match text.trim() {
                "" => Err("a version, or a range such as \">=2.0, <3\"".to_owned()),
                one => Ok(Self::Listed(vec![one.to_owned()])),
            };
        }
        let bounds: Vec<Bound> = text.split(',').map(bound).collect::<Result<_, _>>()?;
        match bounds.len() {
            ..=MOST_BOUNDS => Ok(Self::Range(bounds)),
            more => Err(format!("{more} bounds, and at most {MOST_BOUNDS} are read")),
        }
    }

    /// Whether a row's version is one of them; an empty one is only among all.
    pub fn hold(&self, version: &str) -> bool {
        match self {
            Self::All => true,
            Self::Listed(listed) => listed.iter().any(|one| same(one, version)),
            Self::Range(bounds) => dotted(version)
                .is_some_and(|version| bounds.iter().all(|bound| bound.holds(&version))),
        }
    }
}

impl Bound {
    fn holds(&self, version: &[u64]) -> bool {
        let order = compare(version, &self.version);
        match self.relation {
            Relation::Less => order.is_lt(),
            Relation::AtMost => order.is_le(),
            Relation::Equal => order.is_eq(),
            Relation::Other => order.is_ne(),
            Relation::AtLeast => order.is_ge(),
            Relation::More => order.is_gt(),
        }
    }
}

fn bound(text: &str) -> Result<Bound, String> {
    let text = text.trim();
    let found = SIGNS
        .iter()
        .find_map(|(sign, relation)| Some((*relation, text.strip_prefix(sign)?)));
    let Some((relation, version)) = found else {
        return Err(format!(
            "`{text}` has no sign: a bound is \">=2.0\", and several versions are a list, [\"2.0\", \"2.3\"]"
        ));
    };
    match dotted(version.trim()) {
        Some(version) => Ok(Bound { relation, version }),
        None => Err(format!(
            "`{}` is no number with dots, and a range compares nothing else",
            version.trim()
        )),
    }
}

fn same(one: &str, other: &str) -> bool {
    match (dotted(one), dotted(other)) {
        (Some(one), Some(other)) => compare(&one, &other).is_eq(),
        _ => one == other,
    }
}

/// `2.10` → 2, 10; none where it is anything else, or beyond what counts as a number.
fn dotted(text: &str) -> Option<Vec<u64>> {
    let part = |part: &str| {
        let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| part.parse().ok()).flatten()
    };
    let parts: Option<Vec<u64>> = text.split('.').take(MOST_PARTS + 1).map(part).collect();
    parts.filter(|parts| parts.len() <= MOST_PARTS)
}

fn compare(one: &[u64], other: &[u64]) -> Ordering {
    let part = |parts: &[u64], at: usize| parts.get(at).copied().unwrap_or(0);
    let most = one.len().max(other.len());
    let mut orders = (0..most).map(|at| part(one, at).cmp(&part(other, at)));
    orders
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn holds(range: &str, version: &str) -> bool {
        Versions::parse(range).unwrap().hold(version)
    }

    #[test]
    fn dotted_numbers_compare_by_their_parts() {
        assert!(holds(">=2.0, <3", "2.10"));
        assert!(holds(">=1.9", "1.10"));
        assert!(!holds("<1.9", "1.10"));
        assert!(holds(">=2.0, <3", "2"));
        assert!(!holds(">=2.0, <3", "3.0"));
        assert!(holds("!=2.1", "2.2") && !holds("!=2.1", "2.1.0"));
        assert!(holds("==2.0", "2") && holds("=2", "2.0"));
        assert!(holds(">2022.03", "2022.06"));
    }

    #[test]
    fn one_version_is_itself_and_a_text_only_the_same_text() {
        assert!(holds("2.0", "2.0.0") && !holds("1.1", "1.10"));
        assert!(holds("nightly", "nightly") && !holds("nightly", "Nightly"));
        let listed = Versions::Listed(vec!["2.0".into(), "next".into()]);
        assert!(listed.hold("next") && listed.hold("2.0") && !listed.hold("2.3"));
    }

    #[test]
    fn what_is_no_number_is_in_no_range() {
        assert!(!holds(">=0", "next") && !holds(">=0", "") && !holds("!=1", "1.x"));
        assert!(Versions::All.hold("") && Versions::All.hold("next"));
    }

    #[test]
    fn a_range_that_cannot_be_read_says_why() {
        let label = |text: &str| Versions::parse(text).unwrap_err();
        assert!(label("2.0, 2.3").contains("a list"));
        assert!(label(">=next").contains("no number with dots"));
        assert!(label("").contains("a range"));
        assert!(label(&vec![">1"; 40].join(",")).contains("at most 16"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(range in "[<>=!,. 0-9a]{0,40}", version in "[0-9.a]{0,40}") {
            if let Ok(versions) = Versions::parse(&range) {
                let _ = versions.hold(&version);
            }
        }

        #[test]
        fn a_version_is_within_itself(parts in prop::collection::vec(0u64..2000, 1..6)) {
            let version = parts.iter().map(u64::to_string).collect::<Vec<_>>().join(".");
            let both = format!(">={version}, <={version}");
            let less = format!("<{version}");
            prop_assert!(holds(&both, &version) && !holds(&less, &version));
        }
    }
}
