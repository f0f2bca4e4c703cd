//! A person logs in at a browser of this machine. Sources: RFC 6749, 4.1; RFC 7636; RFC 8252, 7.3.

use std::io::{BufRead, BufReader, ErrorKind as Io, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use kiln_text::percent;

use super::provider::{Client, Person, Provider, SCOPE, challenge, encoded, secret};
use crate::error::ErrorKind;
use crate::transport::{Service, Transport, unfit};
use crate::{Error, Token};

/// How long a person is waited for, and how often it is looked whether the browser has come back.
const PATIENCE: Duration = Duration::from_mins(3);
const PAUSE: Duration = Duration::from_millis(50);
/// What a browser may send, and for how long.
const REQUEST_MAX: u64 = 16 << 10;
const REQUEST_TIME: Duration = Duration::from_secs(5);
const PATH: &str = "/auth/callback";

/// Sends the person to the issuer, and waits until the browser comes back with a code for a token.
pub fn in_browser(transport: &dyn Transport, client: &Client, person: &dyn Person) -> Result<Token, Error> {
    let provider = Provider::discover(transport, client)?;
    if provider.authorization_endpoint.is_empty() {
        return Err(unfit(Service::Issuer, "it has no page to log in at"));
    }
    let listen = |source| Error::from(ErrorKind::Listen { source });
    let listener = TcpListener::bind("127.0.0.1:0").map_err(listen)?;
    listener.set_nonblocking(true).map_err(listen)?;
    let back = format!("http://localhost:{}{PATH}", listener.local_addr().map_err(listen)?.port());
    let (state, nonce, verifier) = (secret()?, secret()?, secret()?);
    let fields = [
        ("response_type", "code"),
        ("client_id", &client.id),
        ("redirect_uri", &back),
        ("scope", SCOPE),
        ("state", state.expose()),
        ("nonce", nonce.expose()),
        ("code_challenge", &challenge(&verifier)),
        ("code_challenge_method", "S256"),
    ];
    let query: Vec<String> =
        fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    let page = &provider.authorization_endpoint;
    let separator = if page.contains('?') { '&' } else { '?' };
    person.visit(&format!("{page}{separator}{}", query.join("&")));
    let code = returned(&listener, state.expose(), person)?;
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", &back),
        ("code_verifier", verifier.expose()),
    ];
    let granted = provider.grant(transport, client, &fields, Some(nonce.expose()))?;
    granted.map_err(|denied| ErrorKind::Login(format!("the issuer says {:?}", short(&denied.error))).into())
}

/// The code that the browser comes back with. Whoever does not know the state is sent away, and not listened to.
fn returned(listener: &TcpListener, state: &str, person: &dyn Person) -> Result<String, Error> {
    let mut waited = Duration::ZERO;
    while waited < PATIENCE {
        match listener.accept() {
            Ok((stream, _)) => {
                if let Some(answer) = visited(&stream, state) {
                    return answer;
                }
            }
            Err(error) if error.kind() == Io::WouldBlock => {
                person.wait(PAUSE);
                waited += PAUSE;
            }
            Err(source) => return Err(ErrorKind::Listen { source }.into()),
        }
    }
    Err(ErrorKind::Login("nobody came back from the browser within three minutes".to_owned()).into())
}

/// What one visit says, if it is the one that is waited for.
fn visited(stream: &TcpStream, state: &str) -> Option<Result<String, Error>> {
    stream.set_nonblocking(false).ok()?;
    stream.set_read_timeout(Some(REQUEST_TIME)).ok()?;
    stream.set_write_timeout(Some(REQUEST_TIME)).ok()?;
    let mut line = String::new();
    BufReader::new(stream.take(REQUEST_MAX)).read_line(&mut line).ok()?;
    let found = answer(&line, state);
    let (status, text) = match &found {
        Some(Ok(_)) => ("200 OK", "You are logged in. This page can be closed.\n"),
        Some(Err(_)) => ("200 OK", "The login did not succeed. This page can be closed.\n"),
        None => ("404 Not Found", "There is nothing here.\n"),
    };
    reply(stream, status, text);
    found
}

/// The page is for the person only: whether it arrives changes nothing.
fn reply(mut stream: &TcpStream, status: &str, text: &str) {
    let head = format!("content-type: text/plain\r\ncontent-length: {}\r\nconnection: close", text.len());
    drop(stream.write_all(format!("HTTP/1.1 {status}\r\n{head}\r\n\r\n{text}").as_bytes()));
}

/// The code in the first line of a request; `None` where it is another request.
fn answer(line: &str, state: &str) -> Option<Result<String, Error>> {
    let target = line.strip_prefix("GET ")?.split(' ').next()?;
    let (path, query) = target.split_once('?')?;
    let field = |name: &str| {
        let mut fields = query.split('&').filter_map(|field| field.split_once('='));
        fields.find(|(key, _)| *key == name).map(|(_, value)| decoded(value))
    };
    if path != PATH || field("state").as_deref() != Some(state) {
        return None;
    }
    Some(match (field("code"), field("error")) {
        (_, Some(error)) => Err(ErrorKind::Login(format!("the issuer says {:?}", short(&error))).into()),
        (Some(code), None) if !code.is_empty() => Ok(code),
        _ => Err(unfit(Service::Issuer, "the browser came back without a code")),
    })
}

/// A value of a form, in which `+` is a blank.
fn decoded(text: &str) -> String {
    String::from_utf8_lossy(&percent::decode_loosely(&text.replace('+', " "))).into_owned()
}

/// Enough of a text that somebody else wrote.
pub(super) fn short(text: &str) -> String {
    text.chars().filter(|char| !char.is_control()).take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_knows_the_state_is_listened_to() {
        let code = |line: &str| answer(line, "s").map(Result::ok);
        assert_eq!(
            code("GET /auth/callback?state=s&code=a%2Bb+c HTTP/1.1\r\n"),
            Some(Some("a+b c".to_owned()))
        );
        for other in [
            "GET /auth/callback?state=t&code=a HTTP/1.1",
            "GET /auth/callback?code=a HTTP/1.1",
            "GET /favicon.ico HTTP/1.1",
            "GET /other?state=s&code=a HTTP/1.1",
            "POST /auth/callback?state=s&code=a HTTP/1.1",
            "",
        ] {
            assert_eq!(code(other), None, "{other}");
        }
        for failed in ["error=access_denied", "code=", "x=y", "code=a&error=x"] {
            assert_eq!(
                code(&format!("GET /auth/callback?state=s&{failed} HTTP/1.1")),
                Some(None),
                "{failed}"
            );
        }
        assert_eq!(decoded("%zz%4%"), "%zz%4%");
    }
}
