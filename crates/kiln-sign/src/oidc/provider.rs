use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kiln_fetch::{Question, Redacted, Reply, join};
use kiln_text::percent::{Encoded, Plain};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::ErrorKind;
use crate::transport::{Service, Transport, refusal, reply, unfit};
use crate::{Error, TOKEN_MAX, Token};

const ANSWER_MAX: u64 = 256 << 10;
pub(super) const SCOPE: &str = "openid email";

/// As whom kiln asks an issuer.
#[derive(Clone, Debug)]
pub struct Client {
    /// The issuer, by which it is found and which must stand in its tokens.
    pub issuer: String,
    /// The name it knows kiln by.
    pub id: String,
}

/// Whoever is at the terminal.
pub trait Person {
    /// Is asked to open a page, which comes back by itself.
    fn visit(&self, url: &str);
    /// Is asked to open a page, on any machine, and to type a code there.
    fn enter(&self, url: &str, code: &str);
    /// Is waited for.
    fn wait(&self, time: Duration);
}

/// What an issuer says of itself. Source: OpenID Connect Discovery 1.0; RFC 8414; RFC 8628, 4.
#[derive(Debug, Deserialize)]
pub(super) struct Provider {
    issuer: String,
    #[serde(default)]
    pub(super) authorization_endpoint: String,
    token_endpoint: String,
    #[serde(default)]
    pub(super) device_authorization_endpoint: String,
}

#[derive(Deserialize)]
struct Granted {
    id_token: String,
}

/// Why there is no token (yet). Source: RFC 6749, 5.2.
#[derive(Debug, Deserialize)]
pub(super) struct Denied {
    pub(super) error: String,
}

impl Provider {
    pub(super) fn discover(transport: &dyn Transport, client: &Client) -> Result<Self, Error> {
        let question = Question {
            url: join(&client.issuer, ".well-known/openid-configuration"),
            body: None,
            accept: "application/json",
            bearer: None,
            cap: ANSWER_MAX,
        };
        let reply = reply(transport, Service::Issuer, &question)?;
        if !reply.is_fine() {
            return Err(refusal(Service::Issuer, &reply, &[]));
        }
        let provider: Self = read(&reply)?;
        if provider.issuer.trim_end_matches('/') != client.issuer.trim_end_matches('/') {
            return Err(unfit(Service::Issuer, "it says that it is another issuer"));
        }
        Ok(provider)
    }

    /// Asks for a token. `Err` inside is a refusal that the flow may go on after.
    pub(super) fn grant(
        &self,
        transport: &dyn Transport,
        client: &Client,
        fields: &[(&str, &str)],
        nonce: Option<&str>,
    ) -> Result<Result<Token, Denied>, Error> {
        let secrets: Vec<&str> = fields.iter().map(|(_, value)| *value).collect();
        let reply = post(transport, &self.token_endpoint, client, fields)?;
        if !reply.is_fine() {
            let denied = serde_json::from_slice::<Denied>(&reply.body);
            return denied.map(Err).map_err(|_| refusal(Service::Issuer, &reply, &secrets));
        }
        // The token came from the issuer itself, over TLS; OpenID Connect Core 3.1.3.7 asks for no more of its
        // signature, which the certificate authority checks.
        let token = Token::read(&read::<Granted>(&reply)?.id_token)?;
        if token.issuer().trim_end_matches('/') != client.issuer.trim_end_matches('/') {
            return Err(unfit(Service::Issuer, "the token is by another issuer"));
        }
        if !token.is_for(&client.id) {
            return Err(unfit(Service::Issuer, "the token is for somebody else"));
        }
        if nonce.is_some_and(|nonce| token.nonce() != nonce) {
            return Err(unfit(Service::Issuer, "the token answers another question"));
        }
        Ok(Ok(token))
    }
}

/// Sends a form. Source: RFC 6749, appendix B.
pub(super) fn post(
    transport: &dyn Transport,
    url: &str,
    client: &Client,
    fields: &[(&str, &str)],
) -> Result<Reply, Error> {
    let ours = ("client_id", client.id.as_str());
    let fields = fields.iter().chain([&ours]);
    let form: Vec<String> = fields.map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    let question = Question {
        url: url.to_owned(),
        body: Some(("application/x-www-form-urlencoded", form.join("&").into_bytes())),
        accept: "application/json",
        bearer: None,
        cap: ANSWER_MAX.max(TOKEN_MAX as u64 * 4),
    };
    reply(transport, Service::Issuer, &question)
}

pub(super) fn read<T: DeserializeOwned>(reply: &Reply) -> Result<T, Error> {
    // What the parser says could hold parts of a token.
    serde_json::from_slice(&reply.body)
        .map_err(|_| unfit(Service::Issuer, "a field of it is missing or malformed"))
}

pub(super) fn encoded(text: &str) -> Encoded<'_> {
    Plain::UNRESERVED.encode(text)
}

/// A secret that nobody guesses, in letters that need no encoding.
pub(super) fn secret() -> Result<Redacted<String>, Error> {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| ErrorKind::Library("draw random bytes"))?;
    Ok(Redacted::new(URL_SAFE_NO_PAD.encode(bytes)))
}

/// What is told of a secret before it is shown. Source: RFC 7636, 4.2.
pub(super) fn challenge(secret: &Redacted<String>) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, secret.expose().as_bytes()))
}
