//! What jobs reach in the networks of this machine.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use kiln_rootfs::RootPath;
use kiln_sandbox::{Bridge, Finished, Ids, Job, Mount, Network, Root, Sandbox};

/// Where a cloud's machine would get its credentials.
const METADATA: [&str; 3] = ["169.254.169.254:80", "[fe80::a9fe:a9fe%2]:80", "[fd00:ec2::254]:80"];

/// A job that runs the attacker of these tests.
fn job(folder: &Path, network: Network, ids: Ids, words: &[&str]) -> Job {
    let root = folder.join("root");
    for name in ["usr", "srv", "proc", "dev"] {
        fs::create_dir_all(root.join(name)).unwrap();
    }
    for name in ["bin", "lib", "lib64"] {
        if !root.join(name).exists() && Path::new("/").join(name).exists() {
            std::os::unix::fs::symlink(format!("usr/{name}"), root.join(name)).unwrap();
        }
    }
    if !root.join("srv/attacker").exists() {
        fs::copy(env!("CARGO_BIN_EXE_kiln-sandbox-test"), root.join("srv/attacker")).unwrap();
    }
    let usr = RootPath::new("usr").unwrap();
    Job {
        root: Root::ReadOnly(root),
        mounts: vec![Mount::Bind { source: PathBuf::from("/usr"), target: usr, read_only: true }],
        argv: ["./attacker"].iter().chain(words).map(|&word| word.to_owned()).collect(),
        cwd: "/srv".to_owned(),
        network,
        timeout: Some(Duration::from_mins(1)),
        ids,
        ..Job::default()
    }
}

fn reach(folder: &Path, network: Network, bridge: Option<Bridge>, ids: Ids, targets: &[&str]) -> Finished {
    let job = job(folder, network, ids, &[&["reach"], targets].concat());
    let sandbox = Sandbox::new(env!("CARGO_BIN_EXE_kiln-sandbox-test")).with_bridge(bridge);
    sandbox.run(&job, &mut |_| {}).unwrap()
}

fn outcome<'a>(finished: &'a Finished, target: &str) -> &'a str {
    let line = finished.last_lines.iter().find_map(|line| line.strip_prefix(target)?.strip_prefix(": "));
    line.unwrap_or_else(|| panic!("{target}: {:?}", finished.last_lines))
}

/// Says past the capture of test output what this machine lacks.
#[expect(clippy::explicit_write, reason = "the macro would be captured")]
fn skipped(thing: &str, why: &str) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    writeln!(std::io::stderr(), "skipped: {test}: no {thing} here ({why})").unwrap();
}

/// The loopback, link-local addresses and abstract sockets of this machine are out of reach; a port that is named is not.
#[test]
fn a_bridge_leads_past_this_machine() {
    let mut bridge = match Bridge::find() {
        Ok(bridge) => bridge,
        Err(why) => return skipped("pasta", why),
    };
    let [open, closed] = [(); 2].map(|()| TcpListener::bind(("127.0.0.1", 0)).unwrap());
    let [open, closed] = [&open, &closed].map(|listener| listener.local_addr().unwrap());
    let name = format!("kiln-bridge-test-{}", std::process::id());
    let _abstract = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    bridge.ports = vec![open.port()];
    let (open, closed) = (open.to_string(), closed.to_string());
    let targets: Vec<&str> = [&*open, &*closed, &*name].into_iter().chain(METADATA).collect();
    for ids in [Ids::best(), Ids::One] {
        let folder = tempfile::tempdir().unwrap();
        let finished = reach(folder.path(), Network::Bridged, Some(bridge.clone()), ids, &targets);
        if let Some(why) = finished.no_bridge {
            return skipped("bridge", &why);
        }
        assert_eq!((finished.code, finished.network), (0, Network::Bridged));
        assert_eq!(outcome(&finished, &open), "connected");
        assert_eq!(outcome(&finished, &closed), "ECONNREFUSED");
        assert_eq!(outcome(&finished, &name), "ECONNREFUSED");
        for target in METADATA {
            let outcome = outcome(&finished, target);
            assert!(["EHOSTUNREACH", "ENETUNREACH"].contains(&outcome), "{target}: {outcome}");
        }
    }
}

/// Nothing of it stays when it is over, and without one the job gets the network of this machine and says so.
#[test]
fn without_a_bridge_the_network_is_that_of_this_machine() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let name = format!("kiln-host-test-{}", std::process::id());
    let _abstract = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    for ids in [Ids::best(), Ids::One] {
        let folder = tempfile::tempdir().unwrap();
        let finished = reach(folder.path(), Network::Bridged, None, ids, &[&address, &name]);
        assert_eq!((finished.network, outcome(&finished, &address)), (Network::Host, "connected"));
        if outcome(&finished, "landlock").parse::<i32>().unwrap() >= 6 {
            assert_eq!(outcome(&finished, &name), "EPERM");
        } else {
            skipped("landlock-scopes", "abstract sockets of this machine are within reach");
        }
    }
}

/// A `pasta` that does not start is named, and the job runs all the same.
#[test]
fn a_bridge_that_cannot_be_opened_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("pasta");
    fs::write(&broken, "#!/bin/sh\necho no tun device >&2\nexit 1\n").unwrap();
    fs::set_permissions(&broken, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let finished = reach(folder.path(), Network::Bridged, Some(Bridge::over(broken)), Ids::best(), &[]);
    assert_eq!((finished.code, finished.network), (0, Network::Host));
    assert_eq!(finished.no_bridge.as_deref(), Some("no tun device"));
}

/// Whatever ends the sandbox's parent ends its bridge.
#[test]
fn a_killed_parent_leaves_no_bridge() {
    if Bridge::find().is_err() {
        return skipped("pasta", "none is found");
    }
    let folder = tempfile::tempdir().unwrap();
    let job = job(folder.path(), Network::Bridged, Ids::best(), &["wait"]);
    let path = folder.path().join("job.json");
    fs::write(&path, serde_json::to_vec(&job).unwrap()).unwrap();
    let mut parent = Command::new(env!("CARGO_BIN_EXE_kiln-sandbox-test"));
    let mut parent = parent.arg("run-bridged").arg(&path).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(parent.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let started: Vec<u32> =
        children(parent.id()).into_iter().flat_map(|child| [vec![child], children(child)].concat()).collect();
    let is_bridge = |pid: &&u32| {
        fs::read(format!("/proc/{pid}/cmdline"))
            .is_ok_and(|line| line.starts_with(b"pasta") || String::from_utf8_lossy(&line).contains("/pasta"))
    };
    if !started.iter().any(|pid| is_bridge(&pid)) {
        parent.kill().unwrap();
        parent.wait().unwrap();
        return skipped("bridge", "it does not open");
    }
    parent.kill().unwrap();
    parent.wait().unwrap();
    for pid in started {
        let is_left = || Path::new(&format!("/proc/{pid}/exe")).read_link().is_ok();
        // The kernel closes the pipe at once; whoever watches it needs a moment to see it.
        let is_gone = (0..500).any(|_| {
            std::thread::sleep(Duration::from_millis(20));
            !is_left()
        });
        assert!(is_gone, "{pid} is left");
    }
}

fn children(pid: u32) -> Vec<u32> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    text.split_whitespace().map(|pid| pid.parse().unwrap()).collect()
}
