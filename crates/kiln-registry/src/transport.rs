use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use kiln_fetch::Url;
use kiln_fetch::http::header::WWW_AUTHENTICATE;
use kiln_fetch::http::{self, Response, Trouble};

use crate::auth::Auth;
use crate::endpoint::{Endpoint, address};
use crate::error::{Error, ErrorKind};
use crate::sender::{Request, Sender};
use crate::{Keyring, Options, RegistrySettings};

/// Sends requests: chooses the scheme, logs in, follows redirects without taking credentials along.
pub(crate) struct Transport {
    pub(crate) sender: Sender,
    auth: Auth,
    schemes: Mutex<BTreeMap<String, &'static str>>,
}

impl Transport {
    pub(crate) fn new(
        settings: &RegistrySettings,
        keyring: Keyring,
        options: Options,
    ) -> Result<Self, Error> {
        let sender = Sender::new(settings, keyring, options)?;
        Ok(Self { sender, auth: Auth::default(), schemes: Mutex::default() })
    }

    /// `https`; where plain HTTP is allowed and TLS is not spoken, `http`.
    pub(crate) fn scheme(&self, endpoint: &Endpoint) -> Result<&'static str, Error> {
        let host = &endpoint.api;
        if endpoint.is_tls || !self.sender.may_be_plain(host) {
            return Ok("https");
        }
        let known = |schemes: &BTreeMap<String, &'static str>| schemes.get(host).copied();
        if let Some(scheme) = known(&self.schemes.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(scheme);
        }
        let mut request = http::Request::get(address(&format!("https://{host}/v2/"))?);
        let scheme = match self.sender.try_once(&mut request) {
            Ok(_) => "https",
            Err(error) if Trouble::of(&error) == Trouble::Certificate => "https",
            // Nothing was learned.
            Err(_) if self.sender.is_late() => {
                return Err(ErrorKind::Late {
                    what: "ask the registry".to_owned(),
                    url: request.url.shown(),
                }
                .into());
            }
            Err(_) => "http",
        };
        self.schemes.lock().unwrap_or_else(PoisonError::into_inner).insert(host.to_owned(), scheme);
        Ok(scheme)
    }

    /// Sends a request to `endpoint` with what it wants to see for `scopes`. The answer is one that will not
    /// change by asking again; a refusal to let us in is an error.
    pub(crate) fn send(
        &self,
        endpoint: &Endpoint,
        scopes: &str,
        request: &mut Request<'_>,
    ) -> Result<Response, Error> {
        let mut challenges = 0;
        let mut tries = self.sender.options.retry.tries();
        loop {
            // A credential goes to its own host only.
            let own = request.sent.url.host == endpoint.api;
            let authorization = if own { self.auth.header(&self.sender, endpoint, scopes)? } else { None };
            let response = self.sender.attempt(request, authorization.as_deref(), &mut tries)?;
            let status = response.status().as_u16();
            if status == 401 && own {
                let headers: Vec<&str> = response
                    .headers()
                    .get_all(WWW_AUTHENTICATE)
                    .iter()
                    .filter_map(|value| value.to_str().ok())
                    .collect();
                let is_known = self.auth.learn(endpoint, scopes, &headers, authorization.as_deref());
                challenges += 1;
                if is_known && challenges <= 2 {
                    if request.sent.is_replayable() {
                        continue;
                    }
                    let (what, url) = (request.what.to_owned(), request.shown());
                    return Err(ErrorKind::Expired { what, url }.into());
                }
            }
            if matches!(status, 401 | 403) {
                return Err(self.denied(endpoint, request, response));
            }
            return Ok(response);
        }
    }

    /// A GET or HEAD that may be answered from elsewhere; yields where the answer came from, too.
    pub(crate) fn follow(
        &self,
        endpoint: &Endpoint,
        scopes: &str,
        mut request: Request<'_>,
    ) -> Result<(Response, Url), Error> {
        let answer = http::follow(&mut request, |request| self.send(endpoint, scopes, request))?;
        let none = || ErrorKind::Redirects { what: request.what.to_owned(), url: request.shown() };
        Ok((answer.ok_or_else(none)?, request.sent.url))
    }

    fn denied(&self, endpoint: &Endpoint, request: &Request<'_>, response: Response) -> Error {
        let status = response.status().as_u16();
        let (said, _) = self.sender.refusal(request, response);
        let (what, url, host) = (request.what.to_owned(), request.shown(), endpoint.host.clone());
        if request.sent.url.host != endpoint.api {
            return ErrorKind::DeniedElsewhere { what, url, host, status }.into();
        }
        let known = self.auth.knows(endpoint);
        ErrorKind::Denied { what, url, host, status, said, known }.into()
    }
}
