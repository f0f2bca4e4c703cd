//! A person logs in on any machine, and this one asks until it is done. Source: RFC 8628.

use std::time::Duration;

use serde::Deserialize;

use super::browser::short;
use super::provider::{Client, Denied, Person, Provider, SCOPE, challenge, post, read, secret};
use crate::error::ErrorKind;
use crate::transport::{Service, Transport, refusal, unfit};
use crate::{Error, Token};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// Seconds between questions, where the issuer does not say, and how many more when it says that this is too often.
const INTERVAL: u64 = 5;
/// Seconds between questions at most, and until a code is over.
const INTERVAL_MAX: u64 = 60;
const LIFE_MAX: u64 = 15 * 60;

#[derive(Deserialize)]
struct Started {
    device_code: String,
    user_code: String,
    verification_uri: String,
    #[serde(default)]
    verification_uri_complete: String,
    expires_in: u64,
    #[serde(default = "interval")]
    interval: u64,
}

fn interval() -> u64 {
    INTERVAL
}

/// Tells the person what to open and type, and asks the issuer until that is done.
pub fn by_device(transport: &dyn Transport, client: &Client, person: &dyn Person) -> Result<Token, Error> {
    let provider = Provider::discover(transport, client)?;
    if provider.device_authorization_endpoint.is_empty() {
        return Err(unfit(Service::Issuer, "it has no login by code"));
    }
    let verifier = secret()?;
    let challenge = challenge(&verifier);
    let fields =
        [("scope", SCOPE), ("code_challenge", challenge.as_str()), ("code_challenge_method", "S256")];
    let reply = post(transport, &provider.device_authorization_endpoint, client, &fields)?;
    if !reply.is_fine() {
        return Err(refusal(Service::Issuer, &reply, &[]));
    }
    let started: Started = read(&reply)?;
    let page = Some(&started.verification_uri_complete).filter(|page| !page.is_empty());
    person.enter(page.unwrap_or(&started.verification_uri), &started.user_code);
    let fields = [
        ("grant_type", GRANT),
        ("device_code", started.device_code.as_str()),
        ("code_verifier", verifier.expose()),
    ];
    let mut pause = started.interval.clamp(1, INTERVAL_MAX);
    let mut left = started.expires_in.min(LIFE_MAX);
    while left >= pause {
        person.wait(Duration::from_secs(pause));
        left -= pause;
        match provider.grant(transport, client, &fields, None)? {
            Ok(token) => return Ok(token),
            Err(Denied { error }) => match error.as_str() {
                "authorization_pending" => {}
                "slow_down" => pause = (pause + INTERVAL).min(INTERVAL_MAX),
                other => {
                    return Err(ErrorKind::Login(format!("the issuer says {:?}", short(other))).into());
                }
            },
        }
    }
    Err(ErrorKind::Login("the code was not typed in time".to_owned()).into())
}
