//! What is odd about a data set and no error: known flaws of published rows, told once
//! per kind and not row by row.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use super::checks::shortened;
use super::{Row, patch};
use crate::diagnose::printable;

/// A kind of oddity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OddityKind {
    /// Ids that end inside `[…`.
    CutIds,
    /// pytest's progress, taken for an id.
    ProgressIds,
    /// First lines of docstrings in place of the names of Django's tests.
    DocstringIds,
    /// Ids of nothing but blanks.
    BlankIds,
    /// Ids that stand twice in a list.
    RepeatedIds,
    /// Ids that stand in both lists.
    IdsInBoth,
    NoFailToPass,
    NoPassToPass,
    NoStatement,
    NoPatch,
    NoTestPatch,
    /// The reference change or the tests' without its last line's end.
    CutPatch,
    /// Hunks with another number of lines than they say.
    DamagedPatch,
    /// Binary files differ, and the patch does not say how.
    PatchLacksBinary,
    /// Tasks of a repository in a split that it does not publish.
    Unpublished,
}

/// Something odd, and how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Oddity {
    pub kind: OddityKind,
    /// How many ids of tests; 0 where the kind is not about ids.
    pub ids: usize,
    /// In how many instances.
    pub instances: usize,
    /// The first of them: the instance, and the id where the kind is about ids.
    pub example: String,
}

/// Whether an id is cut off inside `[…`: it has more `[` than `]`.
pub fn is_cut(id: &str) -> bool {
    let (mut open, mut closed) = (0usize, 0usize);
    for byte in id.bytes() {
        open += usize::from(byte == b'[');
        closed += usize::from(byte == b']');
    }
    open > closed
}

/// Whether an id is pytest's progress, such as `[100%]` or `[ 57%]`.
pub fn is_progress(id: &str) -> bool {
    let inner = id.strip_prefix('[').and_then(|id| id.strip_suffix("%]"));
    let digits = inner.map(str::trim_start);
    digits.is_some_and(|digits| {
        !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit())
    })
}

/// Whether an id of a Django test is the first line of its docstring: it is not a name
/// with a dotted path in parentheses, `test_x (app.tests.Case)`.
pub fn is_docstring(id: &str) -> bool {
    let name = |text: &str| {
        !text.is_empty()
            && text
                .chars()
                .all(|sign| sign.is_alphanumeric() || sign == '_')
    };
    let parts = id
        .strip_suffix(')')
        .and_then(|id| id.split_once(" ("))
        .filter(|(test, path)| name(test) && path.split('.').all(name));
    parts.is_none()
}

/// Oddities being counted.
#[derive(Default)]
pub struct Tally {
    kinds: BTreeMap<OddityKind, Oddity>,
}

impl Tally {
    /// Counts what is odd about a row.
    pub fn row(&mut self, row: &Row) {
        self.ids(row);
        let mut whole = |is: bool, kind| {
            if is {
                self.note(kind, 0, &row.instance_id, None);
            }
        };
        whole(row.fail_to_pass.is_empty(), OddityKind::NoFailToPass);
        whole(row.pass_to_pass.is_empty(), OddityKind::NoPassToPass);
        whole(
            row.problem_statement.trim().is_empty(),
            OddityKind::NoStatement,
        );
        whole(row.patch.trim().is_empty(), OddityKind::NoPatch);
        // A change that makes a bug is tested by the tests that are there.
        let no_tests = row.test_patch.trim().is_empty() && !row.reversed;
        whole(no_tests, OddityKind::NoTestPatch);
        let [patch, tests] = [&row.patch, &row.test_patch].map(|text| patch::look(text));
        whole(patch.cut || tests.cut, OddityKind::CutPatch);
        whole(patch.damaged || tests.damaged, OddityKind::DamagedPatch);
        whole(
            patch.lacks_binary || tests.lacks_binary,
            OddityKind::PatchLacksBinary,
        );
    }

    fn ids(&mut self, row: &Row) {
        let lists = [&row.fail_to_pass, &row.pass_to_pass];
        let all = || lists.into_iter().flatten().map(String::as_str);
        self.count(OddityKind::CutIds, row, all().filter(|id| is_cut(id)));
        self.count(
            OddityKind::ProgressIds,
            row,
            all().filter(|id| is_progress(id)),
        );
        self.count(
            OddityKind::BlankIds,
            row,
            all().filter(|id| id.trim().is_empty()),
        );
        if row.repo == "django/django" {
            self.count(
                OddityKind::DocstringIds,
                row,
                all().filter(|id| is_docstring(id)),
            );
        }
        let mut fail = HashSet::with_capacity(row.fail_to_pass.len());
        let mut pass = HashSet::with_capacity(row.pass_to_pass.len());
        let mut again: Vec<&str> = Vec::new();
        let mut both: Vec<&str> = Vec::new();
        for id in &row.fail_to_pass {
            if !fail.insert(id.as_str()) {
                again.push(id);
            }
        }
        for id in &row.pass_to_pass {
            if !pass.insert(id.as_str()) {
                again.push(id);
            } else if fail.contains(id.as_str()) {
                both.push(id);
            }
        }
        self.count(OddityKind::RepeatedIds, row, again.into_iter());
        self.count(OddityKind::IdsInBoth, row, both.into_iter());
    }

    fn count<'r>(&mut self, kind: OddityKind, row: &Row, mut ids: impl Iterator<Item = &'r str>) {
        if let Some(first) = ids.next() {
            self.note(kind, 1 + ids.count(), &row.instance_id, Some(first));
        }
    }

    /// Counts one instance with so many ids.
    pub fn note(&mut self, kind: OddityKind, ids: usize, instance: &str, id: Option<&str>) {
        let oddity = self.kinds.entry(kind).or_insert_with(|| {
            let id = id.map_or_else(String::new, |id| format!(": {}", shortened(id)));
            Oddity {
                kind,
                ids: 0,
                instances: 0,
                example: printable(&format!("{instance}{id}")),
            }
        });
        oddity.ids += ids;
        oddity.instances += 1;
    }

    /// Of these rows alone.
    pub fn of<'r>(rows: impl IntoIterator<Item = &'r Row>) -> Self {
        let mut tally = Self::default();
        for row in rows {
            tally.row(row);
        }
        tally
    }

    /// What was odd, in the order of the kinds.
    pub fn finish(self) -> Vec<Oddity> {
        self.kinds.into_values().collect()
    }
}

/// A sentence for people, without its full stop.
impl fmt::Display for Oddity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids = counted(self.ids, "test id");
        let instances = counted(self.instances, "instance");
        let (is, ends) = match self.ids {
            1 => ("is", "ends"),
            _ => ("are", "end"),
        };
        let has = if self.instances == 1 { "has" } else { "have" };
        match self.kind {
            OddityKind::CutIds => write!(f, "{ids} of {instances} {ends} inside `[…`"),
            OddityKind::ProgressIds => {
                write!(
                    f,
                    "{ids} of {instances} {is} pytest's progress, and no test"
                )
            }
            OddityKind::DocstringIds => {
                write!(f, "{ids} of {instances} {is} docstrings of Django's tests")
            }
            OddityKind::BlankIds => write!(f, "{ids} of {instances} {is} blank"),
            OddityKind::RepeatedIds => {
                let stand = if self.ids == 1 { "stands" } else { "stand" };
                write!(f, "{ids} of {instances} {stand} twice in a list")
            }
            OddityKind::IdsInBoth => {
                let stand = if self.ids == 1 { "stands" } else { "stand" };
                write!(
                    f,
                    "{ids} of {instances} {stand} in FAIL_TO_PASS and in PASS_TO_PASS"
                )
            }
            OddityKind::NoFailToPass => {
                write!(
                    f,
                    "{instances} {has} no FAIL_TO_PASS, so nothing shows a fix"
                )
            }
            OddityKind::NoPassToPass => {
                write!(
                    f,
                    "{instances} {has} no PASS_TO_PASS, so nothing shows a break"
                )
            }
            OddityKind::NoStatement => {
                write!(f, "{instances} {has} no problem statement to tell an agent")
            }
            OddityKind::NoPatch => write!(f, "{instances} {has} no reference change"),
            OddityKind::NoTestPatch => write!(f, "{instances} {has} no patch of tests"),
            OddityKind::CutPatch => {
                write!(f, "{instances} {has} a patch without its final newline")
            }
            OddityKind::DamagedPatch => write!(
                f,
                "{instances} {has} a patch with a hunk of another length than it says"
            ),
            OddityKind::PatchLacksBinary => write!(
                f,
                "{instances} {has} a patch that leaves out what changed in a binary file"
            ),
            OddityKind::Unpublished => write!(
                f,
                "{instances} {has} a split that sweb.yaml does not publish; left out"
            ),
        }?;
        write!(f, " (such as {})", self.example)
    }
}

fn counted(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}
