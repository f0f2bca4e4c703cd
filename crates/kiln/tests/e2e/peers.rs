//! What kiln writes is read by the tools that others use.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::harness::{Run, World, needs, project, skopeo};
use crate::images::vulnerable;
use crate::ship::can_ship;

struct Shipped {
    world: World,
    layout: String,
    archive: String,
    digest: String,
}

fn shipped() -> Option<Shipped> {
    if !can_ship() {
        return None;
    }
    let world = World::sharing();
    let app = world.example("orders-api");
    let (layout, archive) = (text(&world.path("layout")), text(&world.path("orders.tar")));
    let (oci, docker) = (format!("oci:{layout}"), format!("docker-archive:{archive}"));
    let run = world.run(["ship", &text(&app), "--format", "json", "-o", &oci, "-o", &docker]).exits(0);
    Some(Shipped { digest: crate::ship::digest(&run), world, layout, archive })
}

pub(crate) fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

fn run(program: &str, args: &[&str]) -> Run {
    Run::of(Command::new(program).args(args))
}

/// Waits until `ready` yields something; panics when it never does.
pub(crate) fn wait<T>(what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        if let Some(value) = ready() {
            return value;
        }
        assert!(Instant::now() < deadline, "{what} did not come");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn skopeo_reads_both_forms() {
    if !needs(&["skopeo"]) {
        return;
    }
    let Some(shipped) = shipped() else { return };
    for name in [
        format!("oci:{}:1.4.0", shipped.layout),
        format!("oci-archive:{}:1.4.0", shipped.archive),
        format!("docker-archive:{}", shipped.archive),
    ] {
        let value = Run::of(skopeo().args(["inspect", "--config", &name])).exits(0).json();
        assert_eq!(value["config"]["User"], "65532", "{name}");
    }
    let value = Run::of(skopeo().args(["inspect", &format!("oci:{}:1.4.0", shipped.layout)])).exits(0).json();
    assert_eq!(value["Digest"], shipped.digest.as_str());
}

#[test]
fn umoci_unpacks_it() {
    if !needs(&["umoci"]) {
        return;
    }
    let Some(shipped) = shipped() else { return };
    let (image, bundle) = (format!("{}:1.4.0", shipped.layout), text(&shipped.world.path("bundle")));
    run("umoci", &["unpack", "--rootless", "--image", &image, &bundle]).exits(0);
    let root = Path::new(&bundle).join("rootfs");
    assert!(root.join("app/dist/server.js").is_file() && root.join("nodejs/bin/node").is_file());
    for absent in ["bin/sh", "usr/bin/dpkg", "app/.env", "app/src", "app/node_modules/typescript"] {
        assert!(!root.join(absent).exists(), "{absent}");
    }
}

/// `GET path` from a port of this machine; `None` while nothing answers.
pub(crate) fn get(port: u16, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: x\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.lines().next().is_some_and(|status| status.contains(" 200 ")).then_some(answer)
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn docker_runs_it_as_a_cluster_would() {
    if !needs(&["docker"]) {
        return;
    }
    let Some(shipped) = shipped() else { return };
    run("docker", &["load", "-i", &shipped.archive]).exits(0);
    let publish = format!("127.0.0.1:{}:3000", free_port());
    let port: u16 = publish.split(':').nth(1).unwrap().parse().unwrap();
    let started = run(
        "docker",
        &[
            "run",
            "-d",
            "--read-only",
            "--cap-drop",
            "ALL",
            "--security-opt",
            "no-new-privileges",
            "--user",
            "12345:0",
            "-p",
            &publish,
            "orders-api:1.4.0",
        ],
    )
    .exits(0);
    let container = started.stdout.trim();
    let answer = wait("the health endpoint", || get(port, "/healthz"));
    assert!(answer.contains(r#""status":"ok""#), "{answer}");
    let began = Instant::now();
    run("docker", &["stop", "-t", "20", container]).exits(0);
    // Twenty seconds is when docker kills; an app that hears SIGTERM is gone long before.
    let code = run("docker", &["inspect", "-f", "{{.State.ExitCode}}", container]).exits(0).stdout;
    run("docker", &["rm", "-f", container]).exits(0);
    assert_eq!((code.trim(), began.elapsed() < Duration::from_secs(15)), ("0", true));
}

/// Stopped when dropped.
pub(crate) struct Server(pub(crate) Child);

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

pub(crate) fn registry(world: &World) -> (Server, String) {
    let port = free_port();
    let config = world.path("registry.yml");
    let data = text(&world.path("registry"));
    let settings = format!(
        "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {data}}}}}\n\
         http: {{addr: 127.0.0.1:{port}}}\n"
    );
    std::fs::write(&config, settings).unwrap();
    let mut command = Command::new("docker-registry");
    command.arg("serve").arg(&config).stdout(Stdio::null()).stderr(Stdio::null());
    let server = Server(command.spawn().unwrap());
    wait("the registry", || get(port, "/v2/"));
    (server, format!("127.0.0.1:{port}"))
}

/// A registry with an image that has something to find, of this name; and the whole name.
pub(crate) fn pushed(world: &World, name: &str) -> (Server, String) {
    let local = vulnerable(world);
    let (server, host) = registry(world);
    let image = format!("{host}/{name}");
    world.run(["push", "-q", &local, &image]).exits(0);
    (server, image)
}

/// A registry that lists what refers to an image, which Debian's does not.
pub(crate) fn registry_with_referrers() -> (Server, String) {
    let host = format!("127.0.0.1:{}", free_port());
    let mut command = Command::new(project().join("target/peers/bin/registry-with-referrers"));
    command.arg(&host).stdout(Stdio::null()).stderr(Stdio::null());
    let server = Server(command.spawn().unwrap());
    wait("the registry", || get(host.rsplit(':').next()?.parse().ok()?, "/v2/"));
    (server, host)
}

/// The files of a folder, by HTTP.
pub(crate) fn serve_folder(folder: &Path) -> (Server, String) {
    let port = free_port();
    let mut command = Command::new("python3");
    command.args(["-m", "http.server", "--bind", "127.0.0.1", &port.to_string()]).current_dir(folder);
    let server = Server(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    wait("the folder", || get(port, "/"));
    (server, format!("http://127.0.0.1:{port}"))
}

#[test]
fn cosign_verifies_everything_after_a_copy_to_a_registry() {
    if !needs(&["cosign", "regctl", "registry"]) {
        return;
    }
    let Some(shipped) = shipped() else { return };
    let (_server, host) = registry(&shipped.world);
    let home = text(&shipped.world.path("home"));
    std::fs::create_dir(&home).unwrap();
    let tool = |program: &str, args: &[&str]| Run::of(Command::new(program).args(args).env("HOME", &home));
    tool("regctl", &["registry", "set", &host, "--tls", "disabled"]).exits(0);
    let (from, to) = (format!("ocidir://{}:1.4.0", shipped.layout), format!("{host}/team/orders-api:1.4.0"));
    tool("regctl", &["image", "copy", "--referrers", &from, &to]).exits(0);
    let key = text(&shipped.world.data("keys/kiln.pub"));
    let common = ["--key", &key, "--insecure-ignore-tlog=true", "--allow-insecure-registry"];
    let verified = tool("cosign", &[&["verify"], &common[..], &[&to]].concat()).exits(0);
    assert!(verified.stdout.contains(&shipped.digest), "{}", verified.stdout);
    for kind in ["spdxjson", "cyclonedx", "slsaprovenance1"] {
        tool("cosign", &[&["verify-attestation", "--type", kind], &common[..], &[&to]].concat()).exits(0);
    }
    let other = text(&shipped.world.path("other"));
    shipped.world.run(["keygen", "--output-key-prefix", &other]).exits(0);
    let other = format!("{other}.pub");
    let wrong = ["verify", "--key", &other, "--insecure-ignore-tlog=true", "--allow-insecure-registry", &to];
    assert_ne!(tool("cosign", &wrong).code, Some(0), "cosign accepts another key");
}

#[test]
fn cosign_and_kiln_read_each_other_s_keys() {
    if !needs(&["cosign"]) || !can_ship() {
        return;
    }
    let world = World::new();
    std::fs::create_dir_all(world.data("keys")).unwrap();
    let keys = text(&world.data("keys/kiln"));
    let mut generate = Command::new("cosign");
    generate.args(["generate-key-pair", "--output-key-prefix", &keys]).env("COSIGN_PASSWORD", "of cosign");
    Run::of(&mut generate).exits(0);
    let app = world.example("orders-api");
    let ship = |password: &str| {
        Run::of(world.kiln().args(["ship", &text(&app), "-q"]).env("COSIGN_PASSWORD", password))
    };
    let wrong = ship("wrong").exits(2);
    assert!(wrong.stderr.contains("error[sign.password]"), "{}", wrong.stderr);
    // The public half is in the private one; a lost file is no lost key.
    std::fs::remove_file(format!("{keys}.pub")).unwrap();
    ship("of cosign").exits(0);
    world.run(["verify", "orders-api:1.4.0"]).exits(0);
}

#[test]
fn documents_are_what_their_schemas_say() {
    let Some(shipped) = shipped() else { return };
    if needs(&["documents"]) {
        let mut documents = Vec::new();
        for kind in crate::inventory::FORMATS {
            let path = text(&shipped.world.path(kind));
            shipped.world.run(["sbom", "orders-api:1.4.0", "--type", kind, "--output", &path]).exits(0);
            documents.push(path);
        }
        let python = text(&project().join("target/peers/bin/python"));
        let check = text(&project().join("ci/validate_documents.py"));
        run(
            &python,
            &[&[check.as_str()], &documents.iter().map(String::as_str).collect::<Vec<_>>()[..]].concat(),
        )
        .exits(0);
    }
    if needs(&["schemas"]) {
        run(&text(&project().join("target/peers/bin/validate-layout")), &[&shipped.layout]).exits(0);
    }
}
