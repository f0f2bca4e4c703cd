//! Services that are asked: what is said, what is believed, and when it ends.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use kiln_fetch::{Error, Exchange, ExchangeOptions, Question, Redacted, Reply, Retry};
use kiln_finding::Diagnose as _;

use crate::server::{Response, Server};

const CAP: u64 = 1000;

fn question(url: &str) -> Question {
    Question {
        url: format!("{url}/entries?x=secret"),
        body: Some(("application/json", b"{}".to_vec())),
        accept: "application/json",
        bearer: Some(Redacted::new("token".to_owned())),
        cap: CAP,
    }
}

fn ask(question: &Question) -> Result<Reply, Error> {
    let (timeout, backoff) = (Duration::from_secs(1), Duration::from_millis(1));
    let retry = Retry { backoff, ..ExchangeOptions::default().retry };
    let options = ExchangeOptions { timeout, retry, ..ExchangeOptions::default() };
    Exchange::new(options).unwrap().ask(question)
}

#[track_caller]
fn fails(url: &str, code: &str) {
    let error = ask(&question(url)).unwrap_err();
    assert_eq!(error.code(), code, "{error}");
    let mut shown = format!("{error} {error:?}");
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        shown += &cause.to_string();
        source = cause.source();
    }
    assert!(!shown.contains("token") && !shown.contains("secret"), "{shown}");
}

#[test]
fn a_question_is_sent_as_it_is_and_answered_whatever_the_status() {
    let server =
        Server::start(|_, _| Response { status: 409, ..Response::ok(b"there") }.with("location", "/e/1"));
    let reply = ask(&question(&server.url)).unwrap();
    let location = Some("/e/1".to_owned());
    assert_eq!(reply, Reply { status: 409, location, body: b"there".to_vec() });
    assert!(!reply.is_fine());
    let seen = &server.seen()[0];
    assert_eq!(
        (seen.method.as_str(), seen.path.as_str(), &seen.body[..]),
        ("POST", "/entries?x=secret", &b"{}"[..])
    );
    assert_eq!(
        (seen.header("authorization"), seen.header("content-type")),
        (Some("Bearer token"), Some("application/json"))
    );
    let get = Question { body: None, bearer: None, ..question(&server.url) };
    ask(&get).unwrap();
    assert_eq!((server.seen()[1].method.as_str(), server.seen()[1].header("authorization")), ("GET", None));
}

#[test]
fn who_is_told_to_come_back_comes_back() {
    let server = Server::start(|_, before| match before {
        0 => Response::status(503),
        1 => Response::ok(b"half").cut(1),
        _ => Response::ok(b"now"),
    });
    assert_eq!(ask(&question(&server.url)).unwrap().body, b"now");
    let server = Server::start(|_, _| Response::status(503));
    assert_eq!((ask(&question(&server.url)).unwrap().status, server.seen().len()), (503, 3));
    let server = Server::start(|_, _| Response::status(500));
    assert_eq!((ask(&question(&server.url)).unwrap().status, server.seen().len()), (500, 1));
}

#[test]
fn nobody_is_followed() {
    let other = Server::start(|_, _| Response::ok(b""));
    let elsewhere = other.url.clone();
    let server = Server::start(move |_, _| Response::status(307).with("location", &elsewhere));
    fails(&server.url, "fetch.redirect");
    assert!(other.seen().is_empty());
}

#[test]
fn an_answer_has_an_end() {
    let server = Server::start(|_, _| Response::ok(&[b'x'; CAP as usize + 1]));
    fails(&server.url, "fetch.too_large");
    let server = Server::start(|_, _| Response::ok(&[b'x'; 10]).cut(3));
    fails(&server.url, "fetch.network");
    for answer in [&b"HTTP/1.1 200 x\r\ntransfer-encoding: chunked\r\n\r\n"[..], b""] {
        fails(&drip(answer), "fetch.network");
    }
}

/// Says this, and from then on a byte now and then, for as long as somebody listens.
fn drip(start: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || {
                drop(stream.read(&mut [0; 4096]));
                drop(stream.write_all(start));
                while stream.write_all(b"1\r\nx\r\n").is_ok() && !start.is_empty() {
                    std::thread::sleep(Duration::from_millis(100));
                }
                // Open, and silent.
                drop(stream.read(&mut [0; 1]));
            });
        }
    });
    url
}

#[test]
fn a_question_is_not_shown() {
    assert_eq!(
        format!("{:?}", question("https://service.invalid")),
        "Question(https://service.invalid/entries, 2 bytes)"
    );
}

#[test]
fn nothing_is_said_in_the_open() {
    fails("http://service.invalid", "fetch.plain");
    fails("http://127.0.0.1.service.invalid", "fetch.plain");
    fails("ftp://service.invalid", "fetch.bad_url");
}
