//! `kiln build -f` by whom it may be: root, a user with subordinate ids, a user with one.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::Command;

use crate::differential::DEBIAN;
use crate::harness::{Run, World, copy, needs, project};

/// Who `ci/install-peers` made for this.
const PEER: &str = "kiln-peer";

const DOCKERFILE: &str = "FROM base\n\
    RUN mkdir /d && touch /d/a && chown 1000:50 /d/a && stat -c 'owner %u:%g' /d/a && grep -c . /proc/self/uid_map\n\
    COPY --chown=7:8 --chmod=640 a.txt /d/b\n\
    USER 1234:99\n\
    RUN id && touch /tmp/mine\n";

/// A folder with all that a build needs, which belongs to `PEER`.
pub(crate) struct Desk {
    pub(crate) world: World,
}

impl Desk {
    pub(crate) fn new() -> Self {
        let world = World::new();
        for folder in ["context", "home"] {
            fs::create_dir(world.path(folder)).unwrap();
        }
        fs::write(world.path("context/a.txt"), "a\n").unwrap();
        fs::copy(env!("CARGO_BIN_EXE_kiln"), world.path("kiln")).unwrap();
        copy(&project().join(DEBIAN), &world.path("debian"));
        fs::set_permissions(world.path(""), fs::Permissions::from_mode(0o755)).unwrap();
        Self { world }
    }

    /// Builds as `PEER`, with more in front of `PATH` and in the environment.
    pub(crate) fn build(&self, name: &str, dockerfile: &str, environment: &[(&str, &str)]) -> Run {
        fs::write(self.world.path("context/Dockerfile"), dockerfile).unwrap();
        give(&self.world.path("context"));
        give(&self.world.path("home"));
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid", PEER, "--regid", PEER, "--clear-groups"])
            .arg(self.world.path("kiln"))
            .args([
                "build",
                "--progress",
                "plain",
                "--build-context",
                "base=oci:../debian",
                "-f",
                "Dockerfile",
                ".",
            ])
            .current_dir(self.world.path("context"))
            .env_remove("KILN_SANDBOX_IDS")
            .env("HOME", self.world.path("home"))
            .env("PATH", format!("{path}:/usr/bin"))
            .env("KILN_DATA_DIR", self.world.path(&format!("home/{name}/data")))
            .env("KILN_CACHE_DIR", self.world.path(&format!("home/{name}/cache")))
            .envs(environment.iter().copied());
        Run::of(&mut command)
    }
}

impl Desk {
    /// Builds as root, with more in the environment.
    pub(crate) fn build_as_root(&self, dockerfile: &str, environment: &[(&str, &str)]) -> Run {
        fs::write(self.world.path("context/Dockerfile"), dockerfile).unwrap();
        let mut command = self.world.kiln();
        command
            .env("KILN_CACHE_DIR", self.world.path("cache"))
            .envs(environment.iter().copied())
            .args(["build", "--no-cache", "--progress", "plain", "--build-context", "base=oci:debian"])
            .args(["-f", "context/Dockerfile", "context"]);
        Run::of(&mut command)
    }
}

/// A folder and what lies in it goes to `PEER`.
fn give(path: &Path) {
    let id = |flag: &str| -> u32 {
        let output = Command::new("id").args([flag, PEER]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
    };
    let (uid, gid) = (id("-u"), id("-g"));
    chown(path, Some(uid), Some(gid)).unwrap();
    for entry in fs::read_dir(path).unwrap().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_file()) {
            chown(entry.path(), Some(uid), Some(gid)).unwrap();
        }
    }
}

#[test]
fn every_user_gets_the_same_image() {
    if !needs(&["namespaces", "debian", "subordinate-ids"]) {
        return;
    }
    let desk = Desk::new();
    let many = desk.build("many", DOCKERFILE, &[]).exits(0);
    // Owners are real, as for root: the job sees the ids that the user was given.
    assert!(
        many.stderr.contains("owner 1000:50") && many.stderr.contains("uid=1234 gid=99"),
        "{}",
        many.stderr
    );
    assert!(desk.world.path("home/many/cache/layers/many-1").is_dir());
    let one = desk.build("one", DOCKERFILE, &[("KILN_SANDBOX_IDS", "one")]).exits(0);
    assert!(one.stderr.contains("owner 0:0") && desk.world.path("home/one/cache/layers/one").is_dir());
    assert_eq!(many.stdout, one.stdout);
    let root = desk
        .world
        .kiln()
        .env("KILN_CACHE_DIR", desk.world.path("cache"))
        .args(["build", "-q", "--build-context", "base=oci:debian", "-f", "context/Dockerfile", "context"])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(root.stdout).unwrap(), many.stdout);
}

#[test]
fn ids_that_are_refused_are_done_without() {
    if !needs(&["namespaces", "debian", "subordinate-ids"]) {
        return;
    }
    let desk = Desk::new();
    let tools = desk.world.path("tools");
    for (refusing, name) in [("newuidmap", "no-users"), ("newgidmap", "no-groups")] {
        drop(fs::remove_dir_all(&tools));
        fs::create_dir(&tools).unwrap();
        fs::write(tools.join(refusing), "#!/bin/sh\nexit 1\n").unwrap();
        fs::set_permissions(tools.join(refusing), fs::Permissions::from_mode(0o755)).unwrap();
        let path = format!("{}:/usr/bin:/bin", tools.display());
        let run = desk.build(name, DOCKERFILE, &[("PATH", &path)]).exits(0);
        assert!(run.stderr.contains("owner 0:0"), "{refusing}: {}", run.stderr);
    }
}

#[test]
fn a_user_beyond_the_ids_is_told() {
    if !needs(&["namespaces", "debian", "subordinate-ids"]) {
        return;
    }
    let desk = Desk::new();
    let copied = desk.build("copied", "FROM base\nCOPY --chown=70000:1 a.txt /\nRUN id\n", &[]).exits(3);
    assert!(copied.stderr.contains("its owner 70000:1 is not among the 65536 ids here"), "{}", copied.stderr);
    let run = desk.build("run", "FROM base\nUSER 70000\nRUN id\n", &[]).exits(3);
    assert!(run.stderr.contains("70000:0 is not among the 65536 ids here"), "{}", run.stderr);
    assert!(run.stderr.contains("KILN_SANDBOX_IDS=one"), "{}", run.stderr);
    desk.build("one", "FROM base\nUSER 70000\nRUN id\n", &[("KILN_SANDBOX_IDS", "one")]).exits(0);
}
