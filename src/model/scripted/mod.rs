//! The scripted endpoint: it speaks the real wire format over HTTP and plays turns
//! chosen by rules on the conversation so far, and it can misbehave.
//!
//! Owns the file of a script ([`file`]), what is played when ([`play`], pure), and
//! the server. It keeps no state but how often a conversation was asked for, so
//! that two trials of one script and seed are answered alike whatever runs beside.

mod file;
mod play;
mod raw;
mod server;
mod validate;
mod wire;

pub use file::{Script, ScriptError};
pub use server::{Endpoint, Heard};
