//! The Docker engine: containers, networks, volumes and images by its API.
//!
//! Owns bollard, whose types stay in here, and everything that we make in an
//! engine: labelled, owned, and taken away again. Must not know tasks or agents.

mod attach;
mod clean;
mod compare;
pub mod connect;
mod container;
mod copy_out;
mod engine;
pub mod images;
mod interact;
mod layer;
mod link;
mod owner;
mod program;
pub mod project;
mod refusal;
mod watch;
mod work_tree;

pub use clean::{Cleaned, clean};
pub use connect::{ConnectError, connect};
pub use container::DockerSandbox;
pub use engine::{Engine, EngineError, Facts};
pub use owner::scope;
pub use project::{Project, ProjectError};
