use std::io::Read;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use kiln_finding::{Class, Diagnose as _};
use kiln_image::{Sink, Source, copy};
use kiln_oci::{Descriptor, media_type};
use kiln_registry::RegistrySettings;

use crate::fake::{Fake, Shelf, client};
use crate::server::{Reply, Server};

/// A registry whose blobs are all `reply`.
fn blobs(reply: Reply) -> Fake {
    Fake::scripted(move |request| request.path.contains("/blobs/").then(|| reply.clone()))
}

fn read(fake: &Fake, content: &Descriptor) -> std::io::Result<usize> {
    let repository = fake.repository();
    let mut reader = repository.open(content).unwrap();
    let mut bytes = Vec::new();
    let result = reader.read_to_end(&mut bytes);
    assert!(bytes.len() as u64 <= content.size, "no more than was promised is passed on");
    result
}

#[test]
fn blobs_that_are_not_what_was_promised() {
    let promised = Descriptor::of(media_type::LAYER, b"what was promised");
    let error = read(&blobs(Reply::ok(b"what wasn't, same")), &promised).unwrap_err();
    assert!(error.to_string().contains(&promised.digest.to_string()), "{error}");
    read(&blobs(Reply::ok(b"what was promised, and more")), &promised).unwrap_err();
    read(&blobs(Reply::ok(b"what was")), &promised).unwrap_err();
    let began = Instant::now();
    read(&blobs(Reply { endless: true, ..Reply::ok(&[0; 1000]) }), &promised).unwrap_err();
    assert!(began.elapsed() < Duration::from_secs(2));
}

#[test]
fn a_blob_that_drips_is_given_up() {
    let content = Descriptor::of(media_type::LAYER, &vec![1; 100_000]);
    let fake = blobs(Reply { drip: Some(Duration::from_millis(20)), ..Reply::ok(&vec![1; 100_000]) });
    let began = Instant::now();
    let error = read(&fake, &content).unwrap_err();
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert!(error.to_string().contains("broke"), "{error}");
}

#[test]
fn manifests_that_are_not_what_was_promised() {
    let one = |reply: Reply| Fake::scripted(move |_| Some(reply.clone()));
    let typed = |body: &[u8]| Reply::ok(body).with("content-type", media_type::MANIFEST);
    let code = |fake: &Fake, reference: &str| fake.repository().resolve(reference).unwrap_err().code();
    let digest = format!("sha256:{}", "a".repeat(64));
    assert_eq!(code(&one(typed(b"{}")), &digest), "registry.mismatch");
    assert_eq!(code(&one(typed(b"{}").with("docker-content-digest", &digest)), "1"), "registry.mismatch");
    assert_eq!(code(&one(typed(b"no JSON")), "1"), "registry.document");
    assert_eq!(code(&one(Reply::ok(b"{}").with("content-type", "text/html")), "1"), "registry.document");
    let other = format!(r#"{{"mediaType":"{}"}}"#, media_type::INDEX);
    assert_eq!(code(&one(typed(other.as_bytes())), "1"), "registry.document");
}

#[test]
fn manifests_have_a_cap() {
    let big = |size: usize| {
        let text = format!(
            r#"{{"schemaVersion":2,"mediaType":"{}","x":"{}"}}"#,
            media_type::INDEX,
            "x".repeat(size)
        );
        Fake::scripted(move |_| Some(Reply::ok(text.as_bytes()).with("content-type", media_type::INDEX)))
    };
    assert!(big(4 << 20).repository().resolve("1").unwrap().is_some());
    let error = big(16 << 20).repository().resolve("1").unwrap_err();
    assert_eq!((error.code(), error.class()), ("registry.too_large", Class::Content));
    let endless = Fake::scripted(|_| Some(Reply { endless: true, ..Reply::ok(&[b' '; 4096]) }));
    assert_eq!(endless.repository().resolve("1").unwrap_err().code(), "registry.too_large");
}

#[test]
fn redirects_end() {
    let fake =
        Fake::scripted(|request| Some(Reply::new(307).with("location", &format!("{}x", request.path))));
    let error = fake.repository().resolve("1").unwrap_err();
    assert_eq!(error.code(), "registry.redirect");
    assert!(fake.server.seen().len() < 12);
    let nowhere = Fake::scripted(|_| Some(Reply::new(302)));
    assert_eq!(nowhere.repository().resolve("1").unwrap_err().code(), "registry.redirect");
}

/// What a registry says wrong is an error of the other side, and no fault of whoever asks.
#[test]
fn addresses_that_cannot_be_asked_are_the_servers_fault() {
    let remote = Class::Remote { transient: false };
    for location in ["file:///etc/passwd", "file:x", "ftp://a.invalid/"] {
        let fake = Fake::scripted(move |_| Some(Reply::new(307).with("location", location)));
        let error = fake.repository().resolve("1").unwrap_err();
        assert_eq!((error.code(), error.class()), ("fetch.redirect", remote), "{location}");
        let realm = format!("Bearer realm=\"{location}\"");
        let fake = Fake::scripted(move |_| Some(Reply::new(401).with("www-authenticate", &realm)));
        let error = fake.repository().resolve("1").unwrap_err();
        assert_eq!((error.code(), error.class()), ("registry.login", remote), "{location}");
    }
}

#[test]
fn who_denies_is_named() {
    let storage = Server::start(|_| Reply::new(403));
    let target = format!("http://{}/x?signature=1", storage.host);
    let fake = Fake::scripted(move |_| Some(Reply::new(307).with("location", &target)));
    let error = fake.repository().resolve("1").unwrap_err();
    let (said, help) = (error.to_string(), error.help().unwrap());
    let host = &fake.server.host;
    assert_eq!(error.code(), "registry.denied");
    assert!(
        said.contains(&format!(
            "http://{}/x, where {host} points to: it is denied there (403)",
            storage.host
        )),
        "{said}"
    );
    assert!(!help.contains("docker login"), "{help}");
}

#[test]
fn a_redirect_takes_no_credential_along() {
    let storage = Server::start(|_| Reply::ok(b"layer"));
    let target = format!("http://{}/x?signature=1", storage.host);
    let fake = Fake::scripted(move |request| {
        let is_in = request.header("authorization").is_some();
        Some(match (is_in, request.path.contains("/blobs/")) {
            (false, _) => Reply::new(401).with("www-authenticate", "Basic realm=x"),
            (true, true) => Reply::new(307).with("location", &target),
            (true, false) => return None,
        })
    });
    let shelf = Shelf::new();
    let text = format!(r#"{{"auths":{{"{}":{{"auth":"bWU6cHc="}}}}}}"#, fake.server.host);
    let keyring = kiln_registry::Keyring::new([shelf.file("config.json", &text)]);
    let client = crate::fake::client_with(&RegistrySettings::default(), keyring);
    let repository = client.repository(&fake.reference("team/app").parse().unwrap()).unwrap();
    let mut bytes = Vec::new();
    let layer = Descriptor::of(media_type::LAYER, b"layer");
    repository.open(&layer).unwrap().read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes, b"layer");
    assert_eq!(storage.seen().len(), 1);
    assert_eq!(storage.seen()[0].header("authorization"), None);
}

#[test]
fn a_storm_of_errors_passes_or_is_told() {
    for (failures, fine) in [(2, true), (50, false)] {
        let count = AtomicUsize::new(0);
        let fake = Fake::scripted(move |_| {
            (count.fetch_add(1, Ordering::Relaxed) < failures).then(|| Reply::new(503))
        });
        fake.image(b"layer");
        let result = fake.repository().resolve("1");
        assert_eq!(result.is_ok(), fine, "{result:?}");
        if let Err(error) = result {
            assert_eq!(error.class(), Class::Remote { transient: true });
            assert_eq!(fake.server.seen().len(), 3);
        }
    }
}

#[test]
fn a_busy_registry_is_waited_for_within_bounds() {
    let busy = |wait: &'static str| {
        let count = AtomicUsize::new(0);
        let fake = Fake::scripted(move |_| {
            let is_first = count.fetch_add(1, Ordering::Relaxed) == 0;
            is_first.then(|| Reply::new(429).with("retry-after", wait))
        });
        fake.image(b"layer");
        let began = Instant::now();
        (fake.repository().resolve("1"), began.elapsed())
    };
    let (result, took) = busy("1");
    assert!(result.is_ok() && took >= Duration::from_secs(1), "{took:?}");
    assert!(busy("Fri, 31 Dec 1999 23:59:59 GMT").0.is_ok());
    let (result, took) = busy("86400");
    let error = result.unwrap_err();
    assert!(error.to_string().contains("86400"), "{error}");
    assert!(took < Duration::from_secs(1));
}

#[test]
fn a_registry_that_lies_between_head_and_manifest() {
    let fake = Fake::scripted(|request| {
        (request.method == "HEAD" && request.path.contains("/blobs/"))
            .then(|| Reply::new(200).with("content-length", "5"))
    });
    let shelf = Shelf::new();
    let image = shelf.image(b"layer");
    let error = copy(&shelf.layout, &fake.repository(), &image, Some("1")).unwrap_err();
    assert!(error.help().unwrap().contains("push again"), "{:?}", error.help());
    assert_eq!(fake.repository().resolve("1").unwrap(), None, "nothing has the name");
}

#[test]
fn a_registry_that_stores_something_else() {
    let other = format!("sha256:{}", "b".repeat(64));
    let fake = Fake::scripted(move |request| {
        (request.method == "PUT" && request.path.contains("/manifests/"))
            .then(|| Reply::new(201).with("docker-content-digest", &other))
    });
    let shelf = Shelf::new();
    let image = shelf.image(b"layer");
    let error = copy(&shelf.layout, &fake.repository(), &image, Some("1")).unwrap_err();
    assert_eq!(error.code(), "registry.mismatch");
}

#[test]
fn what_a_server_says_is_cleaned() {
    let body = format!(r#"{{"errors":[{{"code":"X","message":"bad\u001b[31m {}"}}]}}"#, "y".repeat(1000));
    let fake = Fake::scripted(move |_| Some(Reply { status: 400, ..Reply::ok(body.as_bytes()) }));
    let error = fake.repository().resolve("1").unwrap_err().to_string();
    assert!(error.contains("bad") && !error.contains('\u{1b}') && error.len() < 600, "{error}");
}

#[test]
fn uploads_that_lead_nowhere() {
    for reply in [
        Reply::new(202),
        Reply::new(202).with("location", "ftp://a.invalid/"),
        Reply::new(201),
        Reply::new(404),
    ] {
        let fake = Fake::scripted(move |request| (request.method == "POST").then(|| reply.clone()));
        let content = Descriptor::of(media_type::LAYER, b"layer");
        fake.repository().put(&content, &mut &b"layer"[..]).unwrap_err();
    }
}

#[test]
fn nobody_listens() {
    let repository =
        client(&RegistrySettings::default()).repository(&"127.0.0.1:1/app".parse().unwrap()).unwrap();
    let began = Instant::now();
    let error = repository.resolve("1").unwrap_err();
    assert_eq!(error.class(), Class::Remote { transient: false });
    assert!(began.elapsed() < Duration::from_secs(1));
}

/// A registry that waits before every answer is asked until the time is over, and for nothing after that; whatever is asked.
#[test]
fn what_is_allowed_is_for_everything_together() {
    let slow = || {
        let waits = |_: &crate::server::Request| {
            std::thread::sleep(Duration::from_millis(400));
            Some(Reply::new(503))
        };
        Fake::scripted(waits)
    };
    let digest = kiln_oci::Digest::of(b"x");
    let content = Descriptor::of(media_type::LAYER, b"x");
    let asks: [&dyn Fn(&kiln_registry::Repository) -> bool; 4] = [
        &|repository| repository.referrers(&digest).is_err(),
        &|repository| repository.resolve_all("1").is_err(),
        &|repository| repository.resolve("1").is_err(),
        &|repository| repository.open(&content).unwrap().read_to_end(&mut Vec::new()).is_err(),
    ];
    for (at, ask) in asks.iter().enumerate() {
        let fake = slow();
        let repository = fake.repository();
        repository.allow(Some(Duration::from_millis(200)));
        assert!(ask(&repository) && ask(&repository), "{at}");
        assert_eq!(fake.server.seen().len(), 1, "{at}: nothing is asked again");
    }
    // What is no longer limited is asked as often as ever.
    let fake = blobs(Reply::ok(b"x"));
    let repository = fake.repository();
    repository.allow(Some(Duration::ZERO));
    assert!(repository.open(&content).unwrap().read_to_end(&mut Vec::new()).is_err());
    repository.allow(None);
    assert_eq!(repository.open(&content).unwrap().read_to_end(&mut Vec::new()).unwrap(), 1);
}

/// What comes slowly, but comes, takes no more time than there is.
#[test]
fn a_blob_that_drips_is_over_when_the_time_is() {
    let drip = Some(Duration::from_millis(1));
    let bytes = vec![1; 100_000];
    let fake = blobs(Reply { drip, ..Reply::ok(&bytes) });
    let repository = fake.repository();
    repository.allow(Some(Duration::from_millis(100)));
    let content = Descriptor::of(media_type::LAYER, &bytes);
    assert!(repository.open(&content).unwrap().read_to_end(&mut Vec::new()).is_err());
    assert_eq!(fake.server.count("GET /v2/team/app/blobs/"), 1);
}
