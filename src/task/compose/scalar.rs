//! What single words of a compose file mean: numbers as text, lengths of time,
//! sizes, ports.
//!
//! Plain functions from text to values, as Compose reads them. Must not know
//! where a word stands.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::diagnose::yaml::Scalar;

/// Longest time: a year, seconds.
const LONGEST: f64 = 366.0 * 86_400.0;
/// Most ports of one range.
const WIDEST: u16 = 1000;

/// A scalar as text where text is wanted: a number or a truth value as Compose
/// writes it again (`010` is `8`, `1.10` is `1.1`); null is none.
pub fn text(scalar: &Scalar) -> Option<String> {
    if !scalar.plain {
        return Some(scalar.text.clone());
    }
    let word = scalar.text.as_str();
    Some(match word {
        "" | "~" | "null" | "Null" | "NULL" => return None,
        "true" | "True" | "TRUE" => "true".to_string(),
        "false" | "False" | "FALSE" => "false".to_string(),
        _ => number(word).unwrap_or_else(|| word.to_string()),
    })
}

fn number(word: &str) -> Option<String> {
    let first = word.chars().next()?;
    if !(first.is_ascii_digit() || "+-.".contains(first)) {
        return None;
    }
    let digits = word.replace('_', "");
    if let Some(whole) = whole(&digits) {
        return Some(whole.to_string());
    }
    let looks = digits
        .chars()
        .all(|sign| sign.is_ascii_digit() || "+-.eE".contains(sign))
        && digits.contains(|sign: char| sign.is_ascii_digit());
    let value: f64 = digits
        .parse()
        .ok()
        .filter(|value: &f64| value.is_finite())?;
    looks.then(|| fraction(value))
}

/// A whole number of any of YAML's bases.
fn whole(digits: &str) -> Option<i128> {
    let (sign, rest) = match digits.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, digits.strip_prefix('+').unwrap_or(digits)),
    };
    let based = |prefixes: [&str; 2], base| {
        let rest = prefixes
            .iter()
            .find_map(|prefix| rest.strip_prefix(prefix))?;
        u64::from_str_radix(rest, base).ok()
    };
    let plain = rest.chars().all(|sign| sign.is_ascii_digit());
    let value = based(["0x", "0X"], 16)
        .or_else(|| based(["0o", "0O"], 8))
        .or_else(|| based(["0b", "0B"], 2))
        .or_else(|| match rest.strip_prefix('0') {
            Some(octal) if plain && !octal.is_empty() => u64::from_str_radix(octal, 8).ok(),
            _ if plain => rest.parse().ok(),
            _ => None,
        })?;
    let value = sign * i128::from(value);
    (value >= i128::from(i64::MIN)).then_some(value)
}

/// The shortest form that says the same, with an exponent where Go writes one.
fn fraction(value: f64) -> String {
    let shortest = format!("{value:e}");
    let Some((mantissa, exponent)) = shortest.split_once('e') else {
        return shortest;
    };
    match exponent.parse::<i32>() {
        Ok(power) if !(-4..6).contains(&power) => {
            let sign = if power < 0 { '-' } else { '+' };
            format!("{mantissa}e{sign}{:02}", power.abs())
        }
        _ => value.to_string(),
    }
}

/// `true` or `false`, in the words that Compose takes for them.
pub fn truth(word: &str) -> Option<bool> {
    match word.to_ascii_lowercase().as_str() {
        "true" | "yes" | "y" | "on" => Some(true),
        "false" | "no" | "n" | "off" => Some(false),
        _ => None,
    }
}

/// `1m30s`, `500ms`: numbers, each with its unit; a bare 0 too.
pub fn duration(word: &str) -> Option<Duration> {
    if word == "0" {
        return Some(Duration::ZERO);
    }
    let mut seconds = 0.0;
    let mut rest = word.strip_prefix('+').unwrap_or(word);
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let end = rest.find(|sign: char| !sign.is_ascii_digit() && sign != '.')?;
        let number: f64 = rest[..end].parse().ok()?;
        rest = &rest[end..];
        let end = rest
            .find(|sign: char| sign.is_ascii_digit() || sign == '.')
            .unwrap_or(rest.len());
        let unit = match &rest[..end] {
            "ns" => 1e-9,
            "us" | "µs" | "μs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            "d" => 86_400.0,
            "w" => 604_800.0,
            _ => return None,
        };
        seconds += number * unit;
        rest = &rest[end..];
    }
    (seconds <= LONGEST).then(|| Duration::from_secs_f64(seconds))
}

/// `512m`, `1.5gb`, `64`: bytes; units are powers of 1024.
pub fn size(word: &str) -> Option<u64> {
    let lower = word.trim().to_ascii_lowercase();
    let end = lower
        .find(|sign: char| !sign.is_ascii_digit() && sign != '.')
        .unwrap_or(lower.len());
    let number: f64 = lower[..end].parse().ok()?;
    let factor = match lower[end..].trim_start() {
        "" | "b" => 1u64,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        "t" | "tb" | "tib" => 1 << 40,
        _ => return None,
    };
    let bytes = number * factor as f64;
    (bytes <= (1u64 << 50) as f64).then_some(bytes as u64)
}

/// `80`, `3000-3005`, with `/tcp` or `/udp`.
pub fn ports(word: &str) -> Option<RangeInclusive<u16>> {
    let range = match word.split_once('/') {
        Some((range, "tcp" | "udp" | "sctp")) => range,
        Some(_) => return None,
        None => word,
    };
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let port = |text: &str| text.trim().parse::<u16>().ok().filter(|port| *port > 0);
    let (first, last) = (port(first)?, port(last)?);
    (first <= last && last - first < WIDEST).then_some(first..=last)
}

/// Whether a word can be the name of a service, a network or a volume.
pub fn is_name(word: &str) -> bool {
    let plain = |sign: char| sign.is_ascii_alphanumeric() || "._-".contains(sign);
    word.len() <= 200
        && word.starts_with(|first: char| first.is_ascii_alphanumeric())
        && word.chars().all(plain)
}
