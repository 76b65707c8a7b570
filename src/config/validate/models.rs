//! The built-in agent, the endpoints of models, and prices.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Checker, LONGEST};
use crate::config::raw::{LoopTable, ModelTable, Parameter, PriceTable, PricesTable};
use crate::config::{LoopSettings, ModelSettings, Price, Prices};

/// Where models are asked when nothing else is said.
const OPENAI: &str = "https://api.openai.com/v1";
/// The highest price and budget, dollars: far above any, and micro-dollars fit.
const MOST_DOLLARS: f64 = 1e9;

pub fn built_in(raw: LoopTable, check: &mut Checker<'_>) -> LoopSettings {
    let prompt = match raw.prompt.as_deref() {
        None | Some("built-in") => None,
        Some(text) => {
            let path = check.absolute("loop.prompt", text);
            if !path.is_file() {
                check.wrong("loop.prompt", "must be a file that exists, or \"built-in\"");
            }
            Some(path)
        }
    };
    if raw.repeats == Some(1) {
        check.wrong("loop.repeats", "must be 0, or 2 and more");
    }
    LoopSettings {
        prompt,
        announce_limits: raw.announce_limits.unwrap_or(false),
        repeats: raw.repeats.filter(|repeats| *repeats > 0),
    }
}

/// Each named table, with what `[model]` says where it is silent.
pub fn named(
    raw: BTreeMap<String, ModelTable>,
    base: Option<&ModelTable>,
    check: &mut Checker<'_>,
) -> BTreeMap<String, ModelSettings> {
    let base = base.cloned().unwrap_or_default();
    let over = |table: ModelTable| ModelTable {
        base_url: table.base_url.or(base.base_url.clone()),
        key_env: table.key_env.or(base.key_env.clone()),
        id: table.id.or(base.id.clone()),
        temperature: table.temperature.or(base.temperature),
        seed: table.seed.or(base.seed),
        max_tokens: table.max_tokens.or(base.max_tokens),
        max_tokens_field: table.max_tokens_field.or(base.max_tokens_field.clone()),
        reasoning_effort: table.reasoning_effort.or(base.reasoning_effort.clone()),
        stream: table.stream.or(base.stream),
        timeout_sec: table.timeout_sec.or(base.timeout_sec),
        stall_sec: table.stall_sec.or(base.stall_sec),
        tries: table.tries.or(base.tries),
        pause_sec: table.pause_sec.or(base.pause_sec),
        longest_pause_sec: table.longest_pause_sec.or(base.longest_pause_sec),
    };
    raw.into_iter()
        .map(|(name, table)| {
            let settings = model(over(table), &format!("models.{name}"), check);
            (name, settings)
        })
        .collect()
}

/// One table, whole.
pub fn model(raw: ModelTable, table: &str, check: &mut Checker<'_>) -> ModelSettings {
    let key = |name: &str| format!("{table}.{name}");
    let base_url = match raw.base_url.as_deref() {
        None | Some("auto") => {
            let named = check.sources.env.get("OPENAI_BASE_URL").cloned();
            named
                .filter(|url| !url.is_empty())
                .unwrap_or_else(|| OPENAI.to_owned())
        }
        Some(url) => url.to_owned(),
    };
    if !base_url.starts_with("http://") && !base_url.starts_with("https://") {
        check.wrong(
            &key("base_url"),
            "must begin with http:// or https://, or be \"auto\"",
        );
    }
    let temperature = number(raw.temperature);
    if temperature.is_some_and(|value| !(0.0..=10.0).contains(&value)) {
        check.wrong(&key("temperature"), "must be from 0 to 10, or \"default\"");
    }
    let mut whole = |name: &str, value: Option<Parameter>, least: f64| {
        let value = number(value)?;
        if value.fract() != 0.0 || value < least || value > 9e15 {
            check.wrong(&key(name), "must be a whole number, or \"default\"");
            return None;
        }
        Some(value as i64)
    };
    let seed = whole("seed", raw.seed, -9e15);
    let max_tokens = whole("max_tokens", raw.max_tokens, 1.0);
    let field = raw
        .max_tokens_field
        .unwrap_or_else(|| "max_tokens".to_owned());
    if !["max_tokens", "max_completion_tokens"].contains(&field.as_str()) {
        check.wrong(
            &key("max_tokens_field"),
            "must be `max_tokens` or `max_completion_tokens`",
        );
    }
    let mut time = |name: &str, value: Option<f64>| {
        Duration::from_secs_f64(check.positive(&key(name), value, LONGEST))
    };
    let timeout = time("timeout_sec", raw.timeout_sec);
    let stall = time("stall_sec", raw.stall_sec);
    let pause = time("pause_sec", raw.pause_sec);
    let longest_pause = time("longest_pause_sec", raw.longest_pause_sec);
    let said = |text: Option<String>| text.filter(|text| !text.is_empty());
    ModelSettings {
        base_url: base_url.trim_end_matches('/').to_owned(),
        key_env: said(raw.key_env),
        id: said(raw.id),
        temperature,
        seed,
        max_tokens: max_tokens.map(|tokens| tokens as u64),
        max_tokens_field: field,
        reasoning_effort: said(raw.reasoning_effort),
        stream: raw.stream.unwrap_or(true),
        timeout,
        stall,
        tries: check.number(&key("tries"), raw.tries, 1, 100) as u32,
        pause,
        longest_pause,
    }
}

fn number(parameter: Option<Parameter>) -> Option<f64> {
    match parameter {
        Some(Parameter::Number(number)) => Some(number),
        Some(Parameter::Default) | None => None,
    }
}

pub fn prices(raw: PricesTable, check: &mut Checker<'_>) -> Prices {
    let models = raw.models.unwrap_or_default();
    let date = raw.date.unwrap_or_default();
    if !models.is_empty() && date.parse::<jiff::civil::Date>().is_err() {
        check.wrong(
            "prices.date",
            "must be the date of the table, YYYY-MM-DD: prices change",
        );
    }
    let models = models
        .into_iter()
        .map(|(id, table)| {
            let price = price(&id, &table, check);
            (id, price)
        })
        .collect();
    Prices { date, models }
}

fn price(id: &str, table: &PriceTable, check: &mut Checker<'_>) -> Price {
    let mut of = |name: &str, value: Option<f64>| match value {
        Some(value) if (0.0..=MOST_DOLLARS).contains(&value) => (value * 1e6).round() as u64,
        _ => {
            let key = format!("prices.models.{id}.{name}");
            check.wrong(&key, "must be dollars per million tokens, 0 or more");
            0
        }
    };
    let input = of("input", table.input);
    let output = of("output", table.output);
    let mut or = |name: &str, value: Option<f64>, default: u64| match value {
        Some(_) => of(name, value),
        None => default,
    };
    Price {
        input,
        cache_read: or("cache_read", table.cache_read, input),
        cache_write: or("cache_write", table.cache_write, input),
        output,
        reasoning: or("reasoning", table.reasoning, output),
    }
}

/// A budget in dollars as micro-dollars; 0 is none.
pub fn dollars(key: &str, value: Option<f64>, check: &mut Checker<'_>) -> Option<u64> {
    match value {
        None => None,
        Some(value) if (0.0..=MOST_DOLLARS).contains(&value) => {
            Some((value * 1e6).round() as u64).filter(|budget| *budget > 0)
        }
        Some(_) => {
            check.wrong(key, "must be dollars, 0 or more");
            None
        }
    }
}
