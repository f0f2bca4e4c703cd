//! Logging in, at an issuer that says something else than it was asked.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::cell::RefCell;
use std::io::Write;
use std::net::TcpStream;
use std::rc::Rc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kiln_fetch::{Question, Redacted, Reply};
use kiln_finding::Diagnose;
use kiln_sign::oidc::{Ambient, Client, GithubActions, Person, ambient, by_device, in_browser};
use kiln_sign::{Error, Token, Transport};
use serde_json::{Value, json};

const ISSUER: &str = "https://issuer.example.invalid";

/// An issuer that changes one thing of what it says, and remembers what it was asked.
struct World {
    /// Answers to token requests, the last of which is repeated; without one, a token is given.
    answers: RefCell<Vec<Value>>,
    claims: Value,
    discovery: Value,
    device: Value,
    asked: RefCell<Vec<String>>,
    /// The nonce that the browser was sent with.
    nonce: Rc<RefCell<String>>,
}

impl World {
    fn new() -> Self {
        Self {
            answers: RefCell::default(),
            claims: json!({}),
            discovery: json!({}),
            device: json!({}),
            asked: RefCell::default(),
            nonce: Rc::default(),
        }
    }

    fn person(&self) -> Somebody {
        Somebody {
            nonce: self.nonce.clone(),
            waited: RefCell::default(),
            visits: RefCell::default(),
            change: |url| url,
        }
    }
}

fn merged(mut value: Value, more: &Value) -> Value {
    value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    value
}

fn token(claims: &Value) -> String {
    let known = json!({ "iss": ISSUER, "sub": "me", "aud": "sigstore", "exp": 9 });
    format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(merged(known, claims).to_string()))
}

impl Transport for World {
    fn ask(&self, question: &Question) -> Result<Reply, kiln_fetch::Error> {
        let form = question.body.as_ref().map(|(_, body)| String::from_utf8(body.clone()).unwrap());
        self.asked.borrow_mut().push(form.unwrap_or_default());
        let path = question.url.trim_start_matches(ISSUER);
        let (status, answer) = match path {
            "/.well-known/openid-configuration" => {
                let known = json!({
                    "issuer": ISSUER, "authorization_endpoint": format!("{ISSUER}/auth?a=b"),
                    "token_endpoint": format!("{ISSUER}/token"),
                    "device_authorization_endpoint": format!("{ISSUER}/device"),
                });
                (200, merged(known, &self.discovery))
            }
            "/device" => {
                let known = json!({
                    "device_code": "d", "user_code": "CODE", "verification_uri": "https://page.invalid", "expires_in": 20,
                });
                (200, merged(known, &self.device))
            }
            _ => {
                let mut answers = self.answers.borrow_mut();
                let next = if answers.len() > 1 { Some(answers.remove(0)) } else { answers.first().cloned() };
                if let Some(error) = next.filter(|next| !next.is_null()) {
                    (400, error)
                } else {
                    let nonce = json!({ "nonce": *self.nonce.borrow() });
                    (200, json!({ "id_token": token(&merged(nonce, &self.claims)) }))
                }
            }
        };
        Ok(Reply { status, location: None, body: answer.to_string().into_bytes() })
    }
}

/// Whoever is there: goes where they are sent, and comes back at once.
struct Somebody {
    nonce: Rc<RefCell<String>>,
    waited: RefCell<Vec<u64>>,
    /// Connections that wait for an answer.
    visits: RefCell<Vec<TcpStream>>,
    /// What becomes of the address on the way back.
    change: fn(String) -> String,
}

impl Person for Somebody {
    fn visit(&self, url: &str) {
        assert!(
            url.starts_with(&format!("{ISSUER}/auth?a=b&response_type=code&client_id=sigstore&")),
            "{url}"
        );
        let field = |name: &str| {
            let field = url.split(['?', '&']).filter_map(|field| field.split_once('='));
            field.clone().find(|(key, _)| *key == name).unwrap().1.replace("%3A", ":").replace("%2F", "/")
        };
        assert_eq!((field("code_challenge_method").as_str(), field("code_challenge").len()), ("S256", 43));
        *self.nonce.borrow_mut() = field("nonce");
        let back = format!("{}?code=c&state={}", field("redirect_uri"), field("state"));
        let back = (self.change)(back);
        let (host, path) = back.trim_start_matches("http://").split_once('/').unwrap();
        let host = host.replace("localhost", "127.0.0.1");
        // Somebody else is there first.
        for path in ["favicon.ico", "auth/callback?code=x&state=guessed", path] {
            let mut stream = TcpStream::connect(&host).unwrap();
            write!(stream, "GET /{path} HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
            self.visits.borrow_mut().push(stream);
        }
    }

    fn enter(&self, url: &str, code: &str) {
        assert!(url.starts_with("https://page.invalid") && code == "CODE");
    }

    fn wait(&self, time: Duration) {
        self.waited.borrow_mut().push(time.as_secs());
    }
}

fn client() -> Client {
    Client { issuer: ISSUER.to_owned(), id: "sigstore".to_owned() }
}

#[track_caller]
fn refused(result: Result<Token, Error>, code: &str, why: &str) {
    let error = result.unwrap_err();
    assert!(error.code() == code && error.to_string().contains(why), "{}: {error}", error.code());
}

#[test]
fn who_comes_back_from_the_browser_gets_a_token() {
    let world = World::new();
    assert_eq!(in_browser(&world, &client(), &world.person()).unwrap().subject(), "me");
    let form = world.asked.borrow().last().unwrap().clone();
    for part in ["grant_type=authorization_code", "code=c", "code_verifier=", "client_id=sigstore"] {
        assert!(form.contains(part), "{part} in {form}");
    }
}

#[test]
fn a_token_for_another_question_is_refused() {
    for (claims, why) in [
        (json!({ "nonce": "another" }), "answers another question"),
        (json!({ "iss": "https://other.invalid" }), "by another issuer"),
        (json!({ "aud": "other" }), "for somebody else"),
        (json!({ "aud": ["other"] }), "for somebody else"),
    ] {
        let world = World { claims, ..World::new() };
        refused(in_browser(&world, &client(), &world.person()), "sign.answer", why);
    }
    let world = World { claims: json!({ "aud": ["other", "sigstore"] }), ..World::new() };
    in_browser(&world, &client(), &world.person()).unwrap();
}

#[test]
fn an_issuer_is_who_it_says() {
    for (discovery, why) in [
        (json!({ "issuer": "https://other.invalid" }), "it is another issuer"),
        (json!({ "authorization_endpoint": "" }), "no page to log in at"),
        (json!({ "token_endpoint": 1 }), "missing or malformed"),
    ] {
        let world = World { discovery, ..World::new() };
        refused(in_browser(&world, &client(), &world.person()), "sign.answer", why);
    }
    let world = World { discovery: json!({ "device_authorization_endpoint": "" }), ..World::new() };
    refused(by_device(&world, &client(), &world.person()), "sign.answer", "no login by code");
}

#[test]
fn a_refusal_is_told() {
    let world = World::new();
    let denied = Somebody { change: |url| url.replace("code=c", "error=access_denied"), ..world.person() };
    refused(in_browser(&world, &client(), &denied), "sign.login", "\"access_denied\"");
    let world = World { answers: RefCell::new(vec![json!({ "error": "invalid_grant" })]), ..World::new() };
    refused(in_browser(&world, &client(), &world.person()), "sign.login", "\"invalid_grant\"");
}

/// Whoever does not know the state is not listened to, however long it takes.
#[test]
fn nobody_is_waited_for_for_ever() {
    let world = World::new();
    let stranger = Somebody { change: |url| format!("{url}x"), ..world.person() };
    refused(in_browser(&world, &client(), &stranger), "sign.login", "nobody came back");
}

#[test]
fn a_device_asks_no_more_often_than_it_is_told_and_not_for_ever() {
    let pending = json!({ "error": "authorization_pending" });
    let slow = json!({ "error": "slow_down" });
    let run = |answers: &[&Value], device: Value| {
        let answers = RefCell::new(answers.iter().map(|answer| (*answer).clone()).collect());
        let world = World { answers, device, ..World::new() };
        let person = world.person();
        let result = by_device(&world, &client(), &person);
        let waited = person.waited.borrow().clone();
        (result, waited)
    };
    let (result, waited) = run(&[&pending, &pending, &Value::Null], json!({ "interval": 2 }));
    assert_eq!((result.unwrap().subject(), waited), ("me", vec![2, 2, 2]));
    let (result, waited) = run(&[&slow, &pending, &Value::Null], json!({ "interval": 2 }));
    assert_eq!((result.unwrap().subject(), waited), ("me", vec![2, 7, 7]));
    // Five seconds where nothing is said, and no end that is later than the code's.
    let (result, waited) = run(&[&pending], json!({}));
    refused(result, "sign.login", "not typed in time");
    assert_eq!(waited, [5, 5, 5, 5]);
    let (result, waited) = run(&[&pending], json!({ "interval": 0, "expires_in": u64::MAX }));
    refused(result, "sign.login", "not typed in time");
    assert_eq!(waited.len(), 900);
    let (result, _) = run(&[&json!({ "error": "access_denied" })], json!({}));
    refused(result, "sign.login", "\"access_denied\"");
    let (result, _) = run(&[&json!({ "message": "token" })], json!({}));
    refused(result, "sign.refused", "(status 400)");
}

#[test]
fn a_job_has_the_token_that_it_was_given() {
    let world = World::new();
    assert!(ambient(&world, &Ambient::default()).unwrap().is_none());
    let given = Ambient { token: Some(Redacted::new(token(&json!({ "sub": "job" })))), github: None };
    assert_eq!(ambient(&world, &given).unwrap().unwrap().subject(), "job");
    assert!(world.asked.borrow().is_empty(), "nobody is asked for what is there");
    let github = GithubActions { url: format!("{ISSUER}/job"), bearer: Redacted::new("b".to_owned()) };
    let github = Ambient { token: None, github: Some(github) };
    assert_eq!(ambient(&world, &github).unwrap_err().code(), "sign.answer");
}
