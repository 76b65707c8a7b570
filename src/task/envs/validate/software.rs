//! What is installed in an environment: interpreter, packages of the distribution, and
//! those of pip or npm.

use std::path::Path;

use super::{MOST_TEXT, Table};
use crate::diagnose::{Problem, SourceText};
use crate::task::envs::Interpreter;
use crate::task::envs::raw::EnvironmentTable;
use crate::task::envs::set::read_text;

impl Table<'_, '_> {
    pub(super) fn interpreter(&mut self, table: &EnvironmentTable) -> Option<Interpreter> {
        let parts = |text: &str| -> Option<Vec<u32>> {
            let number = |part: &str| {
                let digits = part.bytes().all(|byte| byte.is_ascii_digit());
                (digits && part.len() <= 4)
                    .then(|| part.parse().ok())
                    .flatten()
            };
            text.split('.').take(4).map(number).collect()
        };
        match (&table.python, &table.node) {
            (None, None) => None,
            (Some(_), Some(_)) => {
                let label = "the other one comes with `apt` or with the base";
                self.wrong(
                    "node",
                    "an environment has a `python` or a `node`, not both",
                    label,
                );
                None
            }
            (Some(python), None) => {
                if !matches!(parts(python).as_deref(), Some([3, _] | [3, _, _])) {
                    let message = format!("`{python}` is no version of Python");
                    self.wrong("python", message, "\"3.9\", or \"3.9.2\"");
                }
                Some(Interpreter::Python(python.clone()))
            }
            (None, Some(node)) => {
                if !matches!(parts(node).as_deref(), Some([_] | [_, _] | [_, _, _])) {
                    let message = format!("`{node}` is no version of Node");
                    self.wrong("node", message, "\"20\", or \"20.11\"");
                }
                Some(Interpreter::Node(node.clone()))
            }
        }
    }

    pub(super) fn apt(&mut self, table: &EnvironmentTable) -> Vec<String> {
        let apt = table.apt.clone().unwrap_or_default();
        self.bounded("apt", apt.len());
        for (index, package) in apt.iter().enumerate() {
            let path = self.key("apt").index(index);
            let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.:~=*_/".contains(&byte);
            if self.check.word(&path, "a package", package) && !package.bytes().all(inner) {
                let message = format!("`{package}` is no package of the distribution");
                self.check
                    .wrong(&path, message, "\"name\", or \"name=version\"");
            }
        }
        apt
    }

    pub(super) fn packages(
        &mut self,
        table: &EnvironmentTable,
        interpreter: Option<&Interpreter>,
    ) -> Vec<String> {
        let packages = table.packages.clone().unwrap_or_default();
        self.bounded("packages", packages.len());
        if interpreter.is_none() && !packages.is_empty() {
            let label = "they are pip's with `python`, npm's with `node`";
            self.wrong("packages", "`packages` of which program?", label);
        }
        for (index, package) in packages.iter().enumerate() {
            let path = self.key("packages").index(index);
            self.check.word(&path, "a package", package);
        }
        let pinned = |package: &&String| match interpreter {
            Some(Interpreter::Node(_)) => package.get(1..).is_some_and(|rest| rest.contains('@')),
            _ => package.contains("==") || package.contains('@'),
        };
        let loose: Vec<&str> = packages
            .iter()
            .filter(|package| !pinned(package))
            .map(String::as_str)
            .collect();
        if !loose.is_empty() {
            let shown = loose.iter().take(5).copied().collect::<Vec<_>>().join(", ");
            let more = match loose.len() {
                ..=5 => String::new(),
                all => format!(" and {} more", all - 5),
            };
            let path = self.key("packages");
            self.check.warn(
                &path,
                format!(
                    "{shown}{more}: no version is named, so it is that of the day of the build"
                ),
            );
        }
        packages
    }

    pub(super) fn requirements(
        &mut self,
        table: &EnvironmentTable,
        interpreter: Option<&Interpreter>,
        folder: &Path,
    ) -> Vec<String> {
        let Some(name) = &table.requirements else {
            return Vec::new();
        };
        if !matches!(interpreter, Some(Interpreter::Python(_))) {
            self.wrong(
                "requirements",
                "`requirements` are pip's",
                "`python` is missing",
            );
            return Vec::new();
        }
        let file = folder.join(name);
        let text = match read_text(&file, MOST_TEXT as u64) {
            Ok(text) => SourceText::new(file.display().to_string(), text),
            Err(error) => {
                let path = self.key("requirements");
                let message = format!("`{name}` cannot be used");
                self.check.wrong(&path, message, error.to_string());
                return Vec::new();
            }
        };
        let (lines, problems) = requirement_lines(&text);
        self.check.problems.extend(problems);
        lines
    }
}

/// The lines of a requirements file that say something; it has to stand alone, since
/// nothing that it refers to is there when it is read.
fn requirement_lines(text: &SourceText) -> (Vec<String>, Vec<Problem>) {
    let (mut lines, mut problems) = (Vec::new(), Vec::new());
    let mut offset = 0;
    for raw in text.text.split_inclusive('\n') {
        let span = offset..offset + raw.trim_end().len();
        offset += raw.len();
        let line = raw.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let leads_away = [
            "-r",
            "-c",
            "-e",
            "--requirement",
            "--constraint",
            "--editable",
            ".",
        ];
        let label = if leads_away.iter().any(|start| line.starts_with(start)) {
            "what it refers to is not there in a build; write it out"
        } else if line.chars().any(|sign| sign.is_control() && sign != '\t') {
            "a control character"
        } else {
            lines.push(line.to_owned());
            continue;
        };
        if problems.len() < 10 {
            let spot = text.spot(span, label);
            problems.push(Problem::new("a requirement that cannot be used").at(spot));
        }
    }
    (lines, problems)
}
