//! Servers that never come to an end: whoever asks does.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use kiln_fetch::http::{self, Connections, Http, Pace, Request};
use kiln_fetch::{Downloader, Error, Options, Retry, Url};
use kiln_finding::Diagnose as _;

use crate::{World, want};

/// Does this to everybody who asks something.
fn serve(answer: impl Fn(TcpStream) + Clone + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let answer = answer.clone();
            std::thread::spawn(move || {
                drop(stream.read(&mut [0; 4096]));
                answer(stream);
            });
        }
    });
    url
}

/// Says `start`, and `more` again and again, after a pause each time.
fn on_and_on(start: &'static str, more: &'static str, pause: Duration) -> String {
    serve(move |mut stream| {
        drop(stream.write_all(start.as_bytes()));
        while stream.write_all(more.as_bytes()).is_ok() {
            std::thread::sleep(pause);
        }
    })
}

const CHUNKED: &str = "HTTP/1.1 200 x\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n";
const LONG: &str = "HTTP/1.1 200 x\r\ncontent-length: 100000000\r\n\r\n";
const PACE: Pace = Pace { window: Duration::from_millis(300), least: 1000 };

fn impatient(world: &World) -> Options {
    let retry = Retry { attempts: 2, ..world.options().retry };
    Options { retry, pace: PACE, stall: Duration::from_secs(20), ..world.options() }
}

/// By every way in which something is downloaded.
fn ways(options: impl Fn() -> Options, url: &str) -> [Error; 3] {
    let downloader = || Downloader::new(options()).unwrap();
    let address = format!("{url}/document");
    [
        downloader().files(&[want(&[url], b"content")]).unwrap_err(),
        downloader().document(std::slice::from_ref(&address), None, 1000).unwrap_err(),
        downloader().changing(&address, 1000).unwrap_err(),
    ]
}

#[test]
fn fields_after_the_last_chunk_come_to_an_end() {
    let fast = on_and_on(CHUNKED, "x-more: of it\r\n", Duration::ZERO);
    let slow = on_and_on(CHUNKED, "x-more: of it\r\n", Duration::from_millis(20));
    for url in [fast, slow] {
        let world = World::new();
        for error in ways(|| impatient(&world), &url) {
            assert_eq!(error.code(), "fetch.network", "{error}");
        }
    }
}

#[test]
fn a_socket_is_left_whose_body_has_no_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    std::thread::spawn(move || {
        // The first says on and on what is no content, the second nothing any more.
        for (mut stream, more) in listener.incoming().map_while(Result::ok).zip(["x-more: of it\r\n", ""]) {
            drop(stream.read(&mut [0; 4096]));
            drop(stream.write_all(CHUNKED.as_bytes()));
            while !more.is_empty() && stream.write_all(more.as_bytes()).is_ok() {}
            drop(stream.read(&mut [0; 1]));
        }
    });
    for _ in 0..2 {
        let http = Http::socket(Path::new(&path), Duration::from_millis(300));
        let mut request = Request::get(Url::read("http://docker/x").unwrap());
        let answer = http.send(&mut request, None).unwrap();
        let mut bytes = Vec::new();
        http::body(answer, PACE).read_to_end(&mut bytes).unwrap_err();
        assert_eq!(bytes, b"x");
    }
}

#[test]
fn what_drips_is_given_up() {
    let url = on_and_on(LONG, "x", Duration::from_millis(20));
    let world = World::new();
    for error in ways(|| impatient(&world), &url) {
        assert_eq!(error.code(), "fetch.network");
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains("bytes came within"), "{source}");
    }
}

/// The reader may take its time: only what is waited for counts.
#[test]
fn a_slow_reader_is_no_slow_server() {
    let url = serve(|mut stream| {
        let text = format!("HTTP/1.1 200 x\r\ncontent-length: 3000\r\n\r\n{}", "x".repeat(3000));
        drop(stream.write_all(text.as_bytes()));
    });
    let http = Http::new(Connections::default(), Duration::from_secs(20)).unwrap();
    let answer = http.send(&mut Request::get(Url::read(&url).unwrap()), None).unwrap();
    let mut body = http::body(answer, Pace { window: Duration::from_millis(300), least: 2900 });
    for _ in 0..30 {
        body.read_exact(&mut [0; 100]).unwrap();
        std::thread::sleep(Duration::from_millis(15));
    }
}

#[test]
fn there_is_a_time_when_all_must_have_come() {
    // Fast enough for the pace, and without an end.
    let url = on_and_on(LONG, "0123456789", Duration::from_millis(5));
    let world = World::new();
    let until = Instant::now() + Duration::from_millis(400);
    let retry = Retry { attempts: 1000, ..world.options().retry };
    let options = || Options { until: Some(until), retry: retry.clone(), ..world.options() };
    let downloader = Downloader::new(options()).unwrap();
    let error = downloader.changing(&url, u64::MAX).unwrap_err();
    assert_eq!(error.code(), "fetch.network", "{error}");
}
