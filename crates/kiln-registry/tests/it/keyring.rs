use std::os::unix::fs::PermissionsExt as _;

use kiln_finding::{Class, Diagnose as _};
use kiln_image::Source;
use kiln_registry::{Keyring, RegistrySettings};

use crate::fake::{Fake, Shelf, client_with};
use crate::server::Reply;

fn basic() -> Fake {
    Fake::scripted(|request| {
        let is_in = request.header("authorization") == Some("Basic bWU6cHc=");
        (!is_in).then(|| Reply::new(401).with("www-authenticate", "basic realm=x"))
    })
}

#[test]
fn a_malformed_file_is_named_and_not_quoted() {
    let shelf = Shelf::new();
    let path = shelf.file("auth.json", r#"{"auths": "secret"#);
    let client = client_with(&RegistrySettings::default(), Keyring::new([path]));
    let fake = basic();
    let error = client.repository(&fake.reference("a").parse().unwrap()).unwrap().resolve("1").unwrap_err();
    assert_eq!((error.code(), error.class()), ("registry.credentials", Class::Config));
    assert!(error.to_string().contains("auth.json"), "{error}");
    assert!(!format!("{error:?}").contains("secret"), "{error:?}");
}

/// As docker reads it.
#[test]
fn nothing_is_kept_in_many_ways() {
    let (shelf, fake) = (Shelf::new(), basic());
    let host = &fake.server.host;
    for text in [
        "",
        " \n",
        "null",
        "{}",
        r#"{"auths":null}"#,
        r#"{"credsStore":null,"credHelpers":null}"#,
        &format!(r#"{{"auths":{{"{host}":null}}}}"#),
        &format!(r#"{{"auths":{{"{host}":{{"auth":null,"identitytoken":null}}}}}}"#),
    ] {
        // What the first file has nothing of, the second has.
        let good = format!(r#"{{"auths":{{"other.invalid":null,"{host}":{{"auth":"bWU6cHc="}}}}}} and more"#);
        let files = [shelf.file("empty.json", text), shelf.file("auth.json", &good)];
        let client = client_with(&RegistrySettings::default(), Keyring::new(files));
        let repository = client.repository(&fake.reference("a").parse().unwrap()).unwrap();
        assert_eq!(repository.resolve("1").unwrap(), None, "{text}");
    }
}

#[test]
fn the_entry_of_the_longest_path_counts() {
    let (shelf, fake) = (Shelf::new(), basic());
    let host = &fake.server.host;
    let text = format!(
        r#"{{"auths":{{"{host}":{{"auth":"eDp5"}},"{host}/team":{{"auth":"bWU6cHc="}},"{host}/te":{{"auth":"eDp5"}}}}}}"#
    );
    let client = client_with(&RegistrySettings::default(), Keyring::new([shelf.file("auth.json", &text)]));
    let resolve = |name: &str| {
        client.repository(&fake.reference(name).parse().unwrap()).unwrap().resolve("1").map(drop)
    };
    resolve("team/app").unwrap();
    resolve("other/app").unwrap_err();
}

/// Helpers are looked up by name in PATH, so one that is missing is what can be shown here without changing it.
#[test]
fn a_helper_that_is_missing_or_has_a_bad_name_is_said() {
    let (shelf, fake) = (Shelf::new(), basic());
    for helper in ["kiln-test-absent", "../evil", "a b"] {
        let text = format!(r#"{{"credHelpers":{{"{}":"{helper}"}}}}"#, fake.server.host);
        let client =
            client_with(&RegistrySettings::default(), Keyring::new([shelf.file("config.json", &text)]));
        let repository = client.repository(&fake.reference("a").parse().unwrap()).unwrap();
        let error = repository.resolve("1").unwrap_err();
        assert_eq!(error.code(), "registry.credential_helper");
        assert!(error.to_string().contains(helper), "{error}");
    }
}

/// Runs this test binary again with a folder of helpers in front of PATH.
#[test]
fn helpers_are_asked() {
    let shelf = Shelf::new();
    if let Ok(host) = std::env::var("KILN_TEST_HELPED") {
        let fake = basic();
        let text = format!(r#"{{"credsStore":"{host}"}}"#);
        let client =
            client_with(&RegistrySettings::default(), Keyring::new([shelf.file("config.json", &text)]));
        let result = client.repository(&fake.reference("a").parse().unwrap()).unwrap().resolve("1");
        match host.as_str() {
            "kiln-good" => assert_eq!(result.unwrap(), None),
            "kiln-empty" => assert_eq!(result.unwrap_err().code(), "registry.denied"),
            "kiln-broken" => {
                let said = result.unwrap_err().to_string();
                assert!(
                    said.ends_with(
                        "docker-credential-kiln-broken: it ended with exit code 3: the vault is locked"
                    ),
                    "{said}"
                );
            }
            _ => assert_eq!(result.unwrap_err().code(), "registry.credential_helper"),
        }
        return;
    }
    let helpers = [
        ("kiln-good", "read host; echo '{\"ServerURL\":\"x\",\"Username\":\"me\",\"Secret\":\"pw\"}'"),
        ("kiln-empty", "echo 'credentials not found in native keychain'; exit 1"),
        ("kiln-broken", "printf 'one\\nthe \\033vault is locked\\n\\n'; exit 3"),
        ("kiln-odd", "echo '[1'"),
    ];
    let path = format!("{}:{}", shelf.folder.path().display(), std::env::var("PATH").unwrap());
    for (name, script) in helpers {
        let file = shelf.file(&format!("docker-credential-{name}"), &format!("#!/bin/sh\n{script}\n"));
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        let run = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "keyring::helpers_are_asked"])
            .env("KILN_TEST_HELPED", name)
            .env("PATH", &path)
            .output()
            .unwrap();
        assert!(run.status.success(), "{name}: {}", String::from_utf8_lossy(&run.stdout));
    }
}
