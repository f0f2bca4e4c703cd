//! Tokens and who gives them. Source: distribution, "Token Authentication Specification" and "OAuth2".

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use kiln_fetch::Url;
use kiln_fetch::http::header::AUTHORIZATION;
use kiln_fetch::http::{self, Payload, Response};
use serde::Deserialize;

use crate::challenge;
use crate::endpoint::{Endpoint, address, query_value};
use crate::error::{Error, ErrorKind};
use crate::keyring::Credential;
use crate::sender::{Request, Sender};
use crate::verify::read_capped;

/// How large the answer with a token may be.
const TOKEN_MAX: u64 = 1 << 20;
/// How long a token is good for where nobody says.
const DEFAULT_LIFE: u64 = 60;
/// A token this close to its end is not used any more.
const MARGIN: Duration = Duration::from_secs(10);

/// What is known of how registries want to be asked.
#[derive(Default)]
pub(crate) struct Auth {
    state: Mutex<State>,
    /// Held while a token is fetched, so that threads that need the same one fetch it once.
    fetching: Mutex<()>,
}

#[derive(Default)]
struct State {
    /// By host.
    wants: BTreeMap<String, Wants>,
    /// By host and scopes.
    tokens: BTreeMap<(String, String), Token>,
    /// By host and repository.
    credentials: BTreeMap<(String, String), Option<Credential>>,
}

#[derive(Clone)]
enum Wants {
    Basic,
    Bearer { realm: String, service: Option<String> },
}

#[derive(Clone)]
struct Token {
    header: String,
    until: Instant,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    token: String,
    #[serde(default)]
    access_token: String,
    expires_in: Option<u64>,
}

impl Auth {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Learns from a 401 what `host` wants, and that what was `presented` is worth nothing any more; whether there
    /// is anything to answer it with.
    pub(crate) fn learn(
        &self,
        endpoint: &Endpoint,
        scopes: &str,
        headers: &[&str],
        presented: Option<&str>,
    ) -> bool {
        let challenges: Vec<_> = headers.iter().flat_map(|header| challenge::parse(header)).collect();
        let bearer = challenges.iter().find(|one| one.scheme == "bearer").and_then(|one| {
            let realm = one.parameters.get("realm")?.clone();
            Some(Wants::Bearer { realm, service: one.parameters.get("service").cloned() })
        });
        let basic = || challenges.iter().any(|one| one.scheme == "basic").then_some(Wants::Basic);
        let mut state = self.state();
        let key = (endpoint.api.clone(), scopes.to_owned());
        // Another thread may have fetched a new one since.
        if state.tokens.get(&key).is_some_and(|token| Some(token.header.as_str()) == presented) {
            state.tokens.remove(&key);
        }
        match bearer.or_else(basic) {
            Some(wants) => {
                state.wants.insert(endpoint.api.clone(), wants);
                true
            }
            None => false,
        }
    }

    /// The `Authorization` header for a request of `scopes` (separated by spaces), if one is wanted.
    pub(crate) fn header(
        &self,
        sender: &Sender,
        endpoint: &Endpoint,
        scopes: &str,
    ) -> Result<Option<String>, Error> {
        let Some(wants) = self.state().wants.get(&endpoint.api).cloned() else { return Ok(None) };
        let key = (endpoint.api.clone(), scopes.to_owned());
        let _one_at_a_time = self.fetching.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(token) = self.state().tokens.get(&key)
            && token.until > Instant::now()
        {
            return Ok(Some(token.header.clone()));
        }
        let credential = self.credential(sender, endpoint)?;
        match (wants, credential) {
            (_, Some(Credential::Bearer(token))) => Ok(Some(format!("Bearer {token}"))),
            (Wants::Basic, credential) => Ok(credential.and_then(|credential| credential.basic())),
            (Wants::Bearer { realm, service }, credential) => {
                let ask = Ask { sender, endpoint, realm, service, scopes };
                let token = ask.token(credential.as_ref())?;
                let header = token.header.clone();
                self.state().tokens.insert(key, token);
                Ok(Some(header))
            }
        }
    }

    /// Whether anything is kept for this repository.
    pub(crate) fn knows(&self, endpoint: &Endpoint) -> bool {
        let key = (endpoint.host.clone(), endpoint.name.clone());
        self.state().credentials.get(&key).is_some_and(Option::is_some)
    }

    fn credential(&self, sender: &Sender, endpoint: &Endpoint) -> Result<Option<Credential>, Error> {
        let key = (endpoint.host.clone(), endpoint.name.clone());
        if let Some(known) = self.state().credentials.get(&key) {
            return Ok(known.clone());
        }
        let found = sender.keyring.find(&endpoint.host, &endpoint.name, sender.options.helper)?;
        self.state().credentials.insert(key, found.clone());
        Ok(found)
    }
}

struct Ask<'a> {
    sender: &'a Sender,
    endpoint: &'a Endpoint,
    realm: String,
    service: Option<String>,
    scopes: &'a str,
}

impl Ask<'_> {
    fn token(&self, credential: Option<&Credential>) -> Result<Token, Error> {
        let host = &self.endpoint.host;
        // What a registry says wrong is no fault of whoever asks.
        let login = |why| ErrorKind::Login { host: host.clone(), why };
        let realm = address(&self.realm)
            .map_err(|_| login("the address of its tokens is no http or https address"))?;
        if !realm.https && !self.sender.may_be_plain(&realm.host) {
            return Err(login("its tokens come without TLS").into());
        }
        let url = realm.shown();
        let response = match credential {
            Some(Credential::Identity(identity)) => self.exchange(&realm, identity)?,
            other => self.get(&realm, other.and_then(Credential::basic))?,
        };
        let status = response.status().as_u16();
        if status != 200 {
            return Err(self.refused(&url, status, credential.is_some()).into());
        }
        let body = http::body(response, self.sender.pace());
        let bytes = read_capped(body, "token", &url, TOKEN_MAX)?;
        let failed = |source: serde_json::Error| {
            // The parser's own message could quote what stands there.
            let source = serde::de::Error::custom(format_args!("line {} is malformed", source.line()));
            ErrorKind::Token { host: host.clone(), url: url.clone(), source }
        };
        let answer: Answer = serde_json::from_slice(&bytes).map_err(failed)?;
        let token = if answer.token.is_empty() { answer.access_token } else { answer.token };
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(login("the token it sends is none").into());
        }
        let life = Duration::from_secs(answer.expires_in.unwrap_or(DEFAULT_LIFE).clamp(1, 86_400));
        let until = Instant::now() + life.saturating_sub(MARGIN).max(life / 2);
        Ok(Token { header: format!("Bearer {token}"), until })
    }

    /// With a name and password, or as nobody.
    fn get(&self, realm: &Url, header: Option<String>) -> Result<Response, Error> {
        let mut query: Vec<String> =
            self.service.iter().map(|service| format!("service={}", query_value(service))).collect();
        query.extend(self.scopes.split(' ').map(|scope| format!("scope={}", query_value(scope))));
        let joint = if realm.text.contains('?') { '&' } else { '?' };
        let url = address(&format!("{}{joint}{}", realm.text, query.join("&")))?;
        let mut request = Request::get("log in", url);
        request.sent.headers.extend(header.map(|header| (AUTHORIZATION, header)));
        self.sender.send_plain(&mut request)
    }

    /// With an identity token. Source: distribution, "Oauth2 Token Authentication".
    fn exchange(&self, realm: &Url, identity: &str) -> Result<Response, Error> {
        let service = self.service.as_deref().unwrap_or_default();
        let form = format!(
            "grant_type=refresh_token&client_id=kiln&service={}&scope={}&refresh_token={}",
            query_value(service),
            query_value(self.scopes),
            query_value(identity),
        );
        let payload = Payload::Bytes { bytes: form.as_bytes(), kind: "application/x-www-form-urlencoded" };
        let mut request = Request::post("log in", realm.clone(), payload);
        self.sender.send_plain(&mut request)
    }

    fn refused(&self, url: &str, status: u16, known: bool) -> ErrorKind {
        let (what, url, host) = ("log in".to_owned(), url.to_owned(), self.endpoint.host.clone());
        match status {
            400 | 401 | 403 => ErrorKind::Denied { what, url, host, status, said: String::new(), known },
            _ => ErrorKind::Status { what, url, status, said: String::new(), codes: Vec::new() },
        }
    }
}
