//! From a Dockerfile as people write it to an app that runs hardened: fix, lint, build, run.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::fix::naive;
use crate::harness::{Run, World, needs};

/// Each project, the base it gets, and how it shows that it runs: a path that answers on a port, or a word in its log.
const PROJECTS: [(&str, &str, Sign); 11] = [
    ("chainguard-node-node", "kiln", Sign::Health),
    ("cron-worker", "kiln", Sign::Running),
    ("entrypoint-script", "slim", Sign::Health),
    ("express-root", "kiln", Sign::Health),
    ("heredoc-packages", "slim", Sign::Health),
    ("native-alpine-to-distroless", "kiln", Sign::Health),
    ("nest-api", "kiln", Sign::Health),
    ("next-standalone", "kiln", Sign::Health),
    ("pnpm-workspace", "kiln", Sign::Health),
    ("private-registry-token", "kiln", Sign::Health),
    ("yarn-classic", "kiln", Sign::Health),
];

#[derive(Clone, Copy)]
enum Sign {
    /// The health check of the image succeeds.
    Health,
    /// It still runs after a while.
    Running,
}

/// Stands in for `node:N-bookworm-slim`, which no registry is asked for here: Debian, Node and npm where that image has
/// them, and its user.
const STAND_IN: &str = "FROM debian\n\
    COPY --from=tools /usr/local /usr/local\n\
    COPY --from=tools /usr/lib /usr/lib\n\
    RUN groupadd --gid 1000 node && useradd --uid 1000 --gid node --shell /bin/bash --create-home node\n\
    CMD [\"node\"]\n";

fn stand_in(world: &World, line: &str) {
    let folder = world.path("stand-in");
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("Dockerfile");
    fs::write(&file, STAND_IN).unwrap();
    let debian =
        format!("debian=oci:{}", crate::harness::project().join(crate::differential::DEBIAN).display());
    let tools = format!("tools=docker-image://kiln/node:{line}-debian12-dev");
    let name = format!("node:{line}-bookworm-slim");
    world
        .run([
            "build",
            "-q",
            "-f",
            file.to_str().unwrap(),
            "-t",
            &name,
            "--build-context",
            &debian,
            "--build-context",
            &tools,
            folder.to_str().unwrap(),
        ])
        .exits(0);
}

fn docker(args: &[&str]) -> Run {
    Run::of(Command::new("docker").args(args))
}

/// Runs the image as a careful cluster would, and waits for its sign.
fn runs(world: &World, name: &str, image: &str, sign: Sign) {
    let layout = format!("oci:{}:1", world.path(&format!("{name}-layout")).display());
    world.run(["copy", "-q", image, &layout]).exits(0);
    let tag = format!("kiln-e2e-chain-{name}:1");
    let copy = ["copy", "-q", "--insecure-policy", &layout, &format!("docker-daemon:{tag}")];
    Run::of(Command::new("skopeo").args(copy)).exits(0);
    let hardened = [
        "run",
        "-d",
        "--read-only",
        "--cap-drop=ALL",
        "--security-opt=no-new-privileges",
        "--network=none",
        "--tmpfs=/tmp",
        "--health-interval=1s",
        &tag,
    ];
    let container = docker(&hardened).exits(0).stdout.trim().to_owned();
    let state = || {
        docker(&[
            "inspect",
            "-f",
            "{{.State.Running}} {{if .State.Health}}{{.State.Health.Status}}{{end}}",
            &container,
        ])
    };
    let deadline = Instant::now() + Duration::from_secs(45);
    let began = Instant::now();
    loop {
        let now = state().exits(0).stdout.trim().to_owned();
        let is_there = match sign {
            Sign::Health => now == "true healthy",
            Sign::Running => now.starts_with("true") && began.elapsed() > Duration::from_secs(3),
        };
        if is_there {
            break;
        }
        let log = || docker(&["logs", &container]);
        assert!(now.starts_with("true"), "{name} ended: {:?}", log());
        assert!(Instant::now() < deadline, "{name} is {now}: {:?}", log());
        std::thread::sleep(Duration::from_millis(200));
    }
    let user = docker(&["exec", &container, "/nodejs/bin/node", "-p", "process.getuid()"]);
    assert!(user.code != Some(0) || user.stdout.trim() != "0", "{name} runs as root");
    docker(&["rm", "-f", &container]).exits(0);
    docker(&["rmi", "-f", &tag]).exits(0);
}

fn lint(world: &World, app: &Path, level: &str) -> Run {
    world.run(["lint", "--fail-on", level, app.to_str().unwrap()])
}

#[test]
fn naive_projects_are_fixed_built_and_run() {
    if !needs(&["namespaces", "npm", "debian", "docker", "skopeo"]) {
        return;
    }
    let world = World::sharing();
    let only = std::env::var("KILN_CHAIN").unwrap_or_default();
    for (name, target, sign) in PROJECTS.into_iter().filter(|(name, ..)| name.contains(&only)) {
        let app = naive(&world, name);
        lint(&world, &app, "warning").exits(1);
        world.run(["fix", "--unsafe", "--to", target, app.to_str().unwrap()]).exits(0);
        lint(&world, &app, "warning").exits(0);
        if target == "slim" {
            stand_in(&world, "24");
        }
        let (file, image) = (app.join("Dockerfile"), format!("chain/{name}:1"));
        let secret = world.path("token");
        fs::write(&secret, "no-token").unwrap();
        let secret = format!("id=npm_token,src={}", secret.display());
        let args = [
            "build",
            "-q",
            "--npm-settings",
            "--secret",
            &secret,
            "-f",
            file.to_str().unwrap(),
            "-t",
            &image,
        ];
        world.run(args.into_iter().chain([app.to_str().unwrap()])).exits(0);
        runs(&world, name, &image, sign);
    }
}
