use std::path::PathBuf;
use std::time::Duration;

use ureq::config::ConfigBuilder;
use ureq::typestate::AgentScope;
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{Connector, DefaultConnector};
use ureq::{Agent, Proxy};

use crate::closed::{Closed, Open};
use crate::error::{Error, ErrorKind};
use crate::tls;
use crate::watched::Watched;

const CONNECT: Duration = Duration::from_secs(20);

/// Connections by the proxy of the environment (or `proxy` where it names none), but not to some addresses.
pub(crate) fn proxied(
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
    Ok(Agent::with_parts(config.build(), connector(), Open::but(closed)))
}

/// The same without any proxy, for this machine itself.
pub(crate) fn direct(ca_files: &[PathBuf], stall: Duration) -> Result<Agent, Error> {
    let config = builder(ca_files, stall)?.proxy(None).build();
    Ok(Agent::with_parts(config, connector(), DefaultResolver::default()))
}

fn connector() -> impl Connector {
    DefaultConnector::default().chain(Watched)
}

fn builder(ca_files: &[PathBuf], stall: Duration) -> Result<ConfigBuilder<AgentScope>, Error> {
    Ok(patience(Agent::config_builder(), stall).tls_config(tls::config(ca_files)?))
}

/// No redirect followed, no status an error, and nobody waited for longer than `stall`.
pub(crate) fn patience(config: ConfigBuilder<AgentScope>, stall: Duration) -> ConfigBuilder<AgentScope> {
    config
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .accept_encoding("identity")
        .user_agent(concat!("kiln/", env!("CARGO_PKG_VERSION")))
        .timeout_connect(Some(CONNECT))
        .timeout_recv_response(Some(stall))
        .timeout_per_read(Some(stall))
        .timeout_per_write(Some(stall))
}
