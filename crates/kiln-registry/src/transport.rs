use std::collections::BTreeMap;
use std::io::Read;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use kiln_fetch::{Trouble, Url};
use serde::Deserialize;
use ureq::http::header::{
    ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, LOCATION, RETRY_AFTER, WARNING,
    WWW_AUTHENTICATE,
};
use ureq::http::{Method, Response};
use ureq::{Agent, Body, SendBody};

use crate::auth::Auth;
use crate::endpoint::{Endpoint, address, is_loopback};
use crate::error::{Error, ErrorKind, may_pass, passes};
use crate::pace::Pace;
use crate::verify::read_capped;
use crate::{Keyring, Options, Settings};

const REDIRECTS: usize = 8;
/// How much of an error's body is read, and how much of what it says is shown.
const ERROR_MAX: u64 = 64 << 10;
const SAID_MAX: usize = 300;
/// The longest pause between two attempts that kiln chooses itself.
const PAUSE_MAX: Duration = Duration::from_secs(20);
/// How many different warnings are kept.
const WARNINGS_MAX: usize = 20;

/// Sends requests: chooses the scheme, logs in, tries again, follows redirects without taking credentials along.
pub(crate) struct Transport {
    agent: Agent,
    pub(crate) keyring: Keyring,
    pub(crate) options: Options,
    insecure: Vec<String>,
    auth: Auth,
    schemes: Mutex<BTreeMap<String, &'static str>>,
    warnings: Mutex<Vec<String>>,
}

/// What to ask.
pub(crate) struct Request<'a> {
    /// What it is for, as an error would say it.
    pub(crate) what: &'static str,
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: Vec<(HeaderName, String)>,
    pub(crate) payload: Payload<'a>,
}

/// What to send along.
pub(crate) enum Payload<'a> {
    None,
    Bytes {
        bytes: &'a [u8],
        kind: &'a str,
    },
    /// Can be sent once only.
    Stream {
        bytes: &'a mut (dyn Read + 'a),
        size: u64,
    },
}

impl<'a> Request<'a> {
    pub(crate) fn new(what: &'static str, method: Method, url: Url, payload: Payload<'a>) -> Self {
        Self { what, method, url, headers: Vec::new(), payload }
    }

    pub(crate) fn get(what: &'static str, url: Url) -> Self {
        Self::new(what, Method::GET, url, Payload::None)
    }

    pub(crate) fn head(what: &'static str, url: Url) -> Self {
        Self::new(what, Method::HEAD, url, Payload::None)
    }

    pub(crate) fn post(what: &'static str, url: Url, payload: Payload<'a>) -> Self {
        Self::new(what, Method::POST, url, payload)
    }

    pub(crate) fn with(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn accept(self, value: &str) -> Self {
        self.with(ACCEPT, value)
    }

    fn is_replayable(&self) -> bool {
        !matches!(self.payload, Payload::Stream { .. })
    }
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    errors: Vec<Reason>,
}

#[derive(Deserialize)]
struct Reason {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

impl Transport {
    pub(crate) fn new(settings: &Settings, keyring: Keyring, options: Options) -> Result<Self, Error> {
        let agent = kiln_fetch::agent(&settings.ca_files, options.proxy.as_deref(), options.stall)
            .map_err(|source| ErrorKind::Fetch { source })?;
        let insecure = settings.insecure.iter().map(|host| host.to_lowercase()).collect();
        Ok(Self {
            agent,
            keyring,
            options,
            insecure,
            auth: Auth::default(),
            schemes: Mutex::default(),
            warnings: Mutex::default(),
        })
    }

    pub(crate) fn pace(&self) -> Pace {
        Pace::new(self.options.pace, self.options.pace_bytes)
    }

    /// Whether `host` may be asked without TLS.
    pub(crate) fn may_be_plain(&self, host: &str) -> bool {
        is_loopback(host) || self.insecure.iter().any(|listed| listed == host)
    }

    /// The warnings registries have sent, each once.
    pub(crate) fn take_warnings(&self) -> Vec<String> {
        std::mem::take(&mut *self.warnings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// `https`; where plain HTTP is allowed and TLS is not spoken, `http`.
    pub(crate) fn scheme(&self, host: &str) -> Result<&'static str, Error> {
        if !self.may_be_plain(host) {
            return Ok("https");
        }
        let known = |schemes: &BTreeMap<String, &'static str>| schemes.get(host).copied();
        if let Some(scheme) = known(&self.schemes.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(scheme);
        }
        let request = Request::get("look for TLS", address(&format!("https://{host}/v2/"))?);
        let scheme = match self.run(request, None) {
            Ok(_) => "https",
            Err(error) if kiln_fetch::trouble(&error) == Trouble::Certificate => "https",
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
    ) -> Result<Response<Body>, Error> {
        let mut challenges = 0;
        let mut attempt = 1;
        loop {
            // A credential goes to its own host only.
            let own = request.url.host == endpoint.api;
            let authorization = if own { self.auth.header(self, endpoint, scopes)? } else { None };
            let response = self.attempt(request, authorization.as_deref(), &mut attempt)?;
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
                    if request.is_replayable() {
                        continue;
                    }
                    let (what, url) = (request.what.to_owned(), request.url.shown());
                    return Err(ErrorKind::Expired { what, url }.into());
                }
            }
            if matches!(status, 401 | 403) {
                return Err(self.denied(endpoint, request, response));
            }
            return Ok(response);
        }
    }

    /// The same for what is not behind a registry's login, as the place where tokens come from.
    pub(crate) fn send_plain(&self, request: &mut Request<'_>) -> Result<Response<Body>, Error> {
        let mut attempt = 1;
        self.attempt(request, None, &mut attempt)
    }

    /// Sends until the answer is final, or there were enough attempts.
    fn attempt(
        &self,
        request: &mut Request<'_>,
        authorization: Option<&str>,
        attempt: &mut u32,
    ) -> Result<Response<Body>, Error> {
        loop {
            let may_repeat = request.is_replayable() && *attempt < self.options.attempts;
            let (what, url) = (request.what.to_owned(), request.url.shown());
            let answer = self.run_borrowed(request, authorization);
            let wanted = match answer {
                Err(error) if may_repeat && may_pass(&error) => None,
                Err(source) => return Err(ErrorKind::Network { what, url, source: Box::new(source) }.into()),
                Ok(response) if passes(response.status().as_u16()) => {
                    let wanted = retry_after(&response);
                    if let Some(wanted) = wanted.filter(|wanted| *wanted > self.options.retry_after_max) {
                        return Err(ErrorKind::Busy { what, url, seconds: wanted.as_secs() }.into());
                    }
                    if !may_repeat {
                        return Err(self.status(request, response));
                    }
                    wanted
                }
                Ok(response) => {
                    self.note_warnings(&response);
                    return Ok(response);
                }
            };
            let own = self.options.backoff.saturating_mul(1 << (*attempt - 1).min(10)).min(PAUSE_MAX);
            std::thread::sleep(wanted.unwrap_or(own));
            *attempt += 1;
        }
    }

    /// A GET or HEAD that may be answered from elsewhere; yields where the answer came from, too.
    pub(crate) fn follow(
        &self,
        endpoint: &Endpoint,
        scopes: &str,
        mut request: Request<'_>,
    ) -> Result<(Response<Body>, Url), Error> {
        for _ in 0..=REDIRECTS {
            let response = self.send(endpoint, scopes, &mut request)?;
            if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
                return Ok((response, request.url));
            }
            let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
            let Some(location) = location else { break };
            let next = request.url.follow(location).map_err(|source| ErrorKind::Fetch { source })?;
            request.url = next;
        }
        Err(ErrorKind::Redirects { what: request.what.to_owned(), url: request.url.shown() }.into())
    }

    fn run(
        &self,
        mut request: Request<'_>,
        authorization: Option<&str>,
    ) -> Result<Response<Body>, ureq::Error> {
        self.run_borrowed(&mut request, authorization)
    }

    fn run_borrowed(
        &self,
        request: &mut Request<'_>,
        authorization: Option<&str>,
    ) -> Result<Response<Body>, ureq::Error> {
        let mut builder =
            ureq::http::Request::builder().method(request.method.clone()).uri(&request.url.text);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        if let Some(value) = authorization {
            builder = builder.header(AUTHORIZATION, value);
        }
        match &mut request.payload {
            Payload::None if request.method == Method::GET || request.method == Method::HEAD => {
                self.agent.run(builder.body(())?)
            }
            Payload::None => self.agent.run(builder.body(&[][..])?),
            Payload::Bytes { bytes, kind } => {
                self.agent.run(builder.header(CONTENT_TYPE, *kind).body(*bytes)?)
            }
            Payload::Stream { bytes, size } => {
                let builder =
                    builder.header(CONTENT_TYPE, "application/octet-stream").header(CONTENT_LENGTH, *size);
                self.agent.run(builder.body(SendBody::from_reader(*bytes))?)
            }
        }
    }

    fn note_warnings(&self, response: &Response<Body>) {
        let said = response.headers().get_all(WARNING).iter().filter_map(|value| value.to_str().ok());
        // Source: distribution-spec, "Warnings": 299 - "text".
        for text in said.filter_map(|value| value.strip_prefix("299 - ")) {
            let text = clean(text.trim_matches('"'));
            let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
            if warnings.len() < WARNINGS_MAX && !warnings.contains(&text) {
                warnings.push(text);
            }
        }
    }

    fn denied(&self, endpoint: &Endpoint, request: &Request<'_>, response: Response<Body>) -> Error {
        let status = response.status().as_u16();
        let (said, _) = self.refusal(request, response);
        let known = self.auth.knows(endpoint);
        let (what, url, host) = (request.what.to_owned(), request.url.shown(), endpoint.host.clone());
        ErrorKind::Denied { what, url, host, status, said, known }.into()
    }

    /// The error for an answer that was not hoped for.
    pub(crate) fn status(&self, request: &Request<'_>, response: Response<Body>) -> Error {
        let status = response.status().as_u16();
        let (said, codes) = self.refusal(request, response);
        let (what, url) = (request.what.to_owned(), request.url.shown());
        ErrorKind::Status { what, url, status, said, codes }.into()
    }

    /// What a refusal says, fit to be shown, and its codes. Source: distribution-spec, "Error Codes".
    fn refusal(&self, request: &Request<'_>, response: Response<Body>) -> (String, Vec<String>) {
        let body = response.into_body().into_with_config().limit(u64::MAX).reader();
        let url = request.url.shown();
        let bytes = read_capped(body, self.pace(), "error", &url, ERROR_MAX).unwrap_or_default();
        let Ok(refusal) = serde_json::from_slice::<Refusal>(&bytes) else {
            return (String::new(), Vec::new());
        };
        let said: Vec<String> = refusal
            .errors
            .iter()
            .map(|reason| if reason.message.is_empty() { &reason.code } else { &reason.message })
            .map(|text| clean(text))
            .collect();
        let codes = refusal.errors.into_iter().map(|reason| clean(&reason.code)).collect();
        (clean(&said.join("; ")), codes)
    }
}

/// Text of a server's, without what could move a cursor, and not too much of it.
fn clean(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(SAID_MAX).collect()
}

/// How long the server wants to be left alone: seconds or a date. Source: RFC 9110 §10.2.3.
fn retry_after(response: &Response<Body>) -> Option<Duration> {
    let value = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let when = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
    let seconds = when.as_second() - jiff::Timestamp::now().as_second();
    Some(Duration::from_secs(seconds.max(0).unsigned_abs()))
}
