//! Harbor's contract: `reward.json`, else `reward.txt`, → a reward.
//!
//! Owns which file wins and which contents count. Must not know where the bytes
//! come from. What is odd is a reason, never a reward of nought.

use std::collections::BTreeMap;

/// Bytes of a reward file that are read.
pub const MAX_REWARD_BYTES: u64 = 64 << 10;
const MAX_ENTRIES: usize = 1000;

/// What the task itself gave.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reward {
    /// A number; of a map the key `reward`, else its only value, else none.
    pub reward: Option<f64>,
    /// The map, where it was one.
    pub rewards: BTreeMap<String, f64>,
}

/// Why reward files give no reward.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoReward {
    #[error("neither reward.json nor reward.txt was written")]
    Missing,
    #[error("{file} is empty")]
    Empty { file: &'static str },
    #[error("{file} is larger than {MAX_REWARD_BYTES} bytes")]
    TooLarge { file: &'static str },
    #[error("{file} does not hold {wanted}: {problem}")]
    Odd {
        file: &'static str,
        wanted: &'static str,
        problem: String,
    },
}

impl Reward {
    /// Whether it counts as resolved: the number, where there is one, else every
    /// value of the map reaches `at`.
    pub fn reaches(&self, at: f64) -> bool {
        match self.reward {
            Some(reward) => reward >= at,
            None => !self.rewards.is_empty() && self.rewards.values().all(|value| *value >= at),
        }
    }
}

/// Reads a reward. `reward.json` wins wherever it is there, also where it is odd.
pub fn read(json: Option<&[u8]>, txt: Option<&[u8]>) -> Result<Reward, NoReward> {
    match (json, txt) {
        (Some(bytes), _) => read_json(checked(bytes, "reward.json")?),
        (None, Some(bytes)) => read_txt(checked(bytes, "reward.txt")?),
        (None, None) => Err(NoReward::Missing),
    }
}

fn checked<'a>(bytes: &'a [u8], file: &'static str) -> Result<&'a str, NoReward> {
    if bytes.len() as u64 > MAX_REWARD_BYTES {
        return Err(NoReward::TooLarge { file });
    }
    let text = std::str::from_utf8(bytes).map_err(|error| NoReward::Odd {
        file,
        wanted: "text",
        problem: format!("not UTF-8 after byte {}", error.valid_up_to()),
    })?;
    match text.trim() {
        "" => Err(NoReward::Empty { file }),
        text => Ok(text),
    }
}

fn read_txt(text: &str) -> Result<Reward, NoReward> {
    let reward = text.parse().ok().filter(|value: &f64| value.is_finite());
    match reward {
        Some(_) => Ok(Reward {
            reward,
            rewards: BTreeMap::new(),
        }),
        None => Err(NoReward::Odd {
            file: "reward.txt",
            wanted: "a finite number",
            problem: format!("`{}`", super::junit::cut(text, 60)),
        }),
    }
}

fn read_json(text: &str) -> Result<Reward, NoReward> {
    let odd = |problem: String| NoReward::Odd {
        file: "reward.json",
        wanted: "a flat object of finite numbers",
        problem,
    };
    let map: BTreeMap<String, serde_json::Value> =
        serde_json::from_str(text).map_err(|error| odd(error.to_string()))?;
    if map.is_empty() || map.len() > MAX_ENTRIES {
        return Err(odd(format!("it has {} entries", map.len())));
    }
    let mut rewards = BTreeMap::new();
    for (name, value) in map {
        let number = match &value {
            serde_json::Value::Bool(held) => Some(f64::from(u8::from(*held))),
            value => value.as_f64().filter(|number| number.is_finite()),
        };
        let number = number
            .ok_or_else(|| odd(format!("`{}` is no number", super::junit::cut(&name, 60))))?;
        rewards.insert(name, number);
    }
    let only = || (rewards.len() == 1).then(|| rewards.values().next().copied());
    let reward = rewards.get("reward").copied().or_else(|| only().flatten());
    Ok(Reward { reward, rewards })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn txt(text: &str) -> Result<Option<f64>, String> {
        read(None, Some(text.as_bytes()))
            .map(|reward| reward.reward)
            .map_err(|odd| odd.to_string())
    }

    fn json(text: &str) -> Result<Option<f64>, String> {
        read(Some(text.as_bytes()), None)
            .map(|reward| reward.reward)
            .map_err(|odd| odd.to_string())
    }

    #[test]
    fn a_number_is_a_reward() {
        assert_eq!(txt(" 1\n"), Ok(Some(1.0)));
        assert_eq!(txt("0.25"), Ok(Some(0.25)));
        assert_eq!(txt("-1e3"), Ok(Some(-1000.0)));
    }

    #[test]
    fn what_is_no_finite_number_is_no_reward() {
        for odd in [
            "nan",
            "inf",
            "-Infinity",
            "1e999",
            "true",
            "1 2",
            "passed",
            "0x1",
        ] {
            assert!(txt(odd).is_err(), "{odd}");
        }
        assert_eq!(txt(" \n"), Err("reward.txt is empty".into()));
        assert_eq!(
            txt("\u{1b}[2Jx"),
            Err("reward.txt does not hold a finite number: `[2Jx`".into())
        );
        let not_utf8 = read(None, Some(b"1\xff")).unwrap_err().to_string();
        assert_eq!(
            not_utf8,
            "reward.txt does not hold text: not UTF-8 after byte 1"
        );
        let huge = vec![b'1'; MAX_REWARD_BYTES as usize + 1];
        assert_eq!(
            read(None, Some(&huge)),
            Err(NoReward::TooLarge { file: "reward.txt" })
        );
        assert_eq!(read(None, None), Err(NoReward::Missing));
    }

    #[test]
    fn of_a_map_the_key_reward_counts_then_its_only_value() {
        assert_eq!(json(r#"{"reward": 0.5, "style": 1}"#), Ok(Some(0.5)));
        assert_eq!(json(r#"{"style": 1}"#), Ok(Some(1.0)));
        assert_eq!(json(r#"{"style": 1, "speed": 0}"#), Ok(None));
        assert_eq!(json(r#"{"held": true}"#), Ok(Some(1.0)));
    }

    #[test]
    fn odd_maps_are_no_reward() {
        for odd in [
            "1",
            "[1]",
            "null",
            "{}",
            r#"{"a": "1"}"#,
            r#"{"a": null}"#,
            r#"{"a": {"b": 1}}"#,
            r#"{"a": NaN}"#,
            r#"{"a": 1e999}"#,
            "{",
            "",
        ] {
            assert!(json(odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn json_wins_also_where_it_is_odd() {
        assert_eq!(
            read(Some(b"{\"a\": 0}"), Some(b"1")).unwrap().reward,
            Some(0.0)
        );
        assert!(read(Some(b""), Some(b"1")).is_err());
    }

    #[test]
    fn without_one_number_every_value_must_reach_it() {
        let of = |text: &str| read(Some(text.as_bytes()), None).unwrap();
        assert!(of(r#"{"a": 1, "b": 1}"#).reaches(1.0));
        assert!(!of(r#"{"a": 1, "b": 0.9}"#).reaches(1.0));
        assert!(of(r#"{"reward": 1, "b": 0}"#).reaches(1.0));
        assert!(!Reward::default().reaches(0.0));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_or_infinite(json in proptest::option::of(any::<Vec<u8>>()), txt in any::<Vec<u8>>()) {
            if let Ok(read) = read(json.as_deref(), Some(&txt)) {
                prop_assert!(read.reward.is_none_or(f64::is_finite));
            }
        }

        #[test]
        fn numbers_survive(values in proptest::collection::btree_map("[a-z]{1,6}", -1e9..1e9f64, 1..6)) {
            let text = serde_json::to_vec(&values).unwrap();
            prop_assert_eq!(read(Some(&text), None).unwrap().rewards, values);
        }
    }
}
