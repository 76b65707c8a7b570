//! What a report says, whatever wrote it: records by id, what stands for whole
//! groups of tests, and whether the report is whole.
//!
//! Owns the rule from an expected name to records. Must not know any format.

use std::collections::{BTreeMap, BTreeSet};

use super::super::junit::{MAX_CASES, MAX_MESSAGE_BYTES, badness, cut};
use super::{FormatError, MAX_ABOVE, MAX_NAME_BYTES};
use crate::record::TestState;

/// What became of one id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Of several records of one id the worst.
    pub state: TestState,
    /// Milliseconds; of several records their sum.
    pub ms: u64,
    pub message: Option<String>,
    /// How many records of its own it has; none where only what stands above it is
    /// recorded. More than in the reference run is a contradiction, whatever they say.
    pub times: usize,
}

impl Record {
    /// A record of one event; the message is cut, and none where it is blank.
    pub(super) fn new(state: TestState, ms: u64, message: &str) -> Self {
        let plain = console::strip_ansi_codes(message);
        let message = cut(plain.trim(), MAX_MESSAGE_BYTES);
        Self {
            state,
            ms,
            message: (!message.is_empty()).then_some(message),
            times: 1,
        }
    }

    fn merge(&mut self, other: Record) {
        let ms = self.ms.saturating_add(other.ms);
        let times = self.times.saturating_add(other.times);
        if badness(other.state) > badness(self.state) {
            *self = other;
        }
        self.ms = ms;
        self.times = times;
    }
}

/// A whole report.
///
/// An expected name finds its records by this rule: the ids that are this name;
/// where there is none, the ids that have it as another spelling (each format says
/// which); where there is none, the tests of the container (file, class, package)
/// of this name. Every record found must have passed. [`Report::mapping`] says
/// which ids these are: frozen by the reference run, they keep a name from being
/// met by another test that is merely called alike ([`Report::of_ids`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    records: BTreeMap<String, Record>,
    spellings: BTreeMap<String, BTreeSet<String>>,
    containers: BTreeMap<String, BTreeSet<String>>,
    /// What went wrong above tests: a build, an import, a hook.
    groups: BTreeMap<String, Record>,
    separators: &'static [&'static str],
    /// Whether the runner fails for a test that passed although it should not; none
    /// where that is not known.
    xpass_fails: Option<bool>,
    complete: Result<(), String>,
}

impl Report {
    /// Whether nothing of the report is missing, by what its format says of its own
    /// length and end; else why not. A report that is not whole gives no pass.
    pub fn complete(&self) -> Result<(), &str> {
        match &self.complete {
            Ok(()) => Ok(()),
            Err(reason) => Err(reason),
        }
    }

    /// What became of an expected name, none where nothing is recorded of it.
    pub fn of(&self, name: &str) -> Option<Record> {
        let ids = self.ids_of(name);
        let mut worst = self.worst(name, ids.iter().copied());
        if !self.records.contains_key(name) && !self.spellings.contains_key(name) {
            for group in self.groups_in(name) {
                lower(&mut worst, group);
            }
        }
        worst
    }

    /// What became of a name that the reference run mapped to these ids: none where
    /// any of them has no record.
    pub fn of_ids(&self, name: &str, ids: &BTreeSet<String>) -> Option<Record> {
        if ids.iter().all(|id| self.records.contains_key(id)) {
            self.worst(name, ids.iter().map(String::as_str))
        } else {
            self.worst(name, std::iter::empty())
        }
    }

    /// The ids that an expected name maps to, none where it maps to nothing.
    pub fn ids_of(&self, name: &str) -> BTreeSet<&str> {
        if let Some((id, _)) = self.records.get_key_value(name) {
            return BTreeSet::from([id.as_str()]);
        }
        let found = self.spellings.get(name);
        let ids = found.or_else(|| self.containers.get(name));
        ids.into_iter().flatten().map(String::as_str).collect()
    }

    /// What each name maps to, as the reference run freezes it.
    pub fn mapping<'a>(
        &self,
        names: impl IntoIterator<Item = &'a str>,
    ) -> BTreeMap<String, BTreeSet<String>> {
        let owned = |ids: BTreeSet<&str>| ids.into_iter().map(str::to_owned).collect();
        let names = names.into_iter();
        names
            .map(|name| (name.to_owned(), owned(self.ids_of(name))))
            .collect()
    }

    /// What became of everything, where no names are expected: every id, and every
    /// group that is no id, each with what stands above it; sorted.
    pub fn all(&self) -> BTreeMap<&str, Record> {
        let names = self.records.keys().chain(self.groups.keys());
        let records = names.filter_map(|name| {
            let record = self.worst(name, std::iter::once(name.as_str()))?;
            Some((name.as_str(), record))
        });
        records.collect()
    }

    /// Every id with its own record, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Record)> {
        self.records
            .iter()
            .map(|(id, record)| (id.as_str(), record))
    }

    /// What went wrong above tests, by the name of what it stands for.
    pub fn groups(&self) -> impl Iterator<Item = (&str, &Record)> {
        self.groups.iter().map(|(id, record)| (id.as_str(), record))
    }

    /// Whether nothing at all was recorded.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.groups.is_empty()
    }

    /// Whether the runner can have ended as failed, or not, by what it recorded.
    pub fn agrees(&self, failed: bool) -> bool {
        let any = |is: fn(TestState) -> bool| {
            let mut all = self.records.values().chain(self.groups.values());
            all.any(|record| is(record.state))
        };
        if any(is_bad) {
            return failed;
        }
        match (any(|state| state == TestState::Xpassed), self.xpass_fails) {
            (true, None) => true,
            (true, Some(fails)) => failed == fails,
            (false, _) => !failed,
        }
    }

    /// The same report, not whole for this reason unless it has one already.
    pub(super) fn refused(mut self, reason: &str) -> Self {
        self.complete = self.complete.and_then(|()| Err(reason.to_owned()));
        self
    }

    /// The worst of the records of these ids and of what stands above the name or
    /// above any of them.
    fn worst<'a>(&'a self, name: &'a str, ids: impl Iterator<Item = &'a str>) -> Option<Record> {
        let mut worst: Option<Record> = None;
        let mut above: BTreeSet<&str> = self.above(name).collect();
        for id in ids {
            above.extend(self.above(id));
            if let Some(record) = self.records.get(id) {
                merge_into(&mut worst, record);
            }
        }
        for group in above.into_iter().filter_map(|name| self.groups.get(name)) {
            lower(&mut worst, group);
        }
        worst
    }

    /// The groups in a container.
    fn groups_in<'a>(&'a self, container: &'a str) -> impl Iterator<Item = &'a Record> {
        let inside = move |name: &str| {
            let rest = name.strip_prefix(container);
            rest.is_some_and(|rest| self.separators.iter().any(|mark| rest.starts_with(mark)))
        };
        let known = self.containers.contains_key(container);
        let groups = self.groups.iter();
        groups
            .filter(move |(name, _)| known && inside(name))
            .map(|(_, record)| record)
    }

    /// The names of groups that this name is in, or is.
    fn above<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let separators = self.separators.iter();
        let cuts =
            separators.flat_map(move |separator| name.match_indices(separator).take(MAX_ABOVE));
        let above = cuts.map(|(at, _)| &name[..at]);
        std::iter::once(name)
            .chain(above)
            .filter(|name| self.groups.contains_key(*name))
    }
}

/// What stands above a test is no record of the test's own.
fn lower(worst: &mut Option<Record>, group: &Record) {
    let group = Record {
        ms: 0,
        times: 0,
        ..group.clone()
    };
    merge_into(worst, &group);
}

fn merge_into(worst: &mut Option<Record>, record: &Record) {
    match worst {
        Some(worst) => worst.merge(record.clone()),
        None => *worst = Some(record.clone()),
    }
}

/// Whether every runner exits as failed for it.
pub(super) fn is_bad(state: TestState) -> bool {
    matches!(
        state,
        TestState::Failed | TestState::Error | TestState::Missing
    )
}

/// A report in the making.
pub(super) struct Builder {
    report: Report,
    count: usize,
}

impl Builder {
    /// `separators` part a name into what stands above it and the rest.
    pub fn new(separators: &'static [&'static str]) -> Self {
        Self {
            report: Report {
                records: BTreeMap::new(),
                spellings: BTreeMap::new(),
                containers: BTreeMap::new(),
                groups: BTreeMap::new(),
                separators,
                xpass_fails: Some(false),
                complete: Ok(()),
            },
            count: 0,
        }
    }

    /// The runner fails for a test that passed although it should not.
    pub fn xpass_fails(mut self) -> Self {
        self.report.xpass_fails = Some(true);
        self
    }

    /// It depends on the runner whether it fails for such a test.
    pub fn xpass_may_fail(mut self) -> Self {
        self.report.xpass_fails = None;
        self
    }

    /// Adds a record of an id.
    pub fn add(&mut self, id: &str, record: Record) -> Result<(), FormatError> {
        self.room(id)?;
        match self.report.records.get_mut(id) {
            Some(earlier) => earlier.merge(record),
            None => {
                self.report.records.insert(id.to_owned(), record);
            }
        }
        Ok(())
    }

    /// Another spelling of an id.
    pub fn spell(&mut self, id: &str, spelling: &str) {
        if spelling != id && !spelling.is_empty() {
            let ids = self.report.spellings.entry(spelling.to_owned());
            ids.or_default().insert(id.to_owned());
        }
    }

    /// An id is one of a container's tests.
    pub fn within(&mut self, id: &str, container: &str) {
        if !container.is_empty() {
            let ids = self.report.containers.entry(container.to_owned());
            ids.or_default().insert(id.to_owned());
        }
    }

    /// Something above tests did not pass.
    pub fn group(&mut self, name: &str, record: Record) -> Result<(), FormatError> {
        self.room(name)?;
        match self.report.groups.get_mut(name) {
            Some(earlier) => earlier.merge(record),
            None => {
                self.report.groups.insert(name.to_owned(), record);
            }
        }
        Ok(())
    }

    /// Whether something that went wrong stands above a name.
    pub fn is_in_group(&self, name: &str) -> bool {
        name.len() <= MAX_NAME_BYTES && self.report.above(name).next().is_some()
    }

    /// The report is not whole; the first reason is kept.
    pub fn incomplete(&mut self, reason: impl Into<String>) {
        if self.report.complete.is_ok() {
            self.report.complete = Err(cut(&reason.into(), MAX_MESSAGE_BYTES));
        }
    }

    /// Counts that must be equal: what the report says of itself and what it has.
    pub fn expect_count(&mut self, what: &str, said: u64, found: usize) {
        if said != found as u64 {
            self.incomplete(format!(
                "the report counts {said} {what}, but has records of {found}"
            ));
        }
    }

    pub fn finish(self) -> Report {
        self.report
    }

    fn room(&mut self, name: &str) -> Result<(), FormatError> {
        if name.len() > MAX_NAME_BYTES {
            return Err(FormatError::NameTooLong);
        }
        if self.count == MAX_CASES {
            return Err(FormatError::TooManyRecords);
        }
        self.count += 1;
        Ok(())
    }
}
