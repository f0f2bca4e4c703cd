//! The one HTTP exchange: registries, downloads, services and the Docker socket send their requests here, and what is built upon it
//! adds its own rules.
//!
//! A request is sent once, without following anything, and no status is an error. Whoever asks again does so by [`Tries`], and
//! whoever follows a redirect does so by [`follow`], which asks for the credential of each host anew.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ureq::SendBody;
use ureq::http::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderName};

use crate::agent::Agents;
use crate::closed::Closed;
use crate::error::Error;
use crate::socket;
use crate::url::Url;

pub use crate::body::{BodyReader, body};
pub use crate::network::{NetworkError, Response, Trouble};
pub use crate::pace::Pace;
pub use crate::redirect::follow;
pub use crate::retry::{Retry, Tries, passes, retry_after};
pub use ureq::http::{Method, header};

/// How hosts are reached.
#[derive(Clone, Debug, Default)]
pub struct Connections<'a> {
    /// Certificates to trust besides those of the machine.
    pub ca_files: &'a [PathBuf],
    /// A proxy for when the environment names none.
    pub proxy: Option<&'a str>,
    /// What is not connected to.
    pub closed: Closed,
}

/// Sends requests: TLS that trusts this machine and the files of certificates, and nobody is waited for longer than agreed.
pub struct Http {
    agents: Agents,
    closed: Closed,
}

/// What is asked.
pub struct Request<'a> {
    /// How.
    pub method: Method,
    /// Of whom; changes where a redirect is followed.
    pub url: Url,
    /// Headers, without the credential: that depends on the host.
    pub headers: Vec<(HeaderName, String)>,
    /// What is sent along.
    pub payload: Payload<'a>,
    /// How long the answer may take to its last byte; without it, only silence is not waited for.
    pub timeout: Option<Duration>,
}

/// What is sent along.
pub enum Payload<'a> {
    /// Nothing.
    None,
    /// Bytes and their media type.
    Bytes {
        /// The content.
        bytes: &'a [u8],
        /// Its media type.
        kind: &'a str,
    },
    /// Can be sent once only.
    Stream {
        /// The content.
        bytes: &'a mut (dyn Read + 'a),
        /// Its media type.
        kind: &'a str,
        /// Its size, where that is known; otherwise it goes in chunks.
        size: Option<u64>,
    },
}

impl<'a> Request<'a> {
    /// A request without headers.
    pub fn new(method: Method, url: Url, payload: Payload<'a>) -> Self {
        Self { method, url, headers: Vec::new(), payload, timeout: None }
    }

    /// A question for what is there.
    pub fn get(url: Url) -> Self {
        Self::new(Method::GET, url, Payload::None)
    }

    /// With one header more.
    pub fn with(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// With the media types that the answer may have.
    pub fn accept(self, value: &str) -> Self {
        self.with(ACCEPT, value)
    }

    /// Whether it can be sent again.
    pub fn is_replayable(&self) -> bool {
        !matches!(self.payload, Payload::Stream { .. })
    }
}

impl AsMut<Url> for Request<'_> {
    fn as_mut(&mut self) -> &mut Url {
        &mut self.url
    }
}

impl Http {
    /// By the proxy of the environment, where it names one. Nobody is waited for longer than `stall`.
    pub fn new(by: Connections<'_>, stall: Duration) -> Result<Self, Error> {
        let agents = Agents::proxied(by.ca_files, by.proxy, stall, by.closed.clone())?;
        Ok(Self { agents, closed: by.closed })
    }

    /// Without any proxy, for this machine itself.
    pub fn direct(ca_files: &[PathBuf], stall: Duration) -> Result<Self, Error> {
        Ok(Self { agents: Agents::direct(ca_files, stall)?, closed: Closed::default() })
    }

    /// To whoever listens at a Unix socket, whatever host the addresses name.
    pub fn socket(path: &Path, stall: Duration) -> Self {
        Self { agents: Agents::plain(socket::agent(path, stall)), closed: Closed::default() }
    }

    /// Sends a request once, and the credential of its host with it.
    pub fn send(
        &self,
        request: &mut Request<'_>,
        authorization: Option<&str>,
    ) -> Result<Response, NetworkError> {
        self.closed.refuse(&request.url.host)?;
        let mut builder =
            ureq::http::Request::builder().method(request.method.clone()).uri(&request.url.text);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        if let Some(value) = authorization {
            builder = builder.header(AUTHORIZATION, value);
        }
        let timeout = request.timeout;
        match &mut request.payload {
            Payload::None if request.method == Method::GET || request.method == Method::HEAD => {
                self.run(builder.body(())?, timeout)
            }
            Payload::None => self.run(builder.body(&[][..])?, timeout),
            Payload::Bytes { bytes, kind } => {
                self.run(builder.header(CONTENT_TYPE, *kind).body(*bytes)?, timeout)
            }
            Payload::Stream { bytes, kind, size } => {
                let mut builder = builder.header(CONTENT_TYPE, *kind);
                if let Some(size) = size {
                    builder = builder.header(CONTENT_LENGTH, *size);
                }
                self.run(builder.body(SendBody::from_reader(*bytes))?, timeout)
            }
        }
    }

    fn run<S: ureq::AsSendBody>(
        &self,
        request: ureq::http::Request<S>,
        timeout: Option<Duration>,
    ) -> Result<Response, NetworkError> {
        let agent = self.agents.of(request.uri().scheme_str());
        match timeout {
            Some(_) => agent.run(agent.configure_request(request).timeout_global(timeout).build()),
            // A request with settings of its own has its certificates read for each new connection.
            None => agent.run(request),
        }
    }
}
