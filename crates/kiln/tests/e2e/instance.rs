//! An instance of Sigstore on this machine: Fulcio, a timestamp authority and Rekor v2 as their authors build them; the
//! issuer of identities, and Rekor v1 and the log of certificates, whose servers need a database, are played by this process.

mod certificate_log;
pub(crate) mod issuer;
pub(crate) mod log;

use std::fs::File;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use self::certificate_log::CertificateLog;
use self::issuer::Issuer;
use self::log::Log;
use crate::harness::{Run, World};
use crate::peers::{Server, free_port, get, text, wait};

/// Since when everything is trusted.
const START: &str = "2020-01-01T00:00:00Z";

/// Everything that a signature without a key needs.
pub(crate) struct Instance {
    pub(crate) issuer: Issuer,
    /// Vouches for jobs, as GitHub does.
    pub(crate) workflows: Issuer,
    pub(crate) fulcio: String,
    certificates: CertificateLog,
    pub(crate) log: Log,
    pub(crate) timestamps: String,
    /// Rekor v2: its address and its public key.
    second: (String, String),
    folder: String,
    _servers: Vec<Server>,
    /// Given back last.
    _turn: File,
}

impl Instance {
    /// Starts it. Its files are in a folder of `world`.
    pub(crate) fn start(world: &World) -> Self {
        let turn = turn();
        let folder = text(&world.path("instance"));
        std::fs::create_dir(&folder).unwrap();
        let (issuer, workflows) = (Issuer::start(), Issuer::start());
        let certificates = CertificateLog::start();
        std::fs::write(format!("{folder}/certificates.pub"), &certificates.public_pem).unwrap();
        let (fulcio, first) = fulcio(&folder, [&issuer.url, &workflows.url], &certificates.url);
        let (timestamps, second) = timestamps(&folder);
        let (rekor, third) = rekor(&folder);
        let log = Log::start();
        std::fs::write(format!("{folder}/log.pub"), log.public_pem()).unwrap();
        let servers = vec![first, second, third];
        Self {
            issuer,
            workflows,
            fulcio,
            certificates,
            log,
            timestamps,
            second: rekor,
            folder,
            _servers: servers,
            _turn: turn,
        }
    }

    /// What cosign makes of it.
    pub(crate) fn trusted_root(&self) -> String {
        let Self { folder, fulcio, certificates, timestamps, second, log, .. } = self;
        let out = format!("{folder}/trusted_root.json");
        let key = &second.1;
        let service = |name: &str, value: String| format!("--{name}={value},start-time={START}");
        let args = [
            service("fulcio", format!("url={fulcio},certificate-chain={folder}/fulcio.pem")),
            service("ctfe", format!("url={},public-key={folder}/certificates.pub", certificates.url)),
            service("tsa", format!("url={timestamps},certificate-chain={folder}/timestamps.pem")),
            service("rekor", format!("url={},public-key={folder}/log.pub", log.url())),
            service("rekor", format!("url={},public-key={key},origin={ORIGIN}", second.0)),
        ];
        let mut command = Command::new("cosign");
        command.args(["trusted-root", "create", "--out", &out]).args(args).env("HOME", folder);
        Run::of(&mut command).exits(0);
        out
    }

    /// A configuration that asks a log of this generation.
    pub(crate) fn signing_config(&self, generation: u32) -> String {
        let log = if generation == 1 { self.log.url() } else { self.second.0.clone() };
        self.config(&format!("v{generation}"), &[(&log, generation)], true)
    }

    /// The same with any logs, and with a timestamp authority or without.
    pub(crate) fn config(&self, name: &str, logs: &[(&str, u32)], with_timestamps: bool) -> String {
        let service = |url: &str, version: u32, operator: &str| {
            json!({
                "url": url, "majorApiVersion": version, "operator": operator, "validFor": { "start": START },
            })
        };
        let each = |at: usize| format!("operator {at}.invalid");
        let logs: Vec<Value> =
            logs.iter().enumerate().map(|(at, (url, version))| service(url, *version, &each(at))).collect();
        let timestamps: Vec<Value> =
            with_timestamps.then(|| service(&self.timestamps, 1, "one.invalid")).into_iter().collect();
        let config = json!({
            "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
            "caUrls": [service(&self.fulcio, 1, "one.invalid")],
            "oidcUrls": [service(&self.issuer.url, 1, "one.invalid")],
            "rekorTlogUrls": logs,
            "rekorTlogConfig": { "selector": "ALL" },
            "tsaUrls": timestamps,
            "tsaConfig": { "selector": "ANY" },
        });
        let path = format!("{}/signing-config-{name}.json", self.folder);
        std::fs::write(&path, config.to_string()).unwrap();
        path
    }

    /// A file with a token for `email`.
    pub(crate) fn token(&self, email: &str) -> String {
        let path = format!("{}/{email}.token", self.folder);
        std::fs::write(&path, self.issuer.token(&json!({ "email": email, "email_verified": true }))).unwrap();
        path
    }
}

/// A turn of its own: timestamp servers all want the same port for their figures, so that a machine can run only one.
fn turn() -> File {
    let lock = File::create(std::env::temp_dir().join("kiln-e2e-timestamps.lock")).unwrap();
    lock.lock().unwrap();
    lock
}

/// Starts a program on a free port, until it answers there. Between asking for a port and using it somebody else may.
fn serve<T>(
    program: &str,
    folder: &str,
    args: impl Fn(u16) -> Vec<String>,
    ready: impl Fn(u16) -> Option<T>,
) -> (u16, Server, T) {
    for _ in 0..5 {
        let port = free_port();
        let log = File::create(format!("{folder}/{program}.log")).unwrap();
        let mut command = Command::new(program);
        command.args(args(port)).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let mut server = Server(command.spawn().unwrap());
        let answer = wait(program, || match server.0.try_wait().unwrap() {
            Some(_) => Some(None),
            None => ready(port).map(Some),
        });
        if let Some(answer) = answer {
            return (port, server, answer);
        }
    }
    panic!(
        "{program} does not start: {}",
        std::fs::read_to_string(format!("{folder}/{program}.log")).unwrap()
    );
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").unwrap().1
}

/// With an authority of its own, which it makes as it starts.
fn fulcio(folder: &str, [people, jobs]: [&str; 2], certificates: &str) -> (String, Server) {
    let config = format!("{folder}/fulcio.json");
    let known = |url: &str, kind: &str| json!({ "IssuerURL": url, "ClientID": "sigstore", "Type": kind });
    let issuers = json!({ people: known(people, "email"), jobs: known(jobs, "github-workflow") });
    std::fs::write(&config, json!({ "OIDCIssuers": issuers }).to_string()).unwrap();
    let args = |port: u16| {
        let (grpc, metrics) = (free_port(), free_port());
        let fixed = ["serve", "--ca=ephemeralca", "--host=127.0.0.1", "--grpc-host=127.0.0.1"];
        let chosen = [
            format!("--ct-log-url={certificates}"),
            format!("--ct-log-public-key-path={folder}/certificates.pub"),
            format!("--config-path={config}"),
            format!("--port={port}"),
            format!("--grpc-port={grpc}"),
            format!("--metrics-port={metrics}"),
            format!("--legacy-unix-domain-socket=@kiln-{grpc}"),
        ];
        fixed.map(str::to_owned).into_iter().chain(chosen).collect()
    };
    let (port, server, answer) = serve("fulcio", folder, args, |port| get(port, "/api/v2/trustBundle"));
    let bundle: Value = serde_json::from_str(body(&answer)).unwrap();
    let chain = bundle["chains"][0]["certificates"].as_array().unwrap();
    let chain: Vec<&str> = chain.iter().filter_map(Value::as_str).collect();
    std::fs::write(format!("{folder}/fulcio.pem"), chain.concat()).unwrap();
    (format!("http://127.0.0.1:{port}"), server)
}

fn timestamps(folder: &str) -> (String, Server) {
    let args = |port: u16| {
        let fixed = ["serve", "--timestamp-signer=memory", "--disable-ntp-monitoring", "--host=127.0.0.1"];
        fixed.map(str::to_owned).into_iter().chain([format!("--port={port}")]).collect()
    };
    let ready = |port| get(port, "/api/v1/timestamp/certchain");
    let (port, server, answer) = serve("timestamp-server", folder, args, ready);
    std::fs::write(format!("{folder}/timestamps.pem"), body(&answer)).unwrap();
    (format!("http://127.0.0.1:{port}/api/v1/timestamp"), server)
}

/// The name of the log of the second generation: readers compare it with the host of its address, without the port.
const ORIGIN: &str = "127.0.0.1";

/// A log of the second generation: its address and public key.
fn rekor(folder: &str) -> ((String, String), Server) {
    let (key, public) = (format!("{folder}/rekor.pem"), format!("{folder}/rekor.pub"));
    let openssl = |args: &[&str]| Run::of(Command::new("openssl").args(args)).exits(0);
    openssl(&["genpkey", "-out", &key, "-algorithm", "ED25519"]);
    openssl(&["pkey", "-in", &key, "-pubout", "-out", &public]);
    let args = |port: u16| {
        // It may be started again, and then in a folder of its own.
        let storage = format!("{folder}/rekor-{port}");
        std::fs::create_dir(&storage).unwrap();
        let (grpc, metrics) = (free_port(), free_port());
        let chosen = [
            format!("--hostname={ORIGIN}"),
            format!("--http-port={port}"),
            format!("--grpc-port={grpc}"),
            format!("--http-metrics-port={metrics}"),
            format!("--signer-filepath={key}"),
            format!("--storage-dir={storage}"),
        ];
        ["serve", "--checkpoint-interval=1s"].map(str::to_owned).into_iter().chain(chosen).collect()
    };
    let (port, server, _) = serve("rekor-server-posix", folder, args, |port| get(port, "/healthz"));
    ((format!("http://{ORIGIN}:{port}"), public), server)
}
