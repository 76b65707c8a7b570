//! The steps of a verification, inside one pristine sandbox.
//!
//! Owns their order, their share of the verifier's time, and what is kept of
//! them. Must not know what a record or a reward is worth (`super::judge` does).

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use super::entered::{entered, shell};
use super::hands::{Found, Hands, OUTPUT_BYTES, Ran, ending, last_words};
use super::judge::{self, Judged};
use super::junit::{self, MAX_REPORT_BYTES};
use super::keep::{bytes, last_line, last_lines};
use super::pytest::Records;
use super::ready::{NotReady, wait_until_ready};
use super::reward::{self, MAX_REWARD_BYTES};
use super::{CALLS, Place, VerifyError, channel, formats, held, hidden, pytest};
use crate::record::{Evidence, Reason, Sees};
use crate::sandbox::{Exec, Sandbox, User};
use crate::task::{Format, Runner, Task};

const LOGS: &str = "/logs/verifier";
/// Names the parser whose spelling expected names have.
pub(super) const NAMES: &str = "names.txt";
const SCRIPT: &str = "(/tests/test.sh) > /logs/verifier/test-stdout.txt 2>&1";

/// One verification under way.
pub(super) struct Steps<'a> {
    pub(super) task: &'a Task,
    pub(super) place: &'a Place,
    pub(super) hands: Hands<'a>,
}

impl<'a> Steps<'a> {
    pub(super) fn new(
        sandbox: &'a dyn Sandbox,
        task: &'a Task,
        place: &'a Place,
        log_dir: &'a Path,
    ) -> Self {
        let user = match &task.verification.user {
            Some(name) => User::Named(name.clone()),
            None => User::Default,
        };
        let hands = Hands {
            sandbox,
            user,
            started: Instant::now(),
            limit: task.verification.timeout,
            log_dir,
            goes_on: place.goes_on,
        };
        Self { task, place, hands }
    }

    /// Runs the agent's code, before any hidden file exists and without the
    /// verifier's environment; a judgement where that ends the verification.
    pub(super) async fn build(&self) -> Result<Option<Judged>, VerifyError> {
        let Some(build) = &self.task.verification.build else {
            return Ok(None);
        };
        let argv = shell(&self.task.verification, build);
        let ran = self
            .hands
            .run(
                "build the change",
                argv,
                self.place.work_tree.clone(),
                BTreeMap::new(),
            )
            .await?;
        if let Ran::Ended(output) | Ran::TimedOut(output) = &ran {
            let mut log = bytes(&output.stdout);
            log.extend(bytes(&output.stderr));
            self.hands.keep("build.log", &log)?;
        }
        let unresolved = |reason, message: &str| {
            let judged = judge::nothing(self.task, self.evidence());
            Ok(Some(judged.unresolved(reason, message)))
        };
        match ran {
            Ran::Ended(output) if output.ended.success() => Ok(None),
            Ran::Ended(output) => {
                let last = last_lines(&[&output.stdout, &output.stderr], 5);
                let message = format!("the build {}: {last}", ending(output.ended));
                unresolved(Reason::BuildFailed, &message)
            }
            Ran::TimedOut(_) => unresolved(
                Reason::VerifierTimeout,
                &format!("the build did not end within {}", self.limit()),
            ),
            Ran::NoProgram(message) => unresolved(
                Reason::BuildFailed,
                &format!("the build did not start: {message}"),
            ),
        }
    }

    /// Keeps which parser's spelling the expected names have, for who counts again.
    pub(super) fn keep_names(&self) -> Result<(), VerifyError> {
        match &self.task.verification.names {
            Some(parser) => self.hands.keep(NAMES, parser.as_bytes()),
            None => Ok(()),
        }
    }

    /// Ends what the build left running (live: lets it stand still), then lays the hidden files over all else,
    /// with a fresh place for logs. Nothing that the change put at `/tests`, or
    /// that Python cached of files that are replaced now, is left. Says whether
    /// nothing can write them from then on.
    pub(super) async fn place_hidden(&self) -> Result<bool, VerifyError> {
        let doing = "place the hidden files";
        let of = |source| VerifyError::of(doing, source);
        let still = match self.task.verification.sees {
            Sees::Live => self.hands.sandbox.freeze().await,
            Sees::Patch | Sees::Files => self.hands.sandbox.kill_all().await,
        };
        still.map_err(of)?;
        let root = self.place.hidden_root.trim_end_matches('/');
        let mut folders = match self.task.format {
            Format::TerminalBench => vec![("logs", 0o777)],
            _ => vec![
                ("logs", 0o755),
                ("logs/agent", 0o777),
                ("logs/artifacts", 0o777),
                ("logs/verifier", 0o777),
            ],
        };
        let mut stale = vec![LOGS.as_bytes().to_vec()];
        if root == "/tests" && !self.place.tests_in_image {
            folders.push(("tests", 0o755));
            stale.push(b"/tests".to_vec());
        }
        let logs = hidden::folders(&folders)?;
        self.hands
            .sandbox
            .unpack("/", &stale, &logs)
            .await
            .map_err(of)?;
        let mut delete = self.place.hidden_delete.clone();
        let caches = held::caches(&held::files(self.task, self.place));
        delete.extend(caches.iter().map(|path| path.clone().into_bytes()));
        self.hands
            .sandbox
            .unpack(&self.place.hidden_root, &delete, &self.place.hidden_tar)
            .await
            .map_err(of)?;
        let mut own = self.place_own().await?;
        own.extend(caches);
        self.hold(own).await
    }

    /// Starts the image's own process where it belongs beside the tests, and waits until
    /// that is ready.
    pub(super) async fn begin(&self) -> Result<(), VerifyError> {
        const DOING: &str = "start the image's own process";
        let Some(checks) = &self.place.begins else {
            return Ok(());
        };
        let started = self.hands.sandbox.start_main().await;
        started.map_err(|source| VerifyError::of(DOING, source))?;
        for health in checks {
            match wait_until_ready(self.hands.sandbox, health).await {
                Ok(()) => {}
                Err(NotReady::Sandbox(source)) => return Err(VerifyError::of(DOING, source)),
                Err(error @ NotReady::Failed { .. }) => {
                    return Err(VerifyError::Broke {
                        doing: DOING,
                        cause: error.to_string(),
                        out_of_memory: false,
                    });
                }
            }
        }
        Ok(())
    }

    /// What the verifier itself needs there, and what the host tells hidden checks.
    /// Whatever a change laid in that folder is taken away with it.
    async fn place_own(&self) -> Result<Vec<String>, VerifyError> {
        let mut files = Vec::new();
        if let Some(calls) = &self.place.calls {
            files.push((CALLS, calls.as_slice()));
        }
        if self.tells() {
            files.push((pytest::RUN_PATH, pytest::RUN.as_bytes()));
        }
        if let Some(format) = formats::Format::of(self.task.verification.runner) {
            let own = format.files().iter();
            files.extend(own.map(|(path, content)| (*path, content.as_bytes())));
        }
        if files.is_empty() {
            return Ok(Vec::new());
        }
        let laid = files.iter().map(|(path, _)| (*path).to_owned()).collect();
        let files: Vec<(&str, &[u8])> = files
            .into_iter()
            .map(|(path, content)| (path.trim_start_matches('/'), content))
            .collect();
        let tar = hidden::read_only(&files)?;
        let folder = [b"/verifier".to_vec()];
        self.hands
            .sandbox
            .unpack("/", &folder, &tar)
            .await
            .map(|()| laid)
            .map_err(|source| VerifyError::of("place the verifier's own files", source))
    }

    /// Whether the runner tells of each test by itself.
    fn tells(&self) -> bool {
        let verification = &self.task.verification;
        verification.runner == Runner::Pytest && pytest::tells(verification.command.as_deref())
    }

    /// Runs pytest and judges by its records.
    pub(super) async fn pytest(&self) -> Result<Judged, VerifyError> {
        let cwd = self
            .place
            .work_tree
            .as_deref()
            .unwrap_or(&self.place.hidden_root);
        let (files, absent) = self.test_files(cwd).await?;
        if files.is_empty() {
            let judged = judge::nothing(self.task, Evidence::Records);
            let message = match absent.first() {
                Some(file) => format!("no file of the expected tests is there ({file})"),
                None => "no test is expected, and no hidden file is one".to_owned(),
            };
            return Ok(judged.unresolved(Reason::NoVerdict, &message));
        }
        let ran = self.run_pytest(cwd, &files).await?;
        self.hands.keep_outputs(&ran)?;
        self.hands.settle().await?;
        let report = self.hands.find(pytest::REPORT, MAX_REPORT_BYTES).await?;
        self.hands.keep_found("junit.xml", &report)?;
        let expected: Vec<&str> = self.task.expected().map(|(id, _)| id).collect();
        let report = match &report {
            Found::File(content) => junit::parse(content)
                .map(|cases| pytest::records(cases, &expected))
                .map_err(|error| error.to_string()),
            Found::Nothing => Err("pytest left no report".to_owned()),
            Found::Refused(message) => Err(format!("pytest's report cannot be read: {message}")),
        };
        let judged = match &ran {
            Ran::Ended(output) | Ran::TimedOut(output) if self.tells() => {
                self.hands.keep("records.jsonl", &bytes(&output.records))?;
                let session = pytest::Session {
                    heard: channel::read(&output.records),
                    report,
                    ended: output.ended,
                    shape: self.place.shape.as_ref(),
                    absent: &absent,
                    usual: &self.place.usual,
                };
                let judged = session.judge(self.task);
                match judged.reason {
                    Some(Reason::NoVerdict) => {
                        let said = judged.message.clone().unwrap_or_default();
                        judged.unresolved(Reason::NoVerdict, &format!("{said}{}", last_words(&ran)))
                    }
                    _ => judged,
                }
            }
            _ => self.by_report(report, &absent, &ran),
        };
        Ok(self.unless_timed_out(judged, &ran))
    }

    async fn run_pytest(&self, cwd: &str, files: &[String]) -> Result<Ran, VerifyError> {
        let verification = &self.task.verification;
        let argv = pytest::command(verification.command.as_deref(), cwd, files);
        let mut exec = Exec {
            cwd: Some(cwd.to_owned()),
            env: verification.env.clone(),
            ..Exec::new(entered(verification, argv))
        };
        if self.tells() {
            exec.records_bytes = channel::MAX_BYTES;
            let digests = hidden::digests(&self.place.hidden_tar);
            exec.stdin = serde_json::to_vec(&digests).unwrap_or_default();
        }
        self.hands.execute("run pytest", exec).await
    }

    /// Where pytest tells of no test by itself: by the report that it wrote.
    fn by_report(&self, report: Result<Records, String>, absent: &[String], ran: &Ran) -> Judged {
        match &report {
            Ok(records) if !records.is_empty() => {
                judge::by_records(self.task, records, absent, &self.place.usual)
            }
            other => {
                let problem = match other {
                    Err(problem) => problem.as_str(),
                    Ok(_) => "pytest recorded no test",
                };
                let judged = judge::nothing(self.task, Evidence::Records);
                judged.unresolved(Reason::NoVerdict, &format!("{problem}{}", last_words(ran)))
            }
        }
    }

    /// Runs `tests/test.sh` as Harbor does and judges by its reward; where the task
    /// expects tests by name, by the JUnit report that the script left.
    pub(super) async fn script(&self) -> Result<Judged, VerifyError> {
        let mut ran = None;
        for shell in ["bash", "sh"] {
            let argv = [shell, "-c", SCRIPT].map(str::to_owned).to_vec();
            let cwd = self.place.work_tree.clone();
            let env = self.task.verification.env.clone();
            match self
                .hands
                .run("run the test script", argv, cwd, env)
                .await?
            {
                Ran::NoProgram(message) => ran = Some(Ran::NoProgram(message)),
                other => {
                    ran = Some(other);
                    break;
                }
            }
        }
        let ran = ran.unwrap_or_else(|| Ran::NoProgram("no shell".to_owned()));
        self.hands.keep_outputs(&ran)?;
        self.hands.settle().await?;
        let stdout = self
            .hands
            .find("/logs/verifier/test-stdout.txt", OUTPUT_BYTES)
            .await?;
        self.hands.keep_found("stdout.txt", &stdout)?;
        let json = self
            .hands
            .find("/logs/verifier/reward.json", MAX_REWARD_BYTES + 1)
            .await?;
        self.hands.keep_found("reward.json", &json)?;
        let txt = self
            .hands
            .find("/logs/verifier/reward.txt", MAX_REWARD_BYTES + 1)
            .await?;
        self.hands.keep_found("reward.txt", &txt)?;
        let reward = reward::read(json.content(), txt.content());
        let judged = if self.task.expected().next().is_some() {
            let judged = self.script_records().await?;
            judged.with_reward(reward.unwrap_or_default())
        } else {
            let said = match &stdout {
                Found::File(content) => last_line(&String::from_utf8_lossy(content)),
                Found::Nothing | Found::Refused(_) => None,
            };
            let none = reward.as_ref().err().map(ToString::to_string);
            let judged = judge::by_reward(self.task, reward);
            match (none, &ran) {
                (Some(_), Ran::NoProgram(message)) => {
                    let none = format!("there is no shell to run tests/test.sh with: {message}");
                    judged.unresolved(Reason::NoVerdict, &none)
                }
                (Some(none), _) => {
                    let said = said.map_or_else(|| last_words(&ran), |line| format!(": {line}"));
                    judged.unresolved(Reason::NoVerdict, &format!("{none}{said}"))
                }
                (None, _) => judged,
            }
        };
        Ok(self.unless_timed_out(judged, &ran))
    }

    async fn script_records(&self) -> Result<Judged, VerifyError> {
        let report = self.hands.find(pytest::REPORT, MAX_REPORT_BYTES).await?;
        self.hands.keep_found("junit.xml", &report)?;
        let expected: Vec<&str> = self.task.expected().map(|(id, _)| id).collect();
        let read = report.content().map(junit::parse);
        let message = match read {
            Some(Ok(cases)) => {
                let records = pytest::records(cases, &expected);
                return Ok(judge::by_records(
                    self.task,
                    &records,
                    &[],
                    &self.place.usual,
                ));
            }
            Some(Err(error)) => error.to_string(),
            None => "the test script left no JUnit report".to_owned(),
        };
        let judged = judge::nothing(self.task, Evidence::Records);
        Ok(judged.unresolved(Reason::NoVerdict, &message))
    }

    /// The files of the expected tests that are there, and those that are not:
    /// pytest runs nothing at all when one that it is given is missing. Where no
    /// test is expected by name, the hidden files that pytest would find.
    async fn test_files(&self, cwd: &str) -> Result<(Vec<String>, Vec<String>), VerifyError> {
        let named = pytest::files(self.task.expected().map(|(id, _)| id));
        if named.is_empty() {
            let mut hidden = hidden::files(&self.place.hidden_tar);
            hidden.retain(|path| {
                let name = path.rsplit('/').next().unwrap_or(path);
                name.ends_with(".py") && (name.starts_with("test_") || name.ends_with("_test.py"))
            });
            return Ok((hidden, Vec::new()));
        }
        let (mut there, mut absent) = (Vec::new(), Vec::new());
        for file in named {
            let path = format!("{}/{file}", cwd.trim_end_matches('/'));
            match self.hands.find(&path, 1).await? {
                Found::File(_) => there.push(file),
                Found::Nothing | Found::Refused(_) => absent.push(file),
            }
        }
        Ok((there, absent))
    }

    pub(super) fn unless_timed_out(&self, judged: Judged, ran: &Ran) -> Judged {
        match ran {
            Ran::TimedOut(_) => judged.unresolved(
                Reason::VerifierTimeout,
                &format!("the verifier did not end within {}", self.limit()),
            ),
            Ran::Ended(_) | Ran::NoProgram(_) => judged,
        }
    }

    fn evidence(&self) -> Evidence {
        match self.task.expected().next() {
            Some(_) => Evidence::Records,
            None => match self.task.verification.runner {
                Runner::Script | Runner::TerminalBench(_) | Runner::Log => Evidence::Asserted,
                _ => Evidence::Records,
            },
        }
    }

    fn limit(&self) -> String {
        format!("{} s", self.task.verification.timeout.as_secs_f64())
    }
}
