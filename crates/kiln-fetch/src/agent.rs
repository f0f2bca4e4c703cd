use std::path::PathBuf;
use std::time::Duration;

use ureq::config::ConfigBuilder;
use ureq::typestate::AgentScope;
use ureq::unversioned::transport::DefaultConnector;
use ureq::{Agent, Proxy};

use crate::closed::{Closed, Open};
use crate::error::{Error, ErrorKind};
use crate::tls;

const CONNECT: Duration = Duration::from_secs(20);

/// Connections as kiln makes them: TLS that trusts this machine and `ca_files`, the proxy of the environment (or
/// `proxy` where it names none), no redirect followed, no status an error, and nobody waited for longer than `stall`.
pub fn agent(ca_files: &[PathBuf], proxy: Option<&str>, stall: Duration) -> Result<Agent, Error> {
    agent_but(ca_files, proxy, stall, Closed::default())
}

/// The same without connections to some addresses.
pub(crate) fn agent_but(
    ca_files: &[PathBuf],
    proxy: Option<&str>,
    stall: Duration,
    closed: Closed,
) -> Result<Agent, Error> {
    let mut config = builder(ca_files, stall)?;
    if let (None, Some(proxy)) = (Proxy::try_from_env(), proxy) {
        let proxy = Proxy::new(proxy).map_err(|source| ErrorKind::Tls(Box::new(source)))?;
        config = config.proxy(Some(proxy));
    }
    Ok(Agent::with_parts(config.build(), DefaultConnector::default(), Open::but(closed)))
}

/// The same without any proxy, for this machine itself.
pub(crate) fn direct(ca_files: &[PathBuf], stall: Duration) -> Result<Agent, Error> {
    Ok(builder(ca_files, stall)?.proxy(None).build().new_agent())
}

fn builder(ca_files: &[PathBuf], stall: Duration) -> Result<ConfigBuilder<AgentScope>, Error> {
    Ok(Agent::config_builder()
        .tls_config(tls::config(ca_files)?)
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .accept_encoding("identity")
        .user_agent(concat!("kiln/", env!("CARGO_PKG_VERSION")))
        .timeout_connect(Some(CONNECT))
        .timeout_recv_response(Some(stall))
        .timeout_per_read(Some(stall)))
}

/// What kind of trouble a connection had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The same request may work a moment later.
    Passing,
    /// There is a server, and its certificate is not to be trusted.
    Certificate,
    /// Asking again will not help.
    Lasting,
}

/// What kind of trouble `error` tells of.
pub fn trouble(error: &ureq::Error) -> Trouble {
    let tls = match error {
        ureq::Error::Rustls(error) => Some(error),
        ureq::Error::Io(error) => error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()),
        _ => None,
    };
    match (tls, error) {
        (Some(rustls::Error::InvalidCertificate(_)), _) => Trouble::Certificate,
        (Some(_), _)
        | (
            None,
            ureq::Error::BadUri(_)
            | ureq::Error::Http(_)
            | ureq::Error::Tls(_)
            | ureq::Error::Pem(_)
            | ureq::Error::InvalidProxyUrl,
        ) => Trouble::Lasting,
        // What is closed is closed the next time, too.
        (None, ureq::Error::Io(error)) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            Trouble::Lasting
        }
        (None, _) => Trouble::Passing,
    }
}
