//! What the engine said no to, in words and by kind.

use bollard::errors::Error;

use crate::diagnose::innermost;
use crate::sandbox::SandboxError;

/// The engine's answer as an error of ours, which names what was being done.
pub fn refused(doing: &str, error: &Error) -> SandboxError {
    let message = match error {
        Error::DockerResponseServerError { message, .. } => message.clone(),
        Error::HyperLegacyError { .. } | Error::HyperResponseError { .. } => {
            format!("the Docker engine does not answer: {}", innermost(error))
        }
        other => other.to_string(),
    };
    SandboxError::Engine {
        doing: doing.to_owned(),
        message,
    }
}

/// Whether what was to be removed is gone, or being removed by somebody else.
pub fn is_gone(error: &Error) -> bool {
    matches!(status(error), Some(404 | 409))
}

/// Whether a container has nothing at a path.
pub fn is_missing(error: &Error) -> bool {
    status(error) == Some(404) && error.to_string().contains("Could not find the file")
}

/// The HTTP status of the engine's answer.
pub fn status(error: &Error) -> Option<u16> {
    match error {
        Error::DockerResponseServerError { status_code, .. } => Some(*status_code),
        _ => None,
    }
}
