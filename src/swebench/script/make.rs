//! The official script, made.
//!
//! Owns the order of its lines. Must not know what names tests (`super::targets` does).

use super::targets::test_commands;
use super::{
    Asset, DELIMITER, DIRECTORY, END, Instance, NOTHING_TO_RESET, SET, SHEBANG, START, Script,
    ScriptError, hazards, reset_files,
};
use crate::swebench::specs::{Commands, Kind};

const ACTIVATE: [&str; 2] = [
    "source /opt/miniconda3/bin/activate",
    "conda activate testbed",
];

/// The eval script of an instance as swebench 4.1 makes it, byte for byte. swebench 5.0
/// makes none: its rows bring theirs.
///
/// # Errors
/// The test patch is none that the official harness reads; there is no test command.
pub fn eval_script(instance: &Instance<'_>, commands: &Commands) -> Result<Script, ScriptError> {
    let files = reset_files(instance.test_patch)?;
    let tests = test_commands(commands, instance.test_patch)?;
    let mut lines = vec![SHEBANG.to_owned(), SET.to_owned()];
    match commands.kind {
        Kind::Python => python(instance, commands, &files, tests, &mut lines),
        Kind::Common => common(instance, commands, &files, tests, &mut lines),
    }
    let mut text = lines.join("\n");
    text.push('\n');
    Ok(Script {
        text,
        warnings: hazards::of(instance.test_patch, &files, &commands.directives),
    })
}

fn python(
    instance: &Instance<'_>,
    commands: &Commands,
    files: &[String],
    tests: Vec<String>,
    lines: &mut Vec<String>,
) {
    let base = instance.base_commit;
    let activate = || {
        let lines = (!commands.no_env).then_some(ACTIVATE);
        lines.into_iter().flatten().map(str::to_owned)
    };
    // Without files this has nothing behind its last blank, and git moves to the base.
    let reset = format!("git checkout {base} {}", files.join(" "));
    lines.extend(activate());
    enter(commands, lines);
    lines.extend(["git status", "git show"].map(str::to_owned));
    lines.push(format!("git -c core.fileMode=false diff {base}"));
    lines.extend(activate());
    lines.extend(commands.install.clone());
    lines.extend(commands.build.iter().cloned());
    lines.push(reset.clone());
    lines.push(apply("-v", instance.test_patch));
    between_markers(tests, lines);
    lines.push(reset);
}

fn common(
    instance: &Instance<'_>,
    commands: &Commands,
    files: &[String],
    tests: Vec<String>,
    lines: &mut Vec<String>,
) {
    let reset = match files.is_empty() {
        true => NOTHING_TO_RESET.to_owned(),
        false => format!("git checkout {} {}", instance.base_commit, files.join(" ")),
    };
    enter(commands, lines);
    lines.push(reset.clone());
    lines.extend(instance.assets.iter().flat_map(fetch));
    lines.push(apply("--verbose --reject", instance.test_patch));
    lines.extend(commands.install.clone());
    lines.extend(commands.build.iter().cloned());
    between_markers(tests, lines);
    lines.push(reset);
}

fn enter(commands: &Commands, lines: &mut Vec<String>) {
    let cd = format!("cd {DIRECTORY}");
    lines.push(cd.clone());
    lines.extend(commands.eval_commands.iter().cloned());
    lines.push(format!(
        "git config --global --add safe.directory {DIRECTORY}"
    ));
    lines.push(cd);
}

fn apply(options: &str, patch: &str) -> String {
    format!("git apply {options} - <<'{DELIMITER}'\n{patch}\n{DELIMITER}")
}

fn between_markers(tests: Vec<String>, lines: &mut Vec<String>) {
    lines.push(format!(": '{START}'"));
    lines.extend(tests);
    lines.push(format!(": '{END}'"));
}

fn fetch(asset: &Asset) -> [String; 3] {
    let Asset { path, url } = asset;
    [
        format!("mkdir -p {}", folder(path)),
        format!("curl -o {path} {url}"),
        format!("chmod 777 {path}"),
    ]
}

/// The folder of a path, as Python writes it: without doubled slashes and `.`.
fn folder(path: &str) -> String {
    let root = if path.starts_with('/') { "/" } else { "" };
    let parts = path.split('/').filter(|part| !matches!(*part, "" | "."));
    let mut parts: Vec<&str> = parts.collect();
    parts.pop();
    match (parts.is_empty(), root) {
        (true, "") => ".".to_owned(),
        _ => format!("{root}{}", parts.join("/")),
    }
}
