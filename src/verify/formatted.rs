//! Verification by a runner's own report, for runners other than pytest.
//!
//! Owns the way from a format's start command to a judgement: what is whole, what
//! the process ended with, which record an expected name has. Must not know what a
//! report's bytes mean (`super::formats` does).

use super::VerifyError;
use super::channel;
use super::entered::entered;
use super::formats::{Channel, Format, Report, stream};
use super::hands::{Found, Ran, last_words};
use super::judge::{self, Judged};
use super::junit::MAX_REPORT_BYTES;
use super::keep::bytes;
use super::pytest::{Record, Records};
use super::reference::Shape;
use super::steps::Steps;
use crate::record::{Evidence, Reason};
use crate::sandbox::{Captured, Ended, Exec, RECORDS_FD};

impl Steps<'_> {
    /// Runs the tests and judges by the report.
    pub(super) async fn formatted(&self, format: Format) -> Result<Judged, VerifyError> {
        let verification = &self.task.verification;
        let cwd = self
            .place
            .work_tree
            .as_deref()
            .unwrap_or(&self.place.hidden_root);
        let targets = match verification.targets.is_empty() {
            true => format.targets(self.task.expected().map(|(id, _)| id)),
            false => verification.targets.clone(),
        };
        let Some(start) = format.command(verification.command.as_deref(), &targets) else {
            let judged = judge::nothing(self.task, Evidence::Records);
            return Ok(judged.unresolved(
                Reason::NoVerdict,
                "the task gives no command that says what to start",
            ));
        };
        let descriptor = RECORDS_FD.to_string();
        let argv = start.argv.into_iter().map(|word| match word.as_str() {
            stream::DESCRIPTOR => descriptor.clone(),
            stream::FOLDER => cwd.to_owned(),
            _ => word,
        });
        let records_bytes = match start.channel {
            Channel::Descriptor => channel::MAX_BYTES,
            Channel::Stdout | Channel::File(_) => 0,
        };
        let exec = Exec {
            cwd: Some(cwd.to_owned()),
            env: verification.env.clone(),
            records_bytes,
            ..Exec::new(entered(verification, argv.collect()))
        };
        let ran = self.hands.execute("run the tests", exec).await?;
        self.hands.keep_outputs(&ran)?;
        self.hands.settle().await?;
        let told = self.told(format, start.channel, &ran).await?;
        let report =
            told.and_then(|told| format.read(&told, cwd).map_err(|error| error.to_string()));
        let judged = match (report, &ran) {
            (Ok(report), Ran::Ended(output)) => self.by_format(&report, output.ended),
            // What was told until then is kept; it resolves nothing.
            (Ok(report), Ran::TimedOut(_)) => self.by_records_of(&report),
            (Ok(report), Ran::NoProgram(_)) => self.by_format(&report, Ended::Unknown),
            (Err(problem), _) => {
                let judged = judge::nothing(self.task, Evidence::Records);
                let said = format!("{problem}{}", last_words(&ran));
                judged.unresolved(Reason::NoVerdict, &said)
            }
        };
        Ok(self.unless_timed_out(judged, &ran))
    }

    /// What the runner told, by the strongest way that its format has.
    async fn told(
        &self,
        format: Format,
        channel: Channel,
        ran: &Ran,
    ) -> Result<Result<Vec<u8>, String>, VerifyError> {
        let whole = |captured: &Captured| match captured.cut {
            0 => Ok(captured.head.clone()),
            cut => Err(format!("{cut} bytes of the report were cut")),
        };
        let output = match ran {
            Ran::Ended(output) | Ran::TimedOut(output) => output,
            Ran::NoProgram(_) => return Ok(Err("the runner left no report".to_owned())),
        };
        match channel {
            Channel::Descriptor => {
                let name = format!("{}.jsonl", format.name());
                self.hands.keep(&name, &bytes(&output.records))?;
                Ok(whole(&output.records))
            }
            Channel::Stdout => Ok(whole(&output.stdout)),
            Channel::File(path) => {
                let found = self.hands.find(path, MAX_REPORT_BYTES).await?;
                let name = path.rsplit('/').next().unwrap_or(path);
                self.hands.keep_found(name, &found)?;
                Ok(match found {
                    Found::File(content) => Ok(content),
                    Found::Nothing => Err("the runner left no report".to_owned()),
                    Found::Refused(message) => Err(format!("the report cannot be read: {message}")),
                })
            }
        }
    }

    fn by_format(&self, report: &Report, ended: Ended) -> Judged {
        if let Err(reason) = report.complete() {
            let judged = judge::nothing(self.task, Evidence::Records);
            return judged.unresolved(
                Reason::NoVerdict,
                &format!("the report is not whole: {reason}"),
            );
        }
        let mut judged = self.by_records_of(report);
        let exit = match ended {
            Ended::Exited(code) => code,
            _ => -1,
        };
        judged.shape = Some(Shape {
            exit,
            mapping: report.mapping(self.task.expected().map(|(name, _)| name)),
            ..Shape::default()
        });
        let known = self.place.shape.as_ref();
        let usual = exit != 0 && known.is_some_and(|shape| shape.exit == exit);
        let agrees = usual || report.agrees(exit != 0);
        match judged.reason {
            None if !agrees => judged.unresolved(
                Reason::RecordsContradict,
                &format!("the runner ended with {exit}, which its report does not say"),
            ),
            _ => judged,
        }
    }

    /// Which expected names passed by the records that there are, whole or not.
    fn by_records_of(&self, report: &Report) -> Judged {
        let known = self.place.shape.as_ref();
        let mut records = Records::default();
        for (name, _) in self.task.expected() {
            // Where the reference run says which ids a name stands for, these and no
            // others do.
            let mapped = known.and_then(|shape| shape.mapping.get(name));
            let found = match mapped {
                Some(ids) if !ids.is_empty() => report.of_ids(name, ids),
                _ => report.of(name),
            };
            if let Some(found) = found {
                let record = Record {
                    state: found.state,
                    ms: found.ms,
                    message: found.message,
                };
                records.put(name.to_owned(), record);
            }
        }
        if self.task.verification.names.is_some() {
            // Those that no expected name has are what others may be spellings of.
            for (id, found) in report.all() {
                if records.of(id).is_none() {
                    let record = Record {
                        state: found.state,
                        ms: found.ms,
                        message: found.message,
                    };
                    records.put(id.to_owned(), record);
                }
            }
        }
        judge::by_records(self.task, &records, &[], &self.place.usual)
    }
}
