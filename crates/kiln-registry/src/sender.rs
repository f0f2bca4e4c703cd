use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use kiln_fetch::Url;
use kiln_fetch::http::header::{ACCEPT, HeaderName, WARNING};
use kiln_fetch::http::{
    self, Connections, Http, Method, Pace, Payload, Response, Tries, passes, retry_after,
};
use kiln_oci::normal_host;
use serde::Deserialize;

use crate::endpoint::is_loopback;
use crate::error::{Error, ErrorKind};
use crate::verify::read_capped;
use crate::{Keyring, Options, RegistrySettings};

/// How much of an error's body is read, and how much of what it says is shown.
const ERROR_MAX: u64 = 64 << 10;
const SAID_MAX: usize = 300;
/// How many different warnings are kept.
const WARNINGS_MAX: usize = 20;

/// Sends requests, again where that may help, with whatever credential it is given.
pub(crate) struct Sender {
    http: Http,
    pub(crate) keyring: Keyring,
    pub(crate) options: Options,
    insecure: Vec<String>,
    warnings: Mutex<Vec<String>>,
    /// When everything that is asked must be over.
    until: Mutex<Option<Instant>>,
}

/// What to ask.
pub(crate) struct Request<'a> {
    /// What it is for, as an error would say it.
    pub(crate) what: &'static str,
    pub(crate) sent: http::Request<'a>,
}

impl<'a> Request<'a> {
    pub(crate) fn new(what: &'static str, method: Method, url: Url, payload: Payload<'a>) -> Self {
        Self { what, sent: http::Request::new(method, url, payload) }
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
        self.sent = self.sent.with(name, value);
        self
    }

    pub(crate) fn accept(self, value: &str) -> Self {
        self.with(ACCEPT, value)
    }

    /// The address, as it may be shown.
    pub(crate) fn shown(&self) -> String {
        self.sent.url.shown()
    }
}

impl AsMut<Url> for Request<'_> {
    fn as_mut(&mut self) -> &mut Url {
        &mut self.sent.url
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

impl Sender {
    pub(crate) fn new(
        settings: &RegistrySettings,
        keyring: Keyring,
        options: Options,
    ) -> Result<Self, Error> {
        let (ca_files, proxy) = (&settings.ca_files[..], options.proxy.as_deref());
        let by = Connections { ca_files, proxy, ..Connections::default() };
        let http = Http::new(by, options.stall)?;
        let insecure = settings.insecure.iter().map(|host| normal_host(host)).collect();
        Ok(Self { http, keyring, options, insecure, warnings: Mutex::default(), until: Mutex::default() })
    }

    /// From now on everything may take that long, all in all.
    pub(crate) fn allow(&self, time: Option<Duration>) {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner) = time.map(|time| Instant::now() + time);
    }

    /// When everything must be over.
    pub(crate) fn until(&self) -> Option<Instant> {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_late(&self) -> bool {
        self.until().is_some_and(|until| left(until).is_zero())
    }

    /// Sends once, with no credential.
    pub(crate) fn try_once(&self, request: &mut http::Request<'_>) -> Result<Response, http::NetworkError> {
        request.timeout = self.until().map(left);
        self.http.send(request, None)
    }

    pub(crate) fn pace(&self) -> Pace {
        self.options.pace
    }

    /// Whether `host` may be asked without TLS.
    pub(crate) fn may_be_plain(&self, host: &str) -> bool {
        is_loopback(host) || self.insecure.contains(&normal_host(host))
    }

    /// The warnings registries have sent, each once.
    pub(crate) fn take_warnings(&self) -> Vec<String> {
        std::mem::take(&mut *self.warnings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Sends what is not behind a registry's login: questions for tokens.
    pub(crate) fn send_plain(&self, request: &mut Request<'_>) -> Result<Response, Error> {
        self.attempt(request, None, &mut self.options.retry.tries())
    }

    /// Sends until the answer is final, or there were enough attempts.
    pub(crate) fn attempt(
        &self,
        request: &mut Request<'_>,
        authorization: Option<&str>,
        tries: &mut Tries<'_>,
    ) -> Result<Response, Error> {
        let until = self.until();
        loop {
            let may_repeat = request.sent.is_replayable() && !tries.is_last();
            let (what, url) = (request.what.to_owned(), request.shown());
            request.sent.timeout = until.map(left);
            if request.sent.timeout.is_some_and(|left| left.is_zero()) {
                return Err(ErrorKind::Late { what, url }.into());
            }
            let answer = self.http.send(&mut request.sent, authorization);
            let wanted = match answer {
                Err(error) if may_repeat && self.options.retry.may_pass(&error) => None,
                Err(source) => return Err(ErrorKind::Network { what, url, source: Box::new(source) }.into()),
                Ok(response) if passes(response.status().as_u16()) => {
                    let wanted = retry_after(&response);
                    if let Some(wanted) = wanted.filter(|wanted| !self.options.retry.allows(Some(*wanted))) {
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
            if !tries.wait_until(wanted, until) {
                return Err(ErrorKind::Late { what, url }.into());
            }
        }
    }

    fn note_warnings(&self, response: &Response) {
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

    /// The error for an answer that was not hoped for.
    pub(crate) fn status(&self, request: &Request<'_>, response: Response) -> Error {
        let status = response.status().as_u16();
        let (said, codes) = self.refusal(request, response);
        let (what, url) = (request.what.to_owned(), request.shown());
        ErrorKind::Status { what, url, status, said, codes }.into()
    }

    /// What a refusal says, fit to be shown, and its codes. Source: distribution-spec, "Error Codes".
    pub(crate) fn refusal(&self, request: &Request<'_>, response: Response) -> (String, Vec<String>) {
        let url = request.shown();
        let bytes =
            read_capped(http::body(response, self.pace()), "error", &url, ERROR_MAX).unwrap_or_default();
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

fn left(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now())
}

/// Text of a server's, without what could move a cursor, and not too much of it.
fn clean(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(SAID_MAX).collect()
}
