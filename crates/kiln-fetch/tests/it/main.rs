//! The downloader against a server of this process.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

mod endless;
mod exchange;
mod server;

use std::time::Duration;

use kiln_fetch::{Credentials, Downloader, Error, Options, Retry, Want};
use kiln_finding::{Class, Diagnose as _};
use kiln_text::Algorithm;
use server::{Response, Server};

const BODY: &[u8] = &[7; 200_000];

struct World {
    cache: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        Self { cache: tempfile::tempdir().unwrap() }
    }

    fn options(&self) -> Options {
        let retry = Retry { backoff: Duration::from_millis(1), attempts: 3, ..Retry::default() };
        Options { retry, ..Options::new(self.cache.path()) }
    }

    fn downloader(&self) -> Downloader {
        Downloader::new(self.options()).unwrap()
    }
}

fn want(urls: &[&str], body: &[u8]) -> Want {
    Want {
        name: "thing 1.0".to_owned(),
        urls: urls.iter().map(|url| format!("{url}/thing")).collect(),
        checksum: Algorithm::Sha256.of(body),
        size: Some(body.len() as u64),
        cap: 1 << 20,
    }
}

fn fetch(downloader: &Downloader, want: &Want) -> Result<Vec<u8>, Error> {
    downloader.files(std::slice::from_ref(want)).map(|paths| std::fs::read(&paths[0]).unwrap())
}

#[test]
fn a_file_is_downloaded_once() {
    let server = Server::start(|_, _| Response::ok(BODY));
    let world = World::new();
    let want = want(&[&server.url], BODY);
    assert_eq!(fetch(&world.downloader(), &want).unwrap(), BODY);
    assert_eq!(fetch(&world.downloader(), &want).unwrap(), BODY);
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn a_damaged_cache_entry_is_downloaded_again() {
    let server = Server::start(|_, _| Response::ok(BODY));
    let world = World::new();
    let want = want(&[&server.url], BODY);
    let path = world.downloader().files(std::slice::from_ref(&want)).unwrap().remove(0);
    std::fs::write(&path, b"damaged").unwrap();
    assert_eq!(fetch(&world.downloader(), &want).unwrap(), BODY);
}

#[test]
fn a_broken_connection_is_resumed_where_it_broke() {
    let server = Server::start(|request, before| match before {
        0 => Response::ok(BODY).cut(50_000),
        _ => Response::range(BODY, request),
    });
    assert_eq!(fetch(&World::new().downloader(), &want(&[&server.url], BODY)).unwrap(), BODY);
    let offsets: Vec<_> = server.seen().iter().map(server::Request::offset).collect();
    assert_eq!(offsets, [0, 50_000]);
}

#[test]
fn what_arrived_survives_a_failed_run() {
    let server = Server::start(|request, before| match before {
        0 => Response::ok(BODY).cut(50_000),
        1 | 2 => Response::status(503),
        _ => Response::range(BODY, request),
    });
    let world = World::new();
    let error = fetch(&world.downloader(), &want(&[&server.url], BODY)).unwrap_err();
    assert_eq!((error.code(), error.class()), ("fetch.status", Class::Remote { transient: true }));
    assert_eq!(fetch(&world.downloader(), &want(&[&server.url], BODY)).unwrap(), BODY);
    assert_eq!(server.seen().last().unwrap().offset(), 50_000);
}

#[test]
fn a_server_without_ranges_sends_all_again() {
    let server = Server::start(|_, before| match before {
        0 => Response::ok(BODY).cut(50_000),
        _ => Response::ok(BODY),
    });
    assert_eq!(fetch(&World::new().downloader(), &want(&[&server.url], BODY)).unwrap(), BODY);
}

#[test]
fn a_server_that_recovers_is_waited_for() {
    let server = Server::start(|_, before| match before {
        0 | 1 => Response::status(502),
        _ => Response::ok(BODY),
    });
    assert_eq!(fetch(&World::new().downloader(), &want(&[&server.url], BODY)).unwrap(), BODY);
}

#[test]
fn the_next_mirror_is_tried() {
    let gone = Server::start(|_, _| Response::status(404));
    let server = Server::start(|_, _| Response::ok(BODY));
    let want = want(&[&gone.url, &server.url], BODY);
    assert_eq!(fetch(&World::new().downloader(), &want).unwrap(), BODY);
    assert_eq!(gone.seen().len(), 1, "404 is not worth another attempt");
}

#[test]
fn wrong_bytes_are_refused_and_not_kept() {
    let server = Server::start(|_, _| Response::ok(b"something else"));
    let world = World::new();
    let error = fetch(&world.downloader(), &want(&[&server.url], BODY)).unwrap_err();
    assert_eq!((error.code(), error.class()), ("fetch.checksum_mismatch", Class::Content));
    assert_eq!(server.seen().len(), 1);
    assert!(!world.cache.path().join("downloads/sha256").exists());
}

#[test]
fn a_resumed_file_that_turns_out_wrong_starts_over() {
    let server = Server::start(|request, before| match before {
        0 => Response::ok(&vec![8; 200_000]).cut(50_000),
        _ => Response::range(BODY, request),
    });
    assert_eq!(fetch(&World::new().downloader(), &want(&[&server.url], BODY)).unwrap(), BODY);
}

#[test]
fn no_more_than_the_cap_is_taken() {
    let server = Server::start(|_, _| Response::ok(BODY));
    let mut want = want(&[&server.url], BODY);
    (want.cap, want.size) = (1000, None);
    let error = fetch(&World::new().downloader(), &want).unwrap_err();
    assert_eq!(error.code(), "fetch.too_large");
    let error =
        World::new().downloader().document(std::slice::from_ref(&server.url), None, 1000).unwrap_err();
    assert_eq!(error.code(), "fetch.too_large");
}

#[test]
fn a_credential_does_not_follow_a_redirect_to_another_host() {
    let other = Server::start(|_, _| Response::ok(BODY));
    let target = format!("{}/elsewhere", other.url);
    let server = Server::start(move |_, _| Response::status(302).with("location", &target));
    let world = World::new();
    let mut credentials = Credentials::default();
    credentials.bearer(server.url.strip_prefix("http:").unwrap(), "s3cret");
    let downloader = Downloader::new(Options { credentials, ..world.options() }).unwrap();
    assert_eq!(fetch(&downloader, &want(&[&server.url], BODY)).unwrap(), BODY);
    assert_eq!(server.seen()[0].header("authorization"), Some("Bearer s3cret"));
    assert_eq!(other.seen()[0].header("authorization"), None);
    assert_eq!(other.seen()[0].path, "/elsewhere");
}

#[test]
fn redirects_end() {
    let server = Server::start(|_, _| Response::status(302).with("location", "/again"));
    let error = fetch(&World::new().downloader(), &want(&[&server.url], BODY)).unwrap_err();
    assert_eq!(error.code(), "fetch.redirect");
}

#[test]
fn offline_names_everything_that_is_missing() {
    let world = World::new();
    let offline = Downloader::new(Options { offline: true, ..world.options() }).unwrap();
    let wants = [want(&["http://a.invalid"], b"1"), want(&["http://b.invalid"], b"2")];
    let error = offline.files(&wants).unwrap_err();
    assert_eq!(error.code(), "fetch.offline");
    let text = error.to_string();
    assert!(text.contains("http://a.invalid/thing") && text.contains("http://b.invalid/thing"), "{text}");
}

#[test]
fn offline_a_document_is_the_one_seen_last() {
    let server = Server::start(|_, _| Response::ok(b"hello"));
    let world = World::new();
    let urls = [format!("{}/InRelease", server.url)];
    assert_eq!(world.downloader().document(&urls, None, 100).unwrap(), b"hello");
    let offline = Downloader::new(Options { offline: true, ..world.options() }).unwrap();
    assert_eq!(offline.document(&urls, None, 100).unwrap(), b"hello");
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn many_files_arrive_with_progress() {
    let server = Server::start(|request, _| Response::ok(request.path.as_bytes()));
    let world = World::new();
    let last = std::sync::Arc::new(std::sync::Mutex::new(None));
    let seen = last.clone();
    let downloader = world.downloader().on_progress(Box::new(move |now| *seen.lock().unwrap() = Some(now)));
    let wants: Vec<_> = (0..20)
        .map(|index| {
            let path = format!("/{index:02}");
            Want { urls: vec![format!("{}{path}", server.url)], ..want(&[], path.as_bytes()) }
        })
        .collect();
    let paths = downloader.files(&wants).unwrap();
    assert_eq!(std::fs::read(&paths[7]).unwrap(), b"/07");
    let last = last.lock().unwrap().unwrap();
    assert_eq!((last.bytes, last.total_bytes, last.files, last.total_files), (60, 60, 20, 20));
}

#[test]
fn no_error_says_anything_twice() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = fetch(&World::new().downloader(), &want(&[&format!("http://{closed}")], BODY)).unwrap_err();
    let source = std::error::Error::source(&error).expect("a cause").to_string();
    assert!(!error.to_string().contains(&source), "{error} / {source}");
}

fn changing(world: &World, server: &Server) -> Result<Vec<u8>, Error> {
    let url = format!("{}/feed.json", server.url);
    world.downloader().changing(&url, 1 << 20).map(|path| std::fs::read(path).unwrap())
}

#[test]
fn a_document_that_has_not_changed_is_not_sent_again() {
    let server = Server::start(|request, _| match request.header("if-none-match") {
        Some("\"v1\"") => Response::status(304),
        _ => Response::ok(BODY).with("ETag", "\"v1\""),
    });
    let world = World::new();
    assert_eq!(changing(&world, &server).unwrap(), BODY);
    assert_eq!(changing(&world, &server).unwrap(), BODY);
    assert_eq!(server.seen().iter().filter(|request| request.header("if-none-match").is_some()).count(), 1);
}

#[test]
fn a_changing_document_goes_on_in_the_next_run_where_it_broke() {
    let server = Server::start(|request, before| match before {
        0..3 => Response::ok(BODY).with("ETag", "\"v1\"").cut(50_000 * (before + 1)),
        _ => Response::range(BODY, request).with("ETag", "\"v1\""),
    });
    let world = World::new();
    changing(&world, &server).unwrap_err();
    assert_eq!(changing(&world, &server).unwrap(), BODY);
    let last = server.seen().pop().unwrap();
    assert_eq!((last.offset(), last.header("if-range")), (150_000, Some("\"v1\"")));
}

#[test]
fn a_document_that_changed_meanwhile_is_taken_whole() {
    let newer = [9; 1000];
    let server = Server::start(move |_, before| match before {
        0..3 => Response::ok(BODY).with("ETag", "\"v1\"").cut(50_000),
        _ => Response::ok(&newer).with("ETag", "\"v2\""),
    });
    let world = World::new();
    changing(&world, &server).unwrap_err();
    assert_eq!(changing(&world, &server).unwrap(), newer);
}

#[test]
fn a_failed_update_leaves_the_document_that_was_there() {
    let server = Server::start(|_, before| match before {
        0 => Response::ok(BODY),
        _ => Response::status(404),
    });
    let world = World::new();
    assert_eq!(changing(&world, &server).unwrap(), BODY);
    changing(&world, &server).unwrap_err();
    let offline = Downloader::new(Options { offline: true, ..world.options() }).unwrap();
    let path = offline.changing(&format!("{}/feed.json", server.url), 1 << 20).unwrap();
    assert_eq!(std::fs::read(path).unwrap(), BODY);
}
