//! `proofyard show --config`: every setting, and where it came from.

use crate::config::{Loaded, Settings, Value};
use crate::diagnose::printable;

/// The text that `show --config` prints: a block a table, a line a setting.
pub fn show_config(loaded: &Loaded) -> String {
    let rows: Vec<(&str, &str, String, String)> = loaded
        .values
        .iter()
        .map(|value| {
            let (table, key) = value.key.split_once('.').unwrap_or(("", &value.key));
            let origin = value.origin.to_string();
            (table, key, shown(value, &loaded.settings), origin)
        })
        .collect();
    let keys = rows.iter().map(|(_, key, ..)| key.len()).max().unwrap_or(0);
    // One long list does not push every origin to the right.
    let lengths = rows.iter().map(|(_, _, value, _)| value.chars().count());
    let values = lengths.filter(|length| *length <= 40).max().unwrap_or(0);
    let mut out = String::new();
    let mut before = "";
    for (table, key, value, origin) in &rows {
        if *table != before {
            let gap = if before.is_empty() { "" } else { "\n" };
            out.push_str(&format!("{gap}[{table}]\n"));
            before = table;
        }
        out.push_str(&format!("  {key:<keys$}  {value:<values$}  {origin}\n"));
    }
    for (name, model) in &loaded.settings.models {
        let id = model.id.as_deref().unwrap_or(name);
        out.push_str(&format!(
            "\n[models.{name}]\n  {id} at {}\n",
            model.base_url
        ));
    }
    let prices = &loaded.settings.prices;
    if !prices.models.is_empty() {
        let ids: Vec<&str> = prices.models.keys().map(String::as_str).collect();
        out.push_str(&format!(
            "\n[prices]\n  of {}: {}\n",
            prices.date,
            ids.join(", ")
        ));
    }
    match &loaded.settings.file {
        Some(file) => out.push_str(&format!("\nfile: {}\n", file.display())),
        None => out.push_str("\nno harness.toml, here or above\n"),
    }
    printable(&out)
}

/// The value as it would be written, and what it comes to here where it is "auto".
fn shown(value: &Value, settings: &Settings) -> String {
    let written = value.value.to_string();
    if value.value.as_str() != Some("auto") {
        return written;
    }
    let path = |path: Option<&std::path::PathBuf>| {
        path.map_or("none".to_string(), |path| path.display().to_string())
    };
    let here = match value.key.as_str() {
        "images.dir" => path(settings.images.dir.as_ref()),
        "host.ca_bundle" => path(settings.host.ca_bundle.as_ref()),
        "host.state" => path(Some(&settings.host.state)),
        "model.base_url" => settings.model.base_url.clone(),
        _ => return written,
    };
    format!("{written} = {here}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use insta::assert_snapshot;

    use super::*;
    use crate::config::{Flag, Sources, load};

    #[test]
    fn every_setting_is_shown_with_where_it_came_from() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("harness.toml"), "[run]\nattempts = 3\n").unwrap();
        let env = [("HOME", "/home/some"), ("PROOFYARD_LIMITS_PIDS", "64")];
        let loaded = load(&Sources {
            cwd: root.path().to_path_buf(),
            config: None,
            env: BTreeMap::from(env.map(|(name, value)| (name.to_string(), value.to_string()))),
            flags: vec![Flag::named("--agent", "run.agents", ["oracle"])],
        });
        let shown = show_config(&loaded.unwrap());
        let shown = shown.replace(&root.path().display().to_string(), "project");
        assert_snapshot!(shown, @r#"
            [run]
              tasks               ["tasks"]                           default
              agents              ["oracle"]                          flag --agent
              models              []                                  default
              attempts            3                                   harness.toml:2
              jobs                "auto"                              default
              out                 "runs"                              default
              retry_errors        0                                   default
              check               true                                default
              timeout_multiplier  1.0                                 default
              network             "task"                              default
              max_cost            0.0                                 default
              sign_key            ""                                  default

            [limits]
              cpus                1.0                                 default
              memory_mb           2048                                default
              pids                64                                  environment, PROOFYARD_LIMITS_PIDS
              open_files          4096                                default
              disk_mb             4096                                default
              call_timeout_sec    120.0                               default
              output_bytes        32768                               default
              change_mb           2048                                default
              max_steps           200                                 default
              max_tokens          0                                   default
              max_trial_cost      0.0                                 default

            [engine]
              host                "auto"                              default
              transport           "auto"                              default
              work_tree           "auto"                              default

            [images]
              dir                 "auto" = none                       default
              pull                true                                default
              budget_gb           0.0                                 default

            [swebench]
              rules               "both"                              default
              version             "5.0"                               default
              envs                []                                  default
              specs               ""                                  default
              history             "ancestors"                         default
              timeout_sec         1800.0                              default

            [host]
              ca_bundle           "auto" = none                       default
              pass_env            ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "FTP_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "no_proxy", "ftp_proxy", "all_proxy"]  default
              state               "auto" = /home/some/.local/state/proofyard  default

            [loop]
              prompt              "built-in"                          default
              announce_limits     false                               default
              repeats             4                                   default

            [model]
              base_url            "auto" = https://api.openai.com/v1  default
              key_env             "OPENAI_API_KEY"                    default
              id                  ""                                  default
              temperature         "default"                           default
              seed                "default"                           default
              max_tokens          "default"                           default
              max_tokens_field    "max_tokens"                        default
              reasoning_effort    ""                                  default
              stream              true                                default
              timeout_sec         600.0                               default
              stall_sec           120.0                               default
              tries               6                                   default
              pause_sec           1.0                                 default
              longest_pause_sec   60.0                                default

            file: project/harness.toml
            "#);
    }
}
