//! Whatever happens, nothing half-written is ever used.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::harness::{Run, World, cache, needs};
use crate::ship::can_ship;

#[test]
fn killed_at_any_moment_it_finishes_the_next_time() {
    if !can_ship() {
        return;
    }
    let world = World::new();
    let app = world.example("orders-api");
    let app = app.to_str().unwrap();
    let start = || {
        let mut kiln = world.kiln();
        kiln.args(["ship", app, "-q"]).env("KILN_CACHE_DIR", world.path("cache"));
        kiln
    };
    // The downloads are not what is tested; a first, killed run leaves some and the next resumes.
    for after in [200, 700, 1500, 3000, 6000, 9000] {
        let mut child = start().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(after));
        // It may have finished by then; that is fine too.
        drop(child.kill());
        child.wait().unwrap();
    }
    Run::of(&mut start()).exits(0);
    world.run(["verify", "orders-api:1.4.0"]).exits(0);
    for folder in [world.data("store/ingest"), world.path("cache/runs")] {
        let left: Vec<_> = std::fs::read_dir(folder).into_iter().flatten().flatten().collect();
        let half: Vec<_> =
            left.iter().filter(|entry| entry.path().extension().is_some_and(|end| end == "tmp")).collect();
        assert!(half.is_empty(), "{half:?} was left");
    }
}

/// Docker's own rules forbid user namespaces, as hardened machines do.
#[test]
fn a_machine_without_namespaces_is_told_what_to_enable() {
    if !can_ship() || !needs(&["docker"]) {
        return;
    }
    let world = World::sharing();
    let app = world.example("orders-api");
    let archive = world.path("orders.tar");
    let output = format!("docker-archive:{}", archive.display());
    // What the container needs of kiln's is made first; only the app is new inside.
    world.run(["ship", app.to_str().unwrap(), "-q", "-t", "kiln-inside:1", "-o", &output]).exits(0);
    Run::of(Command::new("docker").arg("load").arg("-i").arg(&archive)).exits(0);
    std::fs::write(app.join("src/new.ts"), "export const fresh = true;\n").unwrap();
    let mut docker = Command::new("docker");
    docker.args(["run", "--rm", "--user", "0", "-e", "HOME=/tmp", "-e", "KILN_DATA_DIR=/data"]);
    docker.args(["-e", "KILN_CACHE_DIR=/cache", "--entrypoint", "/kiln"]);
    for (outside, inside) in [
        (Path::new(env!("CARGO_BIN_EXE_kiln")), "/kiln"),
        (&world.data(""), "/data"),
        (&cache(), "/cache"),
        (&app, "/source"),
    ] {
        docker.arg("-v").arg(format!("{}:{inside}", outside.display()));
    }
    let run = Run::of(docker.args(["kiln-inside:1", "build", "/source", "--offline"])).exits(3);
    assert!(run.stderr.contains("error[sandbox.setup]"), "{}", run.stderr);
    assert!(run.stderr.contains("user.max_user_namespaces"), "{}", run.stderr);
}

#[test]
fn a_full_disk_is_named_and_leaves_nothing_behind() {
    if !can_ship() {
        return;
    }
    let world = World::sharing();
    let app = world.example("orders-api");
    let app = app.to_str().unwrap();
    world.run(["ship", app, "-q"]).exits(0);
    // A limit on the size of files stands for a disk without space; the archive is larger.
    let archive = world.path("orders.tar");
    let mut shell = Command::new("bash");
    let line = "trap '' XFSZ; ulimit -f 2000; exec \"$@\"";
    let kiln = world.kiln();
    shell.args(["-c", line, "bash"]).arg(kiln.get_program());
    shell.args(["ship", app, "-q", "-o"]).arg(format!("docker-archive:{}", archive.display()));
    for (name, value) in kiln.get_envs().filter_map(|(name, value)| Some((name, value?))) {
        shell.env(name, value);
    }
    let run = Run::of(&mut shell).exits(3);
    assert!(run.stderr.contains("File too large"), "{}", run.stderr);
    let left: Vec<_> = std::fs::read_dir(archive.parent().unwrap())
        .unwrap()
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().contains("orders.tar"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_result_that_nobody_reads_is_no_failure_and_one_that_does_not_fit_is() {
    let world = World::new();
    for format in ["human", "json"] {
        let run = |stdout: Stdio| {
            let mut kiln = world.kiln();
            let output = kiln.args(["explain", "DF023", "--format", format]).stdout(stdout).output().unwrap();
            (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
        };
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        assert_eq!(run(writer.into()), (Some(0), String::new()), "{format}");
        let (code, said) = run(std::fs::File::create("/dev/full").unwrap().into());
        assert_eq!(code, Some(3), "{format}");
        assert!(
            said.contains("write the result to standard output") && said.contains("No space left"),
            "{said}"
        );
    }
}

/// Whether a process runs; one that nobody has buried yet does not.
fn is_alive(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..3000 {
        if is_so() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("{what}");
}

#[test]
fn programs_that_are_asked_end_with_kiln() {
    use rustix::process::{Pid, Signal, kill_process};
    let world = World::new();
    let registry = crate::http::Http::start(|_| crate::http::Response {
        headers: vec![("www-authenticate", "Basic realm=x".to_owned())],
        ..crate::http::Response::status(401)
    });
    let host = registry.url.trim_start_matches("http://");
    let keeper = world.path("docker-credential-slow");
    // One that has started something of its own, which is where it tells.
    let script =
        "#!/bin/sh\nsleep 600 &\necho $$ $! >\"$0.pids.new\"\nmv \"$0.pids.new\" \"$0.pids\"\nwait\n";
    fs::write(&keeper, script).unwrap();
    fs::set_permissions(&keeper, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(world.path("config.json"), r#"{"credsStore":"slow"}"#).unwrap();
    let path = format!("{}:{}", world.path("").display(), std::env::var("PATH").unwrap());
    for signal in [Signal::INT, Signal::TERM, Signal::KILL] {
        let told = world.path("docker-credential-slow.pids");
        drop(fs::remove_file(&told));
        let mut kiln = world.kiln();
        kiln.args(["scan", &format!("registry:{host}/team/app:1")]).env("PATH", &path);
        kiln.env("DOCKER_CONFIG", world.path(""))
            .env_remove("REGISTRY_AUTH_FILE")
            .env_remove("XDG_RUNTIME_DIR");
        let mut kiln = kiln.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        wait_until("the helper is asked", || told.exists());
        let pids = fs::read_to_string(&told).unwrap();
        assert!(pids.split_whitespace().all(is_alive), "{pids}");
        kill_process(Pid::from_child(&kiln), signal).unwrap();
        assert!(!kiln.wait().unwrap().success());
        wait_until("the helper ends with kiln", || !pids.split_whitespace().any(is_alive));
    }
}
