use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use ureq::config::ConfigBuilder;
use ureq::tls::TlsConfig;
use ureq::typestate::AgentScope;
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{Connector, DefaultConnector};
use ureq::{Agent, Proxy};

use crate::closed::{Closed, Open};
use crate::error::{Error, ErrorKind};
use crate::tls;
use crate::watched::Watched;

const CONNECT: Duration = Duration::from_secs(20);

/// Connections without TLS, and those with it: whom to trust is read when somebody is asked by TLS.
pub(crate) struct Agents {
    plain: Agent,
    secure: LazyLock<Agent, Box<dyn FnOnce() -> Agent + Send>>,
}

impl Agents {
    /// Connections by the proxy of the environment (or `proxy` where it names none), but not to some addresses.
    pub(crate) fn proxied(
        ca_files: &[PathBuf],
        proxy: Option<&str>,
        stall: Duration,
        closed: Closed,
    ) -> Result<Self, Error> {
        let proxy = match (Proxy::try_from_env(), proxy) {
            (None, Some(proxy)) => {
                Some(Proxy::new(proxy).map_err(|source| ErrorKind::Tls(Box::new(source)))?)
            }
            (of_environment, _) => of_environment,
        };
        Self::new(ca_files, move |tls| {
            let config =
                patience(Agent::config_builder(), stall).proxy(proxy.clone()).tls_config(tls).build();
            Agent::with_parts(config, connector(), Open::but(closed.clone()))
        })
    }

    /// The same without any proxy, for this machine itself.
    pub(crate) fn direct(ca_files: &[PathBuf], stall: Duration) -> Result<Self, Error> {
        Self::new(ca_files, move |tls| {
            let config = patience(Agent::config_builder(), stall).proxy(None).tls_config(tls).build();
            Agent::with_parts(config, connector(), DefaultResolver::default())
        })
    }

    /// One agent that knows nothing of TLS.
    pub(crate) fn plain(agent: Agent) -> Self {
        Self {
            secure: LazyLock::new(Box::new({
                let agent = agent.clone();
                move || agent
            })),
            plain: agent,
        }
    }

    fn new(ca_files: &[PathBuf], agent: impl Fn(TlsConfig) -> Agent + Send + 'static) -> Result<Self, Error> {
        let given = tls::given(ca_files)?;
        Ok(Self {
            plain: agent(TlsConfig::default()),
            secure: LazyLock::new(Box::new(move || agent(tls::config(&given)))),
        })
    }

    /// The one for addresses of this scheme; a proxy may be asked by TLS for each of them.
    pub(crate) fn of(&self, scheme: Option<&str>) -> &Agent {
        let is_plain = scheme == Some("http") && self.plain.config().proxy().is_none();
        if is_plain { &self.plain } else { &self.secure }
    }
}

fn connector() -> impl Connector {
    DefaultConnector::default().chain(Watched)
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
