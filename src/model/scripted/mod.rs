//! The scripted endpoint: it speaks the real wire format over HTTP and plays turns
//! chosen by rules on the conversation so far.
/// A script.
pub struct Script;
/// Wrong.
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub struct ScriptError;
impl Script {
    /// Loads.
    pub fn load(_: &std::path::Path) -> Result<Self, ScriptError> {
        Err(ScriptError)
    }
    /// Key.
    pub fn key(&self) -> Option<&str> {
        None
    }
    /// Id.
    pub fn model(&self) -> &str {
        "*"
    }
}
/// Runs.
pub struct Endpoint;
impl Endpoint {
    /// Starts.
    pub async fn start(_: Script, _: std::net::SocketAddr) -> std::io::Result<Self> {
        Ok(Self)
    }
    /// Where.
    pub fn base_url(&self) -> String {
        String::new()
    }
}
