//! Debian's docker-registry, which keeps no account of referrers; with and without passwords.

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use kiln_finding::Diagnose as _;
use kiln_image::{CopyOptions, Source, copy, copy_with};
use kiln_registry::{Keyring, RegistrySettings};

use crate::fake::{Shelf, client, client_with};

/// A registry that ends with the test.
struct Registry {
    child: Child,
    host: String,
    _folder: tempfile::TempDir,
}

impl Drop for Registry {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// `None`, and a word to the reader of the log, where the program is missing.
fn start(extra: &str) -> Option<Registry> {
    start_with("", extra)
}

/// The same with more settings of its server.
#[expect(clippy::explicit_write, reason = "the macro would be captured")]
fn start_with(http: &str, extra: &str) -> Option<Registry> {
    if Command::new("docker-registry").arg("--version").output().is_err() {
        let must = std::env::var("KILN_CI").is_ok_and(|value| value == "1");
        let has = std::env::var("KILN_CI_HAS").unwrap_or_default();
        assert!(!must || !has.split_whitespace().any(|name| name == "registry"), "registry must be here");
        writeln!(std::io::stderr(), "skipped: a test of kiln-registry: no docker-registry here").unwrap();
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let host = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let root = folder.path().join("root");
    let text = format!(
        "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\n\
         http: {{addr: \"{host}\", {http}}}\n{}",
        root.display(),
        extra.replace("FOLDER", &folder.path().display().to_string()),
    );
    // me:pw
    let password = "me:$2y$05$UTWWesHPGrvo/NzbngMZNeLKklRgIdwZJgGQRVthFzQ0qu4mvDoqa\n";
    std::fs::write(folder.path().join("htpasswd"), password).unwrap();
    let config = folder.path().join("config.yml");
    std::fs::write(&config, text).unwrap();
    let child = Command::new("docker-registry")
        .arg("serve")
        .arg(&config)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let began = Instant::now();
    while TcpStream::connect(&host).is_err() {
        assert!(began.elapsed() < Duration::from_secs(20), "the registry does not start");
        std::thread::sleep(Duration::from_millis(20));
    }
    Some(Registry { child, host, _folder: folder })
}

#[test]
fn images_and_statements_go_there_and_back() {
    let Some(registry) = start("") else { return };
    let shelf = Shelf::new();
    let image = shelf.image(&vec![8; 5_000_000]);
    let statement = shelf.about(&image, "one");
    for chunk in [None, Some(1_000_000)] {
        let settings = RegistrySettings { chunk, ..RegistrySettings::default() };
        let name = format!("{}/team/app-{}:1", registry.host, chunk.unwrap_or(0));
        let repository = client(&settings).repository(&name.parse().unwrap()).unwrap();
        let options = CopyOptions { referrers: true, ..CopyOptions::default() };
        copy_with(&shelf.layout, &repository, &image, Some("1"), &options).unwrap();
        assert_eq!(repository.resolve("1").unwrap().unwrap().digest, image.digest);
        assert_eq!(repository.referrers(&image.digest).unwrap().found[0].digest, statement.digest);
        let back = Shelf::new();
        copy_with(&repository, &back.layout, &image, Some("1"), &options).unwrap();
        assert_eq!(back.layout.referrers(&image.digest).unwrap().found.len(), 1);
        let other = format!("{}/other/app:1", registry.host);
        let other = client(&settings).repository(&other.parse().unwrap()).unwrap().mounting_from(&repository);
        let copied = copy_with(&repository, &other, &image, Some("1"), &CopyOptions::default()).unwrap();
        assert_eq!(copied.manifests, 1);
    }
}

#[test]
fn a_password_lets_in() {
    let htpasswd = "auth: {htpasswd: {realm: kiln, path: FOLDER/htpasswd}}\n";
    let Some(registry) = start(htpasswd) else { return };
    let shelf = Shelf::new();
    let image = shelf.image(&vec![9; 100_000]);
    let name = format!("{}/team/app:1", registry.host).parse().unwrap();
    let nobody = client(&RegistrySettings::default()).repository(&name).unwrap();
    let error = copy(&shelf.layout, &nobody, &image, Some("1")).unwrap_err();
    assert_eq!(error.code(), "registry.denied");
    let text = format!(r#"{{"auths":{{"{}":{{"auth":"bWU6cHc="}}}}}}"#, registry.host);
    let keyring = Keyring::new([shelf.file("config.json", &text)]);
    let someone = client_with(&RegistrySettings::default(), keyring).repository(&name).unwrap();
    copy(&shelf.layout, &someone, &image, Some("1")).unwrap();
    assert_eq!(someone.resolve("1").unwrap().unwrap().digest, image.digest);
}

/// A certificate for 127.0.0.1 that signs itself, in `cert.pem` and `key.pem`; `None` without openssl.
fn certificate(folder: &std::path::Path) -> Option<()> {
    let run = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=kiln test"])
        .args(["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(folder)
        .output()
        .ok()?;
    run.status.success().then_some(())
}

#[test]
fn a_certificate_is_trusted_only_when_it_is_named() {
    let keys = tempfile::tempdir().unwrap();
    if certificate(keys.path()).is_none() {
        return;
    }
    let (cert, key) = (keys.path().join("cert.pem"), keys.path().join("key.pem"));
    let (cert_text, key_text) = (cert.display(), key.display());
    let tls = format!("tls: {{certificate: {cert_text}, key: {key_text}}}");
    let Some(registry) = start_with(&tls, "") else { return };
    let shelf = Shelf::new();
    let image = shelf.image(&[7; 1000]);
    let name = format!("{}/team/app:1", registry.host).parse().unwrap();
    // This machine may be asked without TLS, but where TLS is spoken its certificate counts.
    let stranger = client(&RegistrySettings::default()).repository(&name).unwrap();
    let error = stranger.resolve("1").unwrap_err();
    assert_eq!(error.code(), "registry.network");
    assert!(error.help().unwrap().contains("ca-files"), "{:?}", error.help());
    let settings = RegistrySettings { ca_files: vec![cert], ..RegistrySettings::default() };
    let friend = client(&settings).repository(&name).unwrap();
    copy(&shelf.layout, &friend, &image, Some("1")).unwrap();
    assert_eq!(friend.resolve("1").unwrap().unwrap().digest, image.digest);
}
