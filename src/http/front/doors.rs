//! Sockets and certificates, taken before anything is said to listen: what cannot be had ends the start with a sentence.

use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::config::ServerConfig;

/// Connections that may wait to be accepted; the system's own limit is often lower.
const BACKLOG: i32 = 4_096;

/// A bound socket.
pub struct Door {
    /// The socket.
    pub listener: TcpListener,
    /// Where it really is: a configured port 0 has become one.
    pub address: SocketAddr,
    /// Set where it speaks TLS.
    pub tls: Option<Arc<rustls::ServerConfig>>,
}

/// Every socket of the service.
pub struct Doors {
    /// For clients.
    pub public: Vec<Door>,
    /// For the operator.
    pub admin: Vec<Door>,
}

/// Binds everything. `base`: where relative paths start.
///
/// # Errors
/// A sentence with the address or the file.
pub fn bind(config: &ServerConfig, base: &Path) -> Result<Doors, String> {
    let mut public = Vec::new();
    for address in &config.listen {
        open(address, None, &mut public)?;
    }
    if let Some(settings) = tls(config, base).map_err(|unusable| unusable.message)? {
        for address in &config.listen_tls {
            open(address, Some(&settings), &mut public)?;
        }
    }
    let mut admin = Vec::new();
    open(&config.admin, None, &mut admin)?;
    Ok(Doors { public, admin })
}

fn open(address: &str, tls: Option<&Arc<rustls::ServerConfig>>, doors: &mut Vec<Door>) -> Result<(), String> {
    let told = |error: io::Error| format!("cannot listen on {address}: {}", reason(&error));
    // A name may stand for several addresses; the first that can be had is taken, as by every server.
    let addresses: Vec<SocketAddr> = address.to_socket_addrs().map_err(told)?.collect();
    let listener = TcpListener::bind(&addresses[..]).map_err(told)?;
    listener.set_nonblocking(true).map_err(told)?;
    rustix::net::listen(&listener, BACKLOG).map_err(|error| told(error.into()))?;
    let address = listener.local_addr().map_err(told)?;
    doors.push(Door { listener, address, tls: tls.cloned() });
    Ok(())
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => "the address is in use by another program, or by another Pictor".into(),
        io::ErrorKind::AddrNotAvailable => "this machine does not have the address".into(),
        io::ErrorKind::PermissionDenied => "not permitted; ports below 1024 need CAP_NET_BIND_SERVICE".into(),
        _ => error.to_string(),
    }
}

/// A file of TLS that cannot be used.
#[derive(Debug)]
pub struct Unusable {
    /// The setting that names it.
    pub setting: &'static str,
    /// A sentence.
    pub message: String,
}

const CERTIFICATE: &str = "server.certificate";
const KEY: &str = "server.private_key";

fn unusable(setting: &'static str, message: String) -> Unusable {
    Unusable { setting, message }
}

/// What TLS listeners need; `None` where there are none.
///
/// # Errors
/// The file that cannot be used.
pub fn tls(config: &ServerConfig, base: &Path) -> Result<Option<Arc<rustls::ServerConfig>>, Unusable> {
    let (Some(certificate), Some(key)) = (&config.certificate, &config.private_key) else { return Ok(None) };
    if config.listen_tls.is_empty() {
        return Ok(None);
    }
    let (certificate, key) = (base.join(certificate), base.join(key));
    let chain = CertificateDer::pem_file_iter(&certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unusable(CERTIFICATE, format!("{CERTIFICATE} {}: {error}", certificate.display())))?;
    if chain.is_empty() {
        let message = format!("{CERTIFICATE} {}: there is no certificate in it", certificate.display());
        return Err(unusable(CERTIFICATE, message));
    }
    let private = PrivateKeyDer::from_pem_file(&key)
        .map_err(|error| unusable(KEY, format!("{KEY} {}: {error}", key.display())))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(CERTIFICATE, format!("TLS: {error}")))?;
    let mut settings = builder.with_no_client_auth().with_single_cert(chain, private).map_err(|error| {
        let both = format!("{} and {}", certificate.display(), key.display());
        unusable(KEY, format!("{both} cannot be used together: {error}"))
    })?;
    settings.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Some(Arc::new(settings)))
}
