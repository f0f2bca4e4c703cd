//! An issuer of identities. Sources: OpenID Connect Core and Discovery 1.0; RFC 6749, 7636 and 8628.

use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};

use crate::http::{Http, Request, Response};

/// Whoever logs in.
pub(crate) const PERSON: &str = "person@example.invalid";
const CODE: &str = "code+1";

/// Knows one person, who is always logged in.
pub(crate) struct Issuer {
    pub(crate) url: String,
    key: Arc<EcdsaKeyPair>,
    http: Http,
}

/// What was asked for when a person was sent here.
#[derive(Default)]
struct Asked {
    challenge: String,
    nonce: String,
    /// How often a device asked whether it is done.
    polls: usize,
}

impl Issuer {
    pub(crate) fn start() -> Self {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref()).unwrap();
        let key = Arc::new(key);
        let (url, asked) = (Arc::new(Mutex::new(String::new())), Mutex::new(Asked::default()));
        let (own, signing) = (url.clone(), key.clone());
        let http = Http::start(move |request| {
            answer(request, &own.lock().unwrap(), &signing, &mut asked.lock().unwrap())
        });
        url.lock().unwrap().clone_from(&http.url);
        Self { url: http.url.clone(), key, http }
    }

    /// A token with these claims, good for some minutes.
    pub(crate) fn token(&self, claims: &Value) -> String {
        token(&self.url, &self.key, claims)
    }

    pub(crate) fn seen(&self, path: &str) -> Vec<Request> {
        self.http.seen().into_iter().filter(|request| request.path == path).collect()
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

fn token(issuer: &str, key: &EcdsaKeyPair, claims: &Value) -> String {
    let mut all = json!({
        "iss": issuer, "sub": "someone", "aud": "sigstore", "iat": now(), "exp": now() + 300,
    });
    all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
    let head = json!({ "alg": "ES256", "kid": "one", "typ": "JWT" });
    let signed = format!("{}.{}", BASE64.encode(head.to_string()), BASE64.encode(all.to_string()));
    let signature = key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
    format!("{signed}.{}", BASE64.encode(signature))
}

fn answer(request: &Request, url: &str, key: &EcdsaKeyPair, asked: &mut Asked) -> Response {
    match request.path.as_str() {
        "/.well-known/openid-configuration" => Response::json(
            200,
            &json!({
                "issuer": url,
                "authorization_endpoint": format!("{url}/auth"),
                "token_endpoint": format!("{url}/token"),
                "device_authorization_endpoint": format!("{url}/device"),
                "jwks_uri": format!("{url}/keys"),
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["ES256"],
            }),
        ),
        "/keys" => {
            let point = key.public_key().as_ref();
            let [x, y] = [&point[1..33], &point[33..]].map(|half| BASE64.encode(half));
            let key = json!({ "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "one", "x": x, "y": y });
            Response::json(200, &json!({ "keys": [key] }))
        }
        "/auth" => {
            request.field("code_challenge").clone_into(&mut asked.challenge);
            request.field("nonce").clone_into(&mut asked.nonce);
            let (back, state) = (request.field("redirect_uri"), request.field("state"));
            Response::to(&format!("{back}?code={}&state={state}", CODE.replace('+', "%2B")))
        }
        "/device" => {
            request.field("code_challenge").clone_into(&mut asked.challenge);
            let page = format!("{url}/activate");
            Response::json(
                200,
                &json!({
                    "device_code": CODE, "user_code": "WDJB-MJHT", "verification_uri": page,
                    "expires_in": 60, "interval": 1,
                }),
            )
        }
        "/token" => granted(request, url, key, asked),
        _ => Response::status(404),
    }
}

fn granted(request: &Request, url: &str, key: &EcdsaKeyPair, asked: &mut Asked) -> Response {
    let challenge = BASE64.encode(digest(&SHA256, request.field("code_verifier").as_bytes()));
    let is_device = request.field("grant_type").ends_with(":device_code");
    let code = if is_device { request.field("device_code") } else { request.field("code") };
    if challenge != asked.challenge || code != CODE || request.field("client_id") != "sigstore" {
        return Response::json(400, &json!({ "error": "invalid_grant" }));
    }
    asked.polls += usize::from(is_device);
    if is_device && asked.polls == 1 {
        return Response::json(400, &json!({ "error": "authorization_pending" }));
    }
    let claims = json!({ "email": PERSON, "email_verified": true, "nonce": asked.nonce });
    Response::json(
        200,
        &json!({ "id_token": token(url, key, &claims), "access_token": "x", "token_type": "Bearer" }),
    )
}
