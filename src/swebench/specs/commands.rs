//! What an eval script is made from, whoever says it.

use super::Spec;

/// The repository whose tests are named as modules.
const DJANGO: &str = "django/django";
/// The one whose test command is made from the test files.
const CALYPSO: &str = "Automattic/wp-calypso";
/// The one that has a single test file.
const HUMANEVAL: &str = "swe-bench/humaneval";

/// Commands of an environment: out of a table, or a specification of the user's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commands {
    pub kind: Kind,
    /// Leaves out the two lines that activate the conda environment `testbed`: for an
    /// image without one. No table says so.
    pub no_env: bool,
    /// Run in the shell of the tests, before all else.
    pub eval_commands: Vec<String>,
    /// Run again once the change is there. For [`Kind::Common`] no table says so.
    pub install: Option<String>,
    /// Run before the tests; for [`Kind::Common`] behind the test patch. For
    /// [`Kind::Python`] no table says so.
    pub build: Vec<String>,
    /// What runs the tests; the directives go behind the last.
    pub test: Vec<String>,
    pub directives: Directives,
}

/// The order of an eval script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Repositories in Python.
    Python,
    /// All others.
    Common,
}

/// How the tests of a test patch are named to the test command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Directives {
    /// Not at all: the command knows.
    None,
    /// By the paths of its files.
    Paths,
    /// As modules below `tests/`: `admin_views.tests`.
    Modules,
    /// Always these.
    Fixed(Vec<String>),
    /// By a command for each of its files, which depends on the version of Node; then
    /// [`Commands::test`] is not used.
    Calypso { node: String },
}

impl Commands {
    /// Nothing but a test command, in this order.
    pub fn new(kind: Kind, test: impl Into<String>) -> Self {
        Self {
            kind,
            no_env: false,
            eval_commands: Vec::new(),
            install: None,
            build: Vec::new(),
            test: vec![test.into()],
            directives: match kind {
                Kind::Python => Directives::Paths,
                Kind::Common => Directives::None,
            },
        }
    }

    /// What a table's specification of this repository, version and class of language
    /// (`py`, `js`, …) says. [`Self::test`] is empty where it has no test command.
    pub fn of_spec(repo: &str, version: &str, ext: &str, spec: &Spec) -> Self {
        let python = ext == "py";
        let directives = match repo {
            CALYPSO => Directives::Calypso {
                node: version.to_owned(),
            },
            HUMANEVAL => Directives::Fixed(vec!["test.py".to_owned()]),
            DJANGO => Directives::Modules,
            _ if python => Directives::Paths,
            _ => Directives::None,
        };
        // The other order installs and activates nothing, the first one builds nothing.
        Self {
            kind: if python { Kind::Python } else { Kind::Common },
            no_env: false,
            eval_commands: if python {
                spec.eval_commands.clone()
            } else {
                Vec::new()
            },
            install: (python && !spec.install.is_empty()).then(|| spec.install.join("\n")),
            build: if python {
                Vec::new()
            } else {
                spec.build.clone()
            },
            test: spec.test_cmd.clone(),
            directives,
        }
    }
}
