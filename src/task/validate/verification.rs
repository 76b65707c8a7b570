//! The verifier's side of a task.

use std::path::PathBuf;

use super::Checker;
use super::environment::{default_network, network_mode, own_network};
use super::servers::collects;
use super::tools::globs;
use super::verifier_side::TIMEOUT;
use crate::diagnose::KeyPath;
use crate::record::Sees;
use crate::task::raw::{
    ContractName, EnvironmentTable, HiddenName, NetworkValue, RunnerName, VerificationTable,
    VerifierTable,
};
use crate::task::{Hidden, Network, Runner, Service, Verification};

/// What else of a task says how it is verified.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    pub environment: &'a EnvironmentTable,
    pub has_repo: bool,
    pub has_steps: bool,
    /// The verifier's own image holds its tests.
    pub tests_in_image: bool,
    pub ours: bool,
}

pub fn verification(
    table: Option<&VerificationTable>,
    verifier: &VerifierTable,
    context: Context<'_>,
    check: &mut Checker<'_>,
) -> Verification {
    let empty = VerificationTable::default();
    let table = table.unwrap_or(&empty);
    let has_repo = context.has_repo;
    check.no_twice(&[
        ("verification.fail_to_pass", table.fail_to_pass.as_deref()),
        ("verification.pass_to_pass", table.pass_to_pass.as_deref()),
    ]);
    let runner = runner(table, check);
    if context.has_steps && runner != Runner::Script {
        check.wrong(
            "verification",
            "each step is verified by its own tests/test.sh",
            "a task with [[steps]] expects no tests by name",
        );
    }
    let user = check.user("verification.user", table.user.as_ref());
    Verification {
        sees: sees(table, has_repo, check),
        carry: table.carry.clone().unwrap_or_default(),
        include_ignored: table.include_ignored.unwrap_or(false),
        may_change: globs(
            "verification",
            "may_change",
            table.may_change.as_deref(),
            check,
        )
        .unwrap_or_default(),
        hold: table.hidden != Some(HiddenName::Writable),
        fixed: contract(table, has_repo, runner, check),
        services: services(table, check),
        answers: answers(table, check),
        runner,
        enter: None,
        targets: Vec::new(),
        names: None,
        build: command("build", table.build.as_ref(), check),
        command: command("command", table.command.as_ref(), check),
        hidden: hidden(table, runner, context, check),
        altered: altered(table, runner, check),
        fail_to_pass: table.fail_to_pass.clone().unwrap_or_default(),
        pass_to_pass: table.pass_to_pass.clone().unwrap_or_default(),
        resolved_at: resolved_at(table, check),
        user: user.or_else(|| check.user("verifier.user", verifier.user.as_ref())),
        network: network(table, verifier, context, check),
        timeout: check
            .seconds("verifier.timeout_sec", verifier.timeout_sec)
            .unwrap_or(TIMEOUT),
        env: check.env("verifier.env", verifier.env.clone()),
        separate: None,
        collect: collects(
            verifier.collect.as_deref(),
            "verifier.collect".into(),
            check,
        ),
        same_shell: false,
    }
}

/// `host/path`, as one writes it without `https://`.
fn answers(table: &VerificationTable, check: &mut Checker<'_>) -> Vec<String> {
    let answers = table.answers.clone().unwrap_or_default();
    for (index, answer) in answers.iter().enumerate() {
        let host = answer.split('/').next().unwrap_or_default();
        let plain = |sign: char| !sign.is_whitespace() && !sign.is_control();
        let right = !host.is_empty() && !answer.contains("://") && answer.chars().all(plain);
        if !right {
            check.wrong(
                KeyPath::from("verification.answers").index(index),
                format!("`{answer}` is not the beginning of an address"),
                "a host and a path, such as \"forge.example/owner/name\"",
            );
        }
    }
    answers
}

/// Whether the task keeps to another format's contract, and says how it is verified.
fn contract(
    table: &VerificationTable,
    has_repo: bool,
    runner: Runner,
    check: &mut Checker<'_>,
) -> bool {
    let Some(ContractName::Harbor) = table.contract else {
        return false;
    };
    if has_repo {
        check.wrong(
            "verification.contract",
            "a task with a [repo] keeps to no other format's contract",
            "leave one of the two out",
        );
    }
    if runner != Runner::Script {
        check.wrong(
            "verification.contract",
            "Harbor's contract is a tests/test.sh that writes a reward",
            "leave `contract` out to expect tests by name",
        );
    }
    if table.hidden.is_some() && table.sees.is_none() {
        check.wrong(
            "verification.hidden",
            "`hidden` says nothing here without `sees`",
            "without `sees` the strongest way at which the solution passes is looked for",
        );
    }
    table.sees.is_some()
}

fn sees(table: &VerificationTable, has_repo: bool, check: &mut Checker<'_>) -> Sees {
    let sees = match table.sees {
        Some(sees) => sees,
        None if has_repo => Sees::Patch,
        None => Sees::Files,
    };
    if sees == Sees::Patch && !has_repo {
        check.wrong(
            "verification.sees",
            "only a task with a [repo] can be verified by its patch",
            "\"files\" sees all that changed",
        );
    }
    if sees != Sees::Files && table.carry.is_some() {
        check.wrong(
            "verification.carry",
            "`carry` is only for `sees = \"files\"`",
            "",
        );
    }
    if sees != Sees::Patch && table.include_ignored.is_some() {
        check.wrong(
            "verification.include_ignored",
            "`include_ignored` is only for `sees = \"patch\"`",
            "",
        );
    }
    if sees == Sees::Live && table.build.is_some() {
        check.wrong(
            "verification.build",
            "`build` is not for `sees = \"live\"`",
            "what runs there has been built by the agent",
        );
    }
    for (index, root) in table.carry.iter().flatten().enumerate() {
        check.sandbox_path(KeyPath::from("verification.carry").index(index), root);
    }
    sees
}

fn services(table: &VerificationTable, check: &mut Checker<'_>) -> Vec<Service> {
    let given = table.services.as_deref().unwrap_or_default();
    if !given.is_empty() && table.sees != Some(Sees::Live) {
        check.wrong(
            "verification.services",
            "`services` is only for `sees = \"live\"`",
            "elsewhere nothing of the agent's runs on",
        );
    }
    let mut services = Vec::new();
    for (index, service) in given.iter().enumerate() {
        let at = KeyPath::from("verification.services").index(index);
        let command = service.command.clone().unwrap_or_default();
        if command.first().is_none_or(String::is_empty) {
            check.wrong(
                at,
                "a service needs a `command`: its program and arguments",
                "for instance `{ command = [\"nginx\"], port = 80 }`",
            );
        } else if service.port == Some(0) {
            check.wrong(at, "nothing listens on port 0", "");
        } else {
            let port = service.port;
            services.push(Service { command, port });
        }
    }
    services
}

/// The runner that is named, else pytest where tests are expected, else the
/// script, where there is one.
fn runner(table: &VerificationTable, check: &mut Checker<'_>) -> Runner {
    let expects = table
        .fail_to_pass
        .iter()
        .chain(&table.pass_to_pass)
        .flatten()
        .next()
        .is_some();
    let named = |runner: Runner, check: &mut Checker<'_>| {
        if !expects {
            check.wrong(
                "verification.runner",
                format!("the runner \"{}\" needs expected tests", runner.name()),
                "list them in `fail_to_pass` and `pass_to_pass`",
            );
        }
        if runner == Runner::Junit && table.command.is_none() {
            check.wrong(
                "verification.runner",
                "the runner \"junit\" needs a `command` that writes /logs/verifier/junit.xml",
                "",
            );
        }
        if runner == Runner::UnittestScript && !table.command.as_deref().is_some_and(is_script) {
            check.wrong(
                "verification.runner",
                "the runner \"unittest-script\" needs a `command` that names a Python script",
                "for instance `command = \"./tests/runtests.py --parallel 1 {targets}\"` or `\"python -m django test\"`, without quotes and other signs of a shell",
            );
        }
        runner
    };
    match table.runner {
        Some(RunnerName::Pytest) => named(Runner::Pytest, check),
        Some(RunnerName::Script) => {
            if expects {
                check.wrong(
                    "verification.runner",
                    "the runner \"script\" gives a reward and no records of tests",
                    "leave `fail_to_pass` and `pass_to_pass` out, or use \"pytest\"",
                );
            }
            Runner::Script
        }
        Some(RunnerName::Junit) => named(Runner::Junit, check),
        Some(RunnerName::Tap) => named(Runner::Tap, check),
        Some(RunnerName::Go) => named(Runner::Go, check),
        Some(RunnerName::Cargo) => named(Runner::Cargo, check),
        Some(RunnerName::Unittest) => named(Runner::Unittest, check),
        Some(RunnerName::UnittestScript) => named(Runner::UnittestScript, check),
        Some(RunnerName::Functions) => named(Runner::Functions, check),
        Some(RunnerName::Nextest) => named(Runner::Nextest, check),
        Some(RunnerName::Mocha) => named(Runner::Mocha, check),
        Some(RunnerName::Jest) => named(Runner::Jest, check),
        None if expects => Runner::Pytest,
        None => Runner::Script,
    }
}

/// Whether a command's plain words have a script or a module in them.
fn is_script(command: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_@%+=:,./-{} \t".contains(&byte);
    let mut words = command.split_whitespace();
    command.bytes().all(plain) && words.any(|word| word == "-m" || word.ends_with(".py"))
}

fn command(key: &str, value: Option<&String>, check: &mut Checker<'_>) -> Option<String> {
    let value = value?;
    if value.trim().is_empty() || value.contains('\0') {
        let path = format!("verification.{key}");
        check.wrong(
            path.as_str(),
            format!("`{key}` says nothing"),
            "a command for the shell",
        );
    }
    Some(value.clone())
}

/// Where the hidden files are; they exist, and hold what the runner starts.
/// `tests/altered/`, where the verifier does not alter tests by itself.
fn altered(table: &VerificationTable, runner: Runner, check: &mut Checker<'_>) -> Option<PathBuf> {
    let folder = check.dir().join("tests/altered");
    let meant = !matches!(runner, Runner::Pytest | Runner::Script);
    if !folder.is_dir() || !meant {
        return None;
    }
    let apart = table.overlay.as_deref().is_some_and(|overlay| {
        let plain = overlay.trim_start_matches("./").trim_end_matches('/');
        plain != "tests" && !"tests/altered".starts_with(&format!("{plain}/"))
    });
    if table.patch.is_none() && !apart {
        check.file_problem(
            "tests/altered lies among the hidden files: give these a folder of their own, `overlay = \"tests/files\"`",
        );
    }
    Some(folder)
}

fn hidden(
    table: &VerificationTable,
    runner: Runner,
    context: Context<'_>,
    check: &mut Checker<'_>,
) -> Hidden {
    if let Some(patch) = &table.patch {
        if table.overlay.is_some() {
            check.wrong(
                "verification.patch",
                "hidden files are an `overlay` or a `patch`, not both",
                "",
            );
        } else if !context.has_repo {
            check.wrong(
                "verification.patch",
                "`patch` is only for a task with a [repo]",
                "",
            );
        }
        let found = check.inside("verification.patch", patch);
        if found.as_ref().is_some_and(|found| !found.is_file()) {
            check.wrong(
                "verification.patch",
                format!("`{patch}` is not a file"),
                "a patch for git",
            );
        }
        return Hidden::Patch(found.unwrap_or_default());
    }
    let folder = match &table.overlay {
        Some(overlay) => check.inside("verification.overlay", overlay),
        None => Some(check.dir().join("tests")),
    };
    let Some(folder) = folder else {
        return Hidden::Overlay(Vec::new());
    };
    // Steps say for themselves what verifies them.
    if context.tests_in_image || context.has_steps && table.overlay.is_none() {
        return Hidden::Overlay(Vec::new());
    }
    if !folder.is_dir() {
        match &table.overlay {
            Some(overlay) => check.wrong(
                "verification.overlay",
                format!("`{overlay}` is not a folder"),
                "a folder of hidden files",
            ),
            None => check.file_problem(
                "nothing verifies the task: it has neither a tests/ folder nor an `overlay` or a `patch` in [verification]",
            ),
        }
    } else if runner == Runner::Script && !folder.join("test.sh").is_file() {
        check.file_problem(
            "nothing verifies the task: there is no tests/test.sh, and no test is expected in [verification]",
        );
    }
    Hidden::Overlay(vec![folder])
}

fn resolved_at(table: &VerificationTable, check: &mut Checker<'_>) -> f64 {
    let value = table.resolved_at.unwrap_or(1.0);
    if !(0.0..=1.0).contains(&value) {
        check.wrong(
            "verification.resolved_at",
            "`resolved_at` must be from 0 to 1",
            "",
        );
    }
    value
}

/// Ours: what `[verification]` says, else none; imported: what the format says.
fn network(
    table: &VerificationTable,
    verifier: &VerifierTable,
    context: Context<'_>,
    check: &mut Checker<'_>,
) -> Network {
    let ours = context.ours;
    let hosts = verifier.allowed_hosts.as_deref();
    let mode = network_mode("verifier", verifier.network_mode, hosts, check);
    match &table.network {
        Some(NetworkValue::Word(word)) if word == "none" => Network::None,
        Some(NetworkValue::Word(word)) if word == "full" => Network::Full,
        Some(NetworkValue::Word(word)) => {
            check.wrong(
                "verification.network",
                format!("`{word}` is not a network"),
                "\"none\" or \"full\"",
            );
            Network::None
        }
        Some(NetworkValue::Hosts(_)) => {
            check.later("verification.network", "a network of named hosts");
            Network::None
        }
        None if ours => mode.unwrap_or(Network::None),
        None => {
            // What is wrong with it has been told with the agent's side.
            let told = check.problems.len();
            let own = own_network(context.environment, "environment", check);
            check.problems.truncate(told);
            mode.or(own).unwrap_or(default_network(ours))
        }
    }
}
