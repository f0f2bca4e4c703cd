//! Signing without a key that lasts, with real services and cosign on the other side of the table.

use std::process::Command;

use crate::harness::{Run, World, needs, project};
use crate::http::{Http, Response, repeating};
use crate::images::vulnerable;
use crate::instance::Instance;
use crate::instance::issuer::PERSON;
use crate::instance::log::Fault;
use crate::peers::{Server, pushed};
use crate::ship::can_ship;

/// An image in a registry, and an instance of Sigstore.
struct Table {
    world: World,
    _server: Server,
    image: String,
    instance: Instance,
    root: String,
}

fn table() -> Option<Table> {
    if !needs(&["cosign", "fulcio", "registry", "rekor", "timestamps"]) {
        return None;
    }
    let world = World::new();
    let (server, image) = pushed(&world, "team/app:1");
    let instance = Instance::start(&world);
    let root = instance.trusted_root();
    Some(Table { world, _server: server, image, instance, root })
}

/// Without what the tests' own surroundings may say of tokens.
const CI: [&str; 3] = ["SIGSTORE_ID_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"];

impl Table {
    fn command(&self) -> Command {
        let mut command = self.world.kiln();
        for name in CI {
            command.env_remove(name);
        }
        command
    }

    fn kiln(&self, args: &[&str]) -> Run {
        Run::of(self.command().args(args))
    }

    fn cosign(&self, args: &[&str]) -> Run {
        let home = self.world.path("home");
        std::fs::create_dir_all(&home).unwrap();
        Run::of(Command::new("cosign").args(args).env("HOME", home).env("COSIGN_PASSWORD", ""))
    }

    fn who<'a>(&'a self, email: &'a str) -> Vec<&'a str> {
        vec![
            "--certificate-identity",
            email,
            "--certificate-oidc-issuer",
            &self.instance.issuer.url,
            "--trusted-root",
            &self.root,
        ]
    }

    /// What kiln says of the image's signature by somebody.
    fn kiln_verifies(&self, email: &str, what: &str) -> Run {
        let ask = ["verify", &self.image, "--require", what];
        self.kiln(&[&ask[..], &self.who(email)].concat())
    }

    fn cosign_verifies(&self, email: &str) -> Run {
        let ask = ["verify", &self.image, "--allow-insecure-registry"];
        self.cosign(&[&ask[..], &self.who(email)].concat())
    }
}

#[test]
fn kiln_and_cosign_accept_what_kiln_signs_by_both_generations_of_logs() {
    let Some(table) = table() else { return };
    for (generation, who) in [(1, "one@example.invalid"), (2, "two@example.invalid")] {
        let (config, token) = (table.instance.signing_config(generation), table.instance.token(who));
        let by = ["--signing-config", &config, "--identity-token", &token, "--trusted-root", &table.root];
        let signed = table.kiln(&[&["sign", &table.image], &by[..]].concat()).exits(0);
        assert!(
            signed.stderr.contains(&format!("signing as {who} ({})", table.instance.issuer.url)),
            "{}",
            signed.stderr
        );
        table.kiln_verifies(who, "signature").exits(0);
        table.cosign_verifies(who).exits(0);
        table.kiln_verifies("other@example.invalid", "signature").exits(1);
        let predicate = table.world.path("predicate.json");
        std::fs::write(&predicate, r#"{"a": "<&>"}"#).unwrap();
        let predicate = predicate.to_str().unwrap();
        let attest = ["attest", &table.image, "--type", "openvex", "--predicate", predicate];
        table.kiln(&[&attest[..], &by].concat()).exits(0);
        table.kiln_verifies(who, "openvex").exits(0);
        let ask = ["verify-attestation", &table.image, "--type", "openvex", "--allow-insecure-registry"];
        table.cosign(&[&ask[..], &table.who(who)].concat()).exits(0);
    }
    let other = table.cosign_verifies("other@example.invalid");
    assert_ne!(other.code, Some(0), "{}", other.stdout);
}

/// CVE-2026-39984: a timestamp counts only by an authority that is trusted, and a log of the second generation tells no time.
#[test]
fn timestamps_of_strangers_count_for_nothing() {
    let Some(table) = table() else { return };
    let who = "two@example.invalid";
    let (config, token) = (table.instance.signing_config(2), table.instance.token(who));
    table.kiln(&["sign", &table.image, "--signing-config", &config, "--identity-token", &token]).exits(0);
    table.kiln_verifies(who, "signature").exits(0);
    let mut root: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&table.root).unwrap()).unwrap();
    assert_ne!(root["timestampAuthorities"], serde_json::json!([]));
    root["timestampAuthorities"] = serde_json::json!([]);
    std::fs::write(&table.root, root.to_string()).unwrap();
    table.kiln_verifies(who, "signature").exits(1);
}

#[test]
fn kiln_accepts_what_cosign_signs() {
    let Some(table) = table() else { return };
    for (generation, who) in [(1, "one@example.invalid"), (2, "two@example.invalid")] {
        let (config, token) = (table.instance.signing_config(generation), table.instance.token(who));
        let by = [
            "--yes",
            "--allow-insecure-registry",
            "--signing-config",
            &config,
            "--trusted-root",
            &table.root,
            "--identity-token",
            &token,
        ];
        table.cosign(&[&["sign", &table.image], &by[..]].concat()).exits(0);
        table.kiln_verifies(who, "signature").exits(0);
        let predicate = table.world.path("predicate.json");
        std::fs::write(&predicate, r#"{"a": 1}"#).unwrap();
        let attest =
            ["attest", &table.image, "--type", "spdxjson", "--predicate", predicate.to_str().unwrap()];
        table.cosign(&[&attest[..], &by].concat()).exits(0);
        table.kiln_verifies(who, "spdx").exits(0);
        table.kiln_verifies("other@example.invalid", "signature").exits(1);
    }
}

#[test]
fn a_person_logs_in_at_a_browser_or_with_a_code() {
    let Some(table) = table() else { return };
    let config = table.instance.signing_config(1);
    let browser = table.world.path("browser");
    std::fs::write(&browser, "#!/bin/sh\ncurl -sSL \"$1\" >/dev/null\n").unwrap();
    std::fs::set_permissions(&browser, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    for (flow, said) in [("normal", "/auth?response_type=code"), ("device", "WDJB-MJHT")] {
        let mut command = table.command();
        // What the surroundings say counts for nothing where the way is named.
        command.env("BROWSER", &browser).env("SIGSTORE_ID_TOKEN", "not asked");
        command.args(["sign", &table.image, "--signing-config", &config, "--trusted-root", &table.root]);
        let signed = Run::of(command.args(["--fulcio-auth-flow", flow])).exits(0);
        assert!(signed.stderr.contains(said), "{}", signed.stderr);
        let json = table.kiln_verifies(PERSON, "signature").exits(0).stdout;
        assert!(json.contains("✓ verified  signature"), "{json}");
    }
    assert_eq!(table.instance.issuer.seen("/auth").len(), 1);
    assert!(table.instance.issuer.seen("/token").len() >= 3, "a device asks until it is done");
}

#[test]
fn jobs_sign_as_what_their_ci_system_says_they_are() {
    let Some(table) = table() else { return };
    let config = table.instance.signing_config(2);
    let token = table.instance.issuer.token(&serde_json::json!({ "email": PERSON, "email_verified": true }));
    let workflow = "org/app/.github/workflows/ship.yml@refs/heads/main";
    let of_job = table.instance.workflows.token(&of_job(workflow));
    let answer = serde_json::json!({ "value": of_job });
    let github = Http::start(move |request| match request.field("audience") {
        "sigstore" => Response::json(200, &answer),
        _ => Response::status(400),
    });
    let run = |variables: &[(&str, &str)]| {
        let mut command = table.command();
        command.args(["sign", &table.image, "--signing-config", &config, "--trusted-root", &table.root]);
        Run::of(command.args(["--format", "json"]).envs(variables.iter().copied()))
    };
    let request = format!("{}/token?job=1", github.url);
    let on_github = [
        ("ACTIONS_ID_TOKEN_REQUEST_URL", request.as_str()),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "job-secret"),
    ];
    let signed = run(&on_github).exits(0);
    let identity = format!("https://github.com/{workflow}");
    assert_eq!(signed.json()["certificate"]["subject"], identity.as_str());
    let verify = |claim: &str| {
        let ask = ["verify", &table.image, "--require", "signature", "--trusted-root", &table.root];
        let who =
            ["--certificate-identity", &identity, "--certificate-oidc-issuer", &table.instance.workflows.url];
        table.kiln(&[&ask[..], &who, &["--certificate-claim", claim]].concat())
    };
    verify("source-repository=https://github.com/org/app").exits(0);
    verify("source-repository-id=4711").exits(0);
    verify("source-repository-id=4712").exits(1);
    let asked = &github.seen()[0];
    assert_eq!((asked.field("job"), asked.authorization.as_deref()), ("1", Some("Bearer job-secret")));
    run(&[("SIGSTORE_ID_TOKEN", &token)]).exits(0);
    table.kiln_verifies(PERSON, "signature").exits(0);

    // What is said to this machine without TLS is said to no proxy.
    let proxy = Http::start(|_| Response::status(502));
    let mut command = table.command();
    let other = World::new();
    command.args(["sign", &vulnerable(&other), "--signing-config", &config, "--trusted-root", &table.root]);
    for name in ["http_proxy", "HTTP_PROXY", "ALL_PROXY"] {
        command.env(name, &proxy.url);
    }
    Run::of(command.env("SIGSTORE_ID_TOKEN", &token).env_remove("NO_PROXY").env_remove("no_proxy")).exits(0);
    assert!(proxy.seen().is_empty(), "{:?}", proxy.seen());

    // Nothing of a token is ever said.
    let refusing = Http::start(|request| {
        let told = request.authorization.clone().unwrap_or_default();
        Response::json(403, &serde_json::json!({ "told": told }))
    });
    let request = format!("{}/token?job=1", refusing.url);
    let refused =
        run(&[("ACTIONS_ID_TOKEN_REQUEST_URL", &request), ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "job-secret")])
            .exits(3);
    assert!(
        refused.stdout.contains("sign.refused") && !refused.stdout.contains("job-secret"),
        "{}",
        refused.stdout
    );
    let nobody = run(&[]).exits(2);
    assert!(nobody.stdout.contains("--fulcio-auth-flow device"), "{}", nobody.stdout);
}

#[test]
fn nothing_is_stored_that_services_did_wrong() {
    let Some(table) = table() else { return };
    let who = "one@example.invalid";
    let (config, token) = (table.instance.signing_config(1), table.instance.token(who));
    let sign = |more: &[&str]| {
        let by = ["sign", &table.image, "--signing-config", &config, "--identity-token", &token];
        table.kiln(&[&by[..], more].concat())
    };
    let root = ["--trusted-root", table.root.as_str()];
    let refused = |run: Run, code: &str, why: &str| {
        assert!(run.stderr.contains(code) && run.stderr.contains(why), "{code} {why}\n{}", run.stderr);
        assert_ne!(run.code, Some(0));
    };
    // The first entry of the log is of something else.
    sign(&[]).exits(0);
    let log = &table.instance.log;
    for (fault, code, why) in [
        (Fault::FirstEntry, "sign.answer", "the entry is of another signature"),
        (Fault::Proof, "sign.answer", "the proof does not hold"),
        (Fault::Status(500), "sign.refused", "(status 500)"),
        (Fault::Status(400), "sign.refused", "(status 400)"),
        (Fault::Cut, "sign.service", "read the answer of"),
        (Fault::Elsewhere, "sign.service", "it points elsewhere"),
        (Fault::Endless, "sign.service", "it has more than"),
    ] {
        log.does(fault);
        refused(sign(&[]), code, why);
    }
    // Only a trusted root tells a promise of somebody else.
    log.does(Fault::Promise);
    refused(sign(&root), "sign.unproven", "SET verification failed");
    log.does(Fault::None);

    let stamps = repeating(&table.instance.timestamps);
    let url = format!("{}/api/v1/timestamp", stamps.url);
    let stamped = ["--timestamp-server-url", url.as_str()];
    sign(&stamped).exits(0);
    refused(sign(&stamped), "sign.answer", "the timestamp is of another signature");

    let authority = repeating(&table.instance.fulcio);
    let certified = ["--fulcio-url", authority.url.as_str()];
    sign(&certified).exits(0);
    refused(sign(&certified), "sign.answer", "the certificate is for another key");

    // Four were right.
    let explained = table.kiln_verifies(who, "signature").exits(0);
    assert!(!explained.stdout.contains("not counted"), "{}", explained.stdout);
    let verify = ["verify", &table.image, "--require", "signature", "--format", "json"];
    let found = table.kiln(&[&verify[..], &table.who(who)].concat()).exits(0).json();
    assert_eq!(found["examined"].as_array().unwrap().len(), 3);
}

#[test]
fn keys_have_witnesses_too() {
    let Some(table) = table() else { return };
    table.world.run(["keygen", "--output-key-prefix", "ours"]).exits(0);
    table.world.run(["keygen", "--output-key-prefix", "theirs"]).exits(0);
    let verify = |key: &str, more: &[&str]| {
        table.kiln(&[&["verify", &table.image, "--require", "signature", "--key", key], more].concat())
    };
    let root = ["--trusted-root", table.root.as_str()];
    table.kiln(&["sign", &table.image, "--key", "ours.key"]).exits(0);
    verify("ours.pub", &[]).exits(0);
    let unlogged = verify("ours.pub", &root).exits(1);
    assert!(unlogged.stdout.contains("no log is witness of it"), "{}", unlogged.stdout);
    let cosign = |key: &str| {
        let verify = ["verify", &table.image, "--allow-insecure-registry", "--key", key];
        let key = table.world.path(key);
        let mut args = [&verify[..], &root].concat();
        args[4] = key.to_str().unwrap();
        table.cosign(&args)
    };
    assert_ne!(cosign("ours.pub").code, Some(0));
    for generation in [1, 2] {
        let config = table.instance.signing_config(generation);
        table
            .kiln(
                &[&["sign", &table.image, "--key", "ours.key", "--signing-config", &config], &root[..]]
                    .concat(),
            )
            .exits(0);
        verify("ours.pub", &root).exits(0);
        cosign("ours.pub").exits(0);
        verify("theirs.pub", &root).exits(1);
    }
}

/// Files are signed by the client of the conformance suite only.
#[test]
fn cosign_accepts_files_that_the_conformance_client_signs() {
    let Some(table) = table() else { return };
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "-q", "-p", "kiln-trust", "--example", "sigstore-conformance"]);
    Run::of(cargo.current_dir(project())).exits(0);
    let client =
        std::path::Path::new(env!("CARGO_BIN_EXE_kiln")).with_file_name("examples/sigstore-conformance");
    let path = |name: &str| table.world.path(name).display().to_string();
    let (file, other, bundle) = (path("file"), path("other"), path("bundle.json"));
    std::fs::write(&file, "file").unwrap();
    std::fs::write(&other, "other").unwrap();
    let digest = kiln_oci::Digest::of(b"file");
    let statement = serde_json::json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{ "name": "file", "digest": { "sha256": digest.hex() } }],
        "predicateType": "https://example.invalid/kind", "predicate": {},
    });
    std::fs::write(path("statement"), format!("{statement:#}")).unwrap();
    let token = std::fs::read_to_string(table.instance.token(PERSON)).unwrap();
    let run = |args: &[&str]| Run::of(Command::new(&client).args(args));
    for generation in [1, 2] {
        let config = table.instance.signing_config(generation);
        let by = ["--signing-config", &config, "--trusted-root", &table.root];
        let sign = ["sign-bundle", "--identity-token", &token, "--bundle", &bundle];
        let verify = |file: &str| {
            run(&[&["verify-bundle", "--bundle", &bundle], &table.who(PERSON)[..], &[file]].concat())
        };
        run(&[&sign[..], &by, &[&file]].concat()).exits(0);
        for (subject, code) in [(file.clone(), 0), (digest.to_string(), 0), (other.clone(), 1)] {
            verify(&subject).exits(code);
        }
        let blob = |kind: &str, file: &str| {
            table.cosign(&[&[kind, "--bundle", &bundle, file], &table.who(PERSON)[..]].concat())
        };
        blob("verify-blob", &file).exits(0);
        assert_ne!(blob("verify-blob", &other).code, Some(0));
        run(&[&sign[..], &by, &["--in-toto", &path("statement")]].concat()).exits(0);
        verify(&file).exits(0);
        verify(&other).exits(1);
        let attested = [
            &[
                "verify-blob-attestation",
                "--type",
                "https://example.invalid/kind",
                "--bundle",
                &bundle,
                &file,
            ],
            &table.who(PERSON)[..],
        ];
        table.cosign(&attested.concat()).exits(0);
    }
}

/// Roots and services both come from what an instance publishes, so that nothing has to be named.
#[test]
fn a_published_instance_needs_no_flags() {
    if !needs(&["tuf"]) {
        return;
    }
    let Some(table) = table() else { return };
    let (config, folder) = (table.instance.signing_config(2), table.world.path("tuf").display().to_string());
    let mut publish = Command::new(project().join("target/peers/bin/python"));
    publish.arg(project().join("ci/publish_tuf.py")).args([&folder, &table.root, "1", &config]);
    Run::of(&mut publish).exits(0);
    let sign = || {
        let token = std::fs::read_to_string(table.instance.token(PERSON)).unwrap();
        Run::of(table.command().args(["sign", &table.image, "--keyless"]).env("SIGSTORE_ID_TOKEN", token))
    };
    assert!(sign().exits(2).stderr.contains("`kiln trust update` brings a configuration"));
    let (mirror, root) = (format!("{folder}/repository"), format!("{folder}/repository/1.root.json"));
    table.kiln(&["trust", "update", "--mirror", &mirror, "--root", &root]).exits(0);
    sign().exits(0);
    let verify = ["verify", &table.image, "--require", "signature"];
    let who = ["--certificate-identity", PERSON, "--certificate-oidc-issuer", &table.instance.issuer.url];
    table.kiln(&[&verify[..], &who].concat()).exits(0);
}

#[test]
fn a_job_ships_as_what_it_is() {
    if !can_ship() {
        return;
    }
    let Some(table) = table() else { return };
    let app = table.world.example("orders-api");
    let app = app.to_str().unwrap();
    let config = table.instance.signing_config(2);
    let write = |text: &str| std::fs::write(format!("{app}/kiln.toml"), text).unwrap();
    let ship = || {
        let mut command = table.command();
        let claims = serde_json::json!({ "email": PERSON, "email_verified": true });
        Run::of(command.args(["ship", app]).env("SIGSTORE_ID_TOKEN", table.instance.issuer.token(&claims)))
    };
    write(&format!("[signing]\nconfig = \"{config}\"\n"));
    let unproven = ship().exits(2);
    assert!(unproven.stderr.contains("nothing says whom it is traced back to"), "{}", unproven.stderr);
    assert!(!unproven.stderr.contains("  build"), "nothing is built that cannot be signed");
    write(&format!("[signing]\nconfig = \"{config}\"\n[trust]\ntrusted-root = \"{}\"\n", table.root));
    let shipped = ship().exits(0);
    let who = format!("{PERSON} ({})", table.instance.issuer.url);
    for part in
        [format!("signing as {who}"), format!("4 statements by {who}"), "--certificate-identity".to_owned()]
    {
        assert!(shipped.stderr.contains(&part), "{part} in\n{}", shipped.stderr);
    }
    assert!(shipped.stdout.contains(PERSON), "{}", shipped.stdout);
    assert!(!table.world.data("keys/kiln.key").exists(), "no key is made that nobody asked for");
    let verify = ["verify", "orders-api:1.4.0"];
    table.kiln(&[&verify[..], &table.who(PERSON)].concat()).exits(0);
    table.kiln(&[&verify[..], &table.who("other@example.invalid")].concat()).exits(1);
    assert!(ship().exits(0).stderr.contains("signed before"), "who has signed is asked of the certificate");

    // What the environment says of a CI system makes nobody one; what a certificate says of a job does.
    let builder = |who: [&str; 4], id: &str| {
        table.kiln(&[&verify[..], &["--trusted-root", &table.root, "--builder-id", id], &who].concat())
    };
    builder(table.who(PERSON)[..4].try_into().unwrap(), "https://kiln.dev/builder/local/v1").exits(0);
    let workflow = "org/app/.github/workflows/ship.yml@refs/heads/main";
    let token = table.instance.workflows.token(&of_job(workflow));
    let mut command = table.command();
    command.args(["ship", app]).env("SIGSTORE_ID_TOKEN", token).env("GITHUB_ACTIONS", "true");
    Run::of(&mut command).exits(0);
    let id = format!("https://github.com/{workflow}");
    let who = ["--certificate-identity", &id, "--certificate-oidc-issuer", &table.instance.workflows.url];
    builder(who, &id).exits(0);
    builder(who, "https://kiln.dev/builder/local/v1").exits(1);
}

/// What GitHub says of a job.
fn of_job(workflow: &str) -> serde_json::Value {
    serde_json::json!({
        "sub": "repo:org/app:ref:refs/heads/main", "job_workflow_ref": workflow, "workflow_ref": workflow,
        "job_workflow_sha": "a1", "workflow_sha": "a1", "sha": "a1", "event_name": "push", "repository": "org/app",
        "workflow": "ship", "ref": "refs/heads/main", "runner_environment": "github-hosted", "repository_id": "4711",
        "repository_owner": "org", "repository_owner_id": "42", "repository_visibility": "public", "run_id": "1",
        "run_attempt": "1",
    })
}

#[test]
fn what_cannot_end_well_is_not_begun() {
    let world = World::new();
    let image = vulnerable(&world);
    let write = |name: &str, text: &str| std::fs::write(world.path(name), text).unwrap();
    write("config.json", "{}");
    write("token", "no token");
    // By `i`, about `s`, until the first second of 1970.
    write("over", "e30.eyJpc3MiOiJpIiwic3ViIjoicyIsImV4cCI6MX0.eA");
    for (args, code, expected) in [
        (&["--keyless"][..], 2, "nothing says which services to ask"),
        (&["--identity-token", "token"], 2, "nothing says which services to ask"),
        (&["--signing-config", "config.json"], 2, "the signing configuration cannot be used"),
        (
            &["--fulcio-url", "http://127.0.0.1:1", "--identity-token", "token"],
            2,
            "the identity token cannot be used",
        ),
        (
            &[
                "--fulcio-url",
                "http://127.0.0.1:1",
                "--rekor-url",
                "http://127.0.0.1:1",
                "--identity-token",
                "over",
            ],
            2,
            "the identity token is over",
        ),
        (&["--fulcio-url", "http://127.0.0.1:1", "--keyless", "--offline"], 2, "--offline is set"),
        (&["--fulcio-url", "http://127.0.0.1:1", "--keyless"], 2, "there is no identity token"),
        (&["--key", "ours.key", "--keyless"], 2, "cannot be used with"),
    ] {
        let mut command = world.kiln();
        for name in CI {
            command.env_remove(name);
        }
        let run = Run::of(command.args(["sign", &image]).args(args)).exits(code);
        assert!(run.stderr.contains(expected), "{args:?}: {}", run.stderr);
        assert!(!run.stderr.contains("no token\n"), "{}", run.stderr);
    }
}
