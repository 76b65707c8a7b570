//! A sandbox of maps, for tests of the rooms that use one.
//!
//! Owns nothing real: files are entries of a map, programs are a closure, and
//! every call is noted. Must not know what is tested with it.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Mutex;

use async_trait::async_trait;

use super::stream::Carrier;
use super::*;

/// Files by absolute path.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Who is at the other end of a stream.
type Talker = Box<dyn FnMut(&StreamTo, Carrier) + Send>;

type Program = Box<dyn FnMut(&Exec, &mut Files) -> Result<ExecOutput, SandboxError> + Send>;

/// A [`Sandbox`] whose programs are a closure over its files.
pub struct FakeSandbox {
    state: Mutex<State>,
}

struct State {
    files: Files,
    calls: Vec<String>,
    execs: Vec<Exec>,
    program: Program,
    talker: Option<Talker>,
}

impl FakeSandbox {
    /// An empty sandbox in which every program ends with `program`'s answer.
    pub fn new(
        program: impl FnMut(&Exec, &mut Files) -> Result<ExecOutput, SandboxError> + Send + 'static,
    ) -> Self {
        Self {
            state: Mutex::new(State {
                files: Files::new(),
                calls: Vec::new(),
                execs: Vec::new(),
                program: Box::new(program),
                talker: None,
            }),
        }
    }

    /// With a file in it.
    pub fn with_file(self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.lock().files.insert(path.to_owned(), content.into());
        self
    }

    /// With somebody at the other end of its streams.
    pub fn with_talker(self, talker: impl FnMut(&StreamTo, Carrier) + Send + 'static) -> Self {
        self.lock().talker = Some(Box::new(talker));
        self
    }

    /// Every call so far, one line each, in order.
    pub fn calls(&self) -> Vec<String> {
        self.lock().calls.clone()
    }

    /// Every program that was started.
    pub fn execs(&self) -> Vec<Exec> {
        self.lock().execs.clone()
    }

    /// The files as they are now.
    pub fn files(&self) -> Files {
        self.lock().files.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

/// The answer of a program that ended with this status.
pub fn exited(code: i32, stdout: &str, stderr: &str) -> ExecOutput {
    let captured = |text: &str| Captured {
        head: text.as_bytes().to_vec(),
        ..Captured::default()
    };
    ExecOutput {
        stdout: captured(stdout),
        stderr: captured(stderr),
        ended: Ended::Exited(code),
        ..ExecOutput::default()
    }
}

/// A refusal of the helper's.
pub fn refused(kind: GuestErrorKind, message: &str) -> SandboxError {
    SandboxError::Guest(GuestError {
        kind,
        message: message.to_owned(),
    })
}

#[async_trait]
impl Sandbox for FakeSandbox {
    fn workdir(&self) -> &str {
        "/"
    }

    async fn exec(&self, exec: Exec) -> Result<ExecOutput, SandboxError> {
        let mut state = self.lock();
        state.calls.push(format!("exec {}", exec.argv.join(" ")));
        state.execs.push(exec.clone());
        let State { files, program, .. } = &mut *state;
        program(&exec, files)
    }

    async fn shell(&self, _: ShellCommand) -> Result<ExecOutput, SandboxError> {
        Err(refused(GuestErrorKind::Other, "the fake has no shell"))
    }

    async fn open(&self, to: &StreamTo) -> Result<SandboxStream, SandboxError> {
        let mut state = self.lock();
        state.calls.push(format!("open {to:?}"));
        let Some(talker) = &mut state.talker else {
            return Err(refused(
                GuestErrorKind::NoProgram,
                "the fake has no streams",
            ));
        };
        let (stream, carrier) = stream::stream();
        talker(to, carrier);
        Ok(stream)
    }

    async fn read(
        &self,
        path: &str,
        offset: u64,
        max: u64,
        _: &User,
    ) -> Result<FileRead, SandboxError> {
        let mut state = self.lock();
        state.calls.push(format!("read {path}"));
        let content = state
            .files
            .get(path)
            .ok_or_else(|| refused(GuestErrorKind::NotFound, "no such file"))?;
        let rest = content.iter().skip(offset as usize).take(max as usize);
        Ok(FileRead {
            content: rest.copied().collect(),
            size: content.len() as u64,
            mode: 0o644,
        })
    }

    async fn write(
        &self,
        path: &str,
        content: &[u8],
        _: Option<u32>,
        _: &User,
    ) -> Result<(), SandboxError> {
        let mut state = self.lock();
        state.calls.push(format!("write {path}"));
        state.files.insert(path.to_owned(), content.to_vec());
        Ok(())
    }

    async fn kill_all(&self) -> Result<u32, SandboxError> {
        self.lock().calls.push("kill_all".to_owned());
        Ok(0)
    }

    async fn freeze(&self) -> Result<u32, SandboxError> {
        self.lock().calls.push("freeze".to_owned());
        Ok(0)
    }

    async fn thaw(&self) -> Result<(), SandboxError> {
        self.lock().calls.push("thaw".to_owned());
        Ok(())
    }

    async fn serve(&self, command: &[String]) -> Result<(), SandboxError> {
        self.lock()
            .calls
            .push(format!("serve {}", command.join(" ")));
        Ok(())
    }

    async fn serving(&self, _: &[String], port: u16) -> Result<Serving, SandboxError> {
        self.lock().calls.push(format!("serving {port}"));
        Ok(Serving::Listens)
    }

    async fn changes(&self) -> Result<Vec<Change>, SandboxError> {
        Ok(Vec::new())
    }

    async fn pack(&self, _: &[Vec<u8>], _: PackBounds) -> Result<Packed, SandboxError> {
        Ok(Packed::default())
    }

    async fn unpack(&self, root: &str, delete: &[Vec<u8>], tar: &[u8]) -> Result<(), SandboxError> {
        let mut state = self.lock();
        state.calls.push(format!("unpack {root}"));
        for path in delete {
            let path = String::from_utf8(path.clone()).unwrap();
            let below = format!("{path}/");
            state
                .files
                .retain(|name, _| *name != path && !name.starts_with(&below));
        }
        let mut archive = tar::Archive::new(tar);
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            if entry.header().entry_type().is_file() {
                let path = entry.path().unwrap().display().to_string();
                let mut content = Vec::new();
                entry.read_to_end(&mut content).unwrap();
                let name = format!("{}/{path}", root.trim_end_matches('/'));
                state.files.insert(name, content);
            }
        }
        Ok(())
    }

    async fn hold(&self, paths: &[String]) -> Result<bool, SandboxError> {
        self.lock().calls.push(format!("hold {}", paths.join(" ")));
        Ok(true)
    }

    async fn stop(&self) -> Result<(), SandboxError> {
        Ok(())
    }
}
