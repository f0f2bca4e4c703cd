use std::sync::atomic::{AtomicUsize, Ordering};

use kiln_finding::Diagnose as _;
use kiln_image::Source;
use kiln_registry::{Keyring, RegistrySettings};

use crate::fake::{Fake, Shelf, client, client_with};
use crate::server::{Reply, Request, Server};

/// Gives out the token `t<n>`; `n` counts.
fn tokens(life: u64) -> Server {
    let given = AtomicUsize::new(0);
    Server::start(move |_| {
        let number = given.fetch_add(1, Ordering::Relaxed);
        Reply::ok(format!(r#"{{"token":"t{number}","expires_in":{life}}}"#).as_bytes())
    })
}

/// Lets in whoever has one of the tokens that `good` names.
fn guarded(tokens: &Server, good: impl Fn(&Request, &str) -> bool + Send + Sync + 'static) -> Fake {
    let realm = format!("http://{}/token", tokens.host);
    Fake::scripted(move |request| {
        let given = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
        if given.is_some_and(|token| good(request, token)) {
            return None;
        }
        let challenge = format!(r#"Bearer realm="{realm}",service="fake",scope="repository:x:pull""#);
        Some(Reply::new(401).with("www-authenticate", &challenge))
    })
}

fn keyring(shelf: &Shelf, text: &str) -> Keyring {
    Keyring::new([shelf.folder.path().join("absent.json"), shelf.file("config.json", text)])
}

#[test]
fn a_token_is_asked_for_once() {
    let tokens = tokens(300);
    let fake = guarded(&tokens, |_, token| token == "t0");
    let shelf = Shelf::new();
    let image = shelf.image(b"layer");
    shelf.push(&fake.repository(), &image);
    let asked = tokens.seen();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].query("service").as_deref(), Some("fake"));
    assert_eq!(asked[0].query("scope").as_deref(), Some("repository:team/app:pull,push"));
    assert_eq!(asked[0].header("authorization"), None);
}

#[test]
fn a_mount_asks_to_read_there_too() {
    let tokens = tokens(300);
    let fake = guarded(&tokens, |_, _| true);
    let shelf = Shelf::new();
    let image = shelf.image(b"layer");
    let from = fake.named("base/node");
    shelf.push(&fake.repository().mounting_from(&from), &image);
    let path = &tokens.seen()[0].path;
    assert!(path.contains("scope=repository:team/app:pull,push&scope=repository:base/node:pull"), "{path}");
}

#[test]
fn a_token_that_runs_out_is_replaced() {
    let tokens = tokens(300);
    let used = AtomicUsize::new(0);
    // The first token is good for four requests only, whatever was said.
    let fake = guarded(&tokens, move |_, token| token != "t0" || used.fetch_add(1, Ordering::Relaxed) < 4);
    let shelf = Shelf::new();
    let image = shelf.image(&vec![9; 3_000_000]);
    shelf.push(&fake.repository(), &image);
    assert_eq!(tokens.seen().len(), 2);
    assert_eq!(fake.repository().resolve("1").unwrap().unwrap(), image);
}

#[test]
fn names_and_passwords_are_presented_where_they_belong() {
    let shelf = Shelf::new();
    let tokens = tokens(300);
    let fake = guarded(&tokens, |_, _| true);
    // bWU6cHc= is me:pw
    let text = format!(
        r#"{{"auths":{{"{}":{{"auth":"bWU6cHc="}},"other.invalid":{{"auth":"eDp5"}}}}}}"#,
        fake.server.host
    );
    let client = client_with(&RegistrySettings::default(), keyring(&shelf, &text));
    let repository = client.repository(&fake.reference("team/app").parse().unwrap()).unwrap();
    assert_eq!(repository.resolve("1").unwrap(), None);
    assert_eq!(tokens.seen()[0].header("authorization"), Some("Basic bWU6cHc="));
    let direct = Fake::scripted(|request| {
        let is_in = request.header("authorization") == Some("Basic bWU6cHc=");
        (!is_in).then(|| Reply::new(401).with("www-authenticate", "Basic realm=\"x\""))
    });
    let text =
        format!(r#"{{"auths":{{"http://{}/v2/":{{"username":"me","password":"pw"}}}}}}"#, direct.server.host);
    let client = client_with(&RegistrySettings::default(), keyring(&shelf, &text));
    let repository = client.repository(&direct.reference("team/app").parse().unwrap()).unwrap();
    assert_eq!(repository.resolve("1").unwrap(), None);
}

#[test]
fn an_identity_token_is_exchanged() {
    let tokens = Server::start(|request| {
        assert_eq!(request.method, "POST");
        let form = String::from_utf8(request.body.clone()).unwrap();
        assert!(form.contains("grant_type=refresh_token") && form.contains("refresh_token=i%3Dd"), "{form}");
        Reply::ok(br#"{"access_token":"fine"}"#)
    });
    let fake = guarded(&tokens, |_, token| token == "fine");
    let shelf = Shelf::new();
    let text = format!(r#"{{"auths":{{"{}":{{"identitytoken":"i=d"}}}}}}"#, fake.server.host);
    let client = client_with(&RegistrySettings::default(), keyring(&shelf, &text));
    let repository = client.repository(&fake.reference("team/app").parse().unwrap()).unwrap();
    assert_eq!(repository.resolve("1").unwrap(), None);
}

#[test]
fn a_refusal_says_what_to_do_and_no_secret() {
    let shelf = Shelf::new();
    let tokens = Server::start(|_| Reply::new(401));
    let fake = guarded(&tokens, |_, _| false);
    let nobody = fake.repository().resolve("1").unwrap_err();
    assert_eq!(nobody.code(), "registry.denied");
    assert!(nobody.help().unwrap().contains("docker login"), "{:?}", nobody.help());
    let text = format!(r#"{{"auths":{{"{}":{{"auth":"bWU6c2VjcmV0"}}}}}}"#, fake.server.host);
    let client = client_with(&RegistrySettings::default(), keyring(&shelf, &text));
    let repository = client.repository(&fake.reference("team/app").parse().unwrap()).unwrap();
    let known = repository.resolve("1").unwrap_err();
    assert!(known.help().unwrap().contains("does not allow"), "{:?}", known.help());
    for text in [format!("{known:?}"), known.to_string(), known.help().unwrap()] {
        assert!(!text.contains("secret") && !text.contains("bWU6c2VjcmV0"), "{text}");
    }
}

#[test]
fn tokens_that_come_without_tls_from_elsewhere_are_refused() {
    let fake = Fake::scripted(|_| {
        Some(Reply::new(401).with("www-authenticate", "Bearer realm=\"http://a.invalid/token\""))
    });
    let error = fake.repository().resolve("1").unwrap_err();
    assert_eq!(error.code(), "registry.login");
}

#[test]
fn a_token_that_is_none_is_refused() {
    for body in ["", "{}", "[", r#"{"token":"a\nb"}"#, r#"{"token":1}"#] {
        let tokens = Server::start(move |_| Reply::ok(body.as_bytes()));
        let error = guarded(&tokens, |_, _| true).repository().resolve("1").unwrap_err();
        assert_eq!(error.code(), "registry.login", "{body}");
    }
}

#[test]
fn warnings_are_told_once() {
    let fake = Fake::scripted(|_| Some(Reply::new(404).with("warning", "299 - \"old\"")));
    let client = client(&RegistrySettings::default());
    let repository = client.repository(&fake.reference("a").parse().unwrap()).unwrap();
    repository.resolve("1").unwrap();
    repository.resolve("2").unwrap();
    assert_eq!(client.take_warnings().len(), 1);
}
