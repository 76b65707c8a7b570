//! A connection to an address, as a program of the sandbox makes it.
//!
//! Owns the look-up of its name and the carrying of bytes between it and the standard
//! streams. Runs as a program of its own (the helper's binary) for the user who asks:
//! the helper must never wait for a server of names.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::time::Duration;

use hickory_resolver::TokioResolver;

/// How long an address may take to answer.
const TIME: Duration = Duration::from_secs(10);

/// Carries bytes until the server has no more to say.
///
/// # Errors
/// What to tell of a name that is not found, or an address that does not answer.
pub fn connect(host: &str, port: u16) -> Result<(), String> {
    let server = dial(host, port)?;
    carry(&server).map_err(|error| format!("{host}:{port}: {error}"))
}

fn dial(host: &str, port: u16) -> Result<TcpStream, String> {
    let mut failed = None;
    for address in addresses(host)? {
        let address = SocketAddr::new(address, port);
        match TcpStream::connect_timeout(&address, TIME) {
            Ok(server) => return Ok(server),
            // Of several addresses the first is the one that is meant.
            Err(error) => drop(failed.get_or_insert(error)),
        }
    }
    Err(match failed {
        Some(error) => format!("{host}:{port}: {error}"),
        None => format!("{host}: no address of that name is known"),
    })
}

fn addresses(host: &str) -> Result<Vec<IpAddr>, String> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = bare.parse() {
        return Ok(vec![address]);
    }
    if host.eq_ignore_ascii_case("localhost") {
        return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
    }
    let unknown = |error: &dyn std::fmt::Display| format!("{host}: {error}");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| unknown(&error))?;
    runtime.block_on(async {
        let resolver = TokioResolver::builder_tokio().and_then(|builder| builder.build());
        let resolver = resolver.map_err(|error| unknown(&error))?;
        let found = resolver.lookup_ip(host).await;
        let found = found.map_err(|error| unknown(&error))?;
        Ok(found.iter().collect())
    })
}

fn carry(server: &TcpStream) -> io::Result<()> {
    let from = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let to = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    let asks = server.try_clone()?;
    server.set_nodelay(true)?;
    std::thread::Builder::new().spawn(move || {
        // A server that hears no more may still have to say something.
        let _ = copy(&from, &asks);
        let _ = asks.shutdown(Shutdown::Write);
    })?;
    copy(server, &to)
}

/// Piece by piece, and never by `splice`: that holds a pipe's lock while it waits for
/// the server, and so whoever reads the pipe, which is the helper.
fn copy(mut from: impl Read, mut to: impl Write) -> io::Result<()> {
    let mut piece = vec![0; 64 << 10];
    loop {
        match from.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(read) => to.write_all(&piece[..read])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
