//! Folders and repositories that try to bring in what lies beside them.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rustix::fs::CWD;

use super::canary::Canary;
use crate::git_daemon::GitDaemon;
use crate::harness::{Run, World, needs};

/// A build context, and a canary beside it.
struct Desk {
    world: World,
    canary: Canary,
    context: PathBuf,
}

impl Desk {
    fn new() -> Option<Self> {
        if !needs(&["namespaces"]) {
            return None;
        }
        let world = World::new();
        let (canary, context) = (Canary::new(world.path("canary"), None), world.path("context"));
        fs::create_dir(&context).unwrap();
        Some(Self { world, canary, context })
    }

    fn build(&self, dockerfile: &str) -> Run {
        let file = self.world.path("Dockerfile");
        fs::write(&file, dockerfile).unwrap();
        let mut kiln = self.world.kiln();
        kiln.env("KILN_CACHE_DIR", self.world.path("cache")).env("HOME", self.world.path("home"));
        Run::of(kiln.args(["build", "-f"]).arg(&file).arg(&self.context))
    }

    fn copy(&self, image: &str, to: &str) -> Run {
        let mut kiln = self.world.kiln();
        Run::of(kiln.env("KILN_CACHE_DIR", self.world.path("cache")).args(["copy", image, to]))
    }

    /// The canary is as it was, and in nothing that was built.
    fn kept_quiet(&self, what: &str) {
        self.canary.is_as_it_was(what);
        self.canary.is_not_in(&self.world.data("store"));
        self.canary.is_not_in(&self.world.path("cache"));
    }
}

#[test]
fn no_link_of_a_context_leads_out_of_it() {
    let Some(desk) = Desk::new() else { return };
    let canary = PathBuf::from(format!("/{}", desk.canary.name()));
    let sub = desk.context.join("sub");
    fs::create_dir(&sub).unwrap();
    fs::write(sub.join("file"), "inside").unwrap();
    for (name, target) in [
        ("folder", canary.clone()),
        ("secret", canary.join("secret")),
        ("climbs", PathBuf::from("../canary")),
        ("sub/deep", PathBuf::from("../../canary/secret")),
        ("processes", PathBuf::from("/proc/self/cwd/../canary")),
    ] {
        symlink(target, desk.context.join(name)).unwrap();
    }
    for line in [
        "COPY . /all/",
        "COPY folder /a",
        "COPY folder/secret /b",
        "COPY folder/ /c/",
        "COPY secret /d",
        "COPY climbs/secret /e",
        "COPY climbs /f/",
        "COPY sub/deep /g",
        "COPY processes/secret /h",
        "COPY */secret /i/",
        "COPY --parents folder/./secret /j/",
        "ADD secret /k",
        "ADD ../canary/secret /l",
        "COPY /../canary/secret /m",
        "COPY --from=out secret /n",
        "COPY folder/[s]ecret /o/",
    ] {
        let run = desk.build(&format!("FROM scratch\n{line}\n"));
        assert!([Some(0), Some(2), Some(3)].contains(&run.code), "{line}: {:?} {}", run.code, run.stderr);
        desk.kept_quiet(line);
    }
}

#[test]
fn a_folder_that_is_swapped_while_it_is_read_brings_nothing_in() {
    let Some(desk) = Desk::new() else { return };
    let (real, link) = (desk.context.join("d"), desk.world.path("link"));
    fs::create_dir(&real).unwrap();
    for number in 0..50 {
        fs::write(real.join(format!("file{number}")), "inside").unwrap();
    }
    fs::write(real.join("secret"), "inside").unwrap();
    symlink(desk.world.path("canary"), &link).unwrap();
    let (done, pause) = (AtomicBool::new(false), AtomicU64::new(300));
    let (mut tried, mut built) = (0, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let flags = rustix::fs::RenameFlags::EXCHANGE;
                rustix::fs::renameat_with(CWD, &real, CWD, &link, flags).unwrap();
                std::thread::sleep(Duration::from_micros(pause.load(Ordering::Relaxed)));
            }
        });
        // Swapped ever more slowly, until some builds have seen the folder, and many have not.
        while tried < 40 || built < 3 && tried < 400 {
            let run = desk.build(&format!("FROM scratch\nCOPY d /{tried}/\nCOPY d/secret /s\n"));
            assert!([Some(0), Some(2), Some(3)].contains(&run.code), "{:?} {}", run.code, run.stderr);
            built += usize::from(run.code == Some(0));
            tried += 1;
            if tried % 10 == 0 {
                pause
                    .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |pause| {
                        Some((pause * 2).min(200_000))
                    })
                    .unwrap();
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    super::say(&format!("hostile: {tried} builds of a folder that is swapped: {built} built"));
    assert!(built > 0 && built < tried, "{built} of {tried} builds saw the folder");
    desk.kept_quiet("a swapped folder");
}

/// A repository that others serve.
struct Repository(PathBuf);

impl Repository {
    fn new(folder: PathBuf) -> Self {
        fs::create_dir_all(&folder).unwrap();
        let repository = Self(folder);
        repository.git(&["init", "-q", "-b", "main"]);
        repository
    }

    fn git(&self, args: &[&str]) -> String {
        let mut git = Command::new("git");
        git.arg("-C").arg(&self.0).args(["-c", "user.name=x", "-c", "user.email=x@example.invalid"]);
        git.args(["-c", "protocol.file.allow=always"]).args(args);
        Run::of(&mut git).exits(0).stdout.trim().to_owned()
    }

    fn commit(&self, files: &[(&str, &str)]) {
        for (path, text) in files {
            let path = self.0.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", "x"]);
    }
}

#[test]
fn no_repository_brings_in_others_of_the_machine() {
    let Some(desk) = Desk::new() else { return };
    let private = Repository::new(desk.world.path("private"));
    let secret = fs::read_to_string(desk.world.path("canary/secret")).unwrap();
    private.commit(&[("secret", &secret)]);
    let served = desk.world.path("served");
    fs::create_dir(&served).unwrap();
    let daemon = GitDaemon::start(&served);
    let path = private.0.display();
    for (number, url) in
        [format!("file://{path}"), path.to_string(), "../../private".to_owned(), "../private".to_owned()]
            .iter()
            .enumerate()
    {
        let name = format!("r{number}.git");
        let repository = Repository::new(served.join(&name));
        repository.commit(&[(".gitmodules", &format!("[submodule \"s\"]\n\tpath = s\n\turl = {url}\n"))]);
        let commit = private.git(&["rev-parse", "HEAD"]);
        repository.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{commit},s")]);
        repository.git(&["commit", "-q", "-m", "submodule"]);
        let run = desk.build(&format!("FROM scratch\nADD git://{}/{name} /r\n", daemon.address)).exits(3);
        assert!(run.stderr.contains("submodule"), "{}", run.stderr);
        desk.kept_quiet(url);
    }
    for address in
        [format!("file://{path}/.git"), format!("{path}/x@y:z.git"), "http://127.0.0.1:1/x.git".to_owned()]
    {
        let run = desk.build(&format!("FROM scratch\nADD {address} /r\n"));
        assert!([Some(2), Some(3)].contains(&run.code), "{address}: {:?} {}", run.code, run.stderr);
        desk.kept_quiet(&address);
    }
}

#[test]
fn git_runs_nothing_that_anybody_configured() {
    let Some(desk) = Desk::new() else { return };
    let marker = desk.world.path("ran");
    let touch = format!("touch {}", marker.display());
    let home = desk.world.path("home");
    fs::create_dir_all(home.join("hooks")).unwrap();
    for hook in ["post-checkout", "reference-transaction", "post-index-change", "fsmonitor-watchman"] {
        let path = home.join("hooks").join(hook);
        fs::write(&path, format!("#!/bin/sh\n{touch}\n")).unwrap();
        Run::of(Command::new("chmod").arg("+x").arg(path)).exits(0);
    }
    let hooks = home.join("hooks").display().to_string();
    let config = format!(
        "[core]\n\thooksPath = {hooks}\n\tfsmonitor = {hooks}/fsmonitor-watchman\n\tsshCommand = {touch}\n\
         [filter \"evil\"]\n\tsmudge = {touch} && cat\n\tprocess = {touch}\n\trequired = true\n\
         [init]\n\ttemplateDir = {hooks}\n[protocol]\n\tallow = always\n[submodule]\n\trecurse = true\n\
         [url \"file://{private}\"]\n\tinsteadOf = git://\n",
        private = desk.world.path("elsewhere").display()
    );
    fs::write(home.join(".gitconfig"), &config).unwrap();
    let served = desk.world.path("served");
    let repository = Repository::new(served.join("r.git"));
    repository.commit(&[
        (".gitattributes", "* filter=evil\n"),
        ("file", "inside\n"),
        (".gitconfig", &config),
    ]);
    let daemon = GitDaemon::start(&served);
    desk.build(&format!("FROM scratch\nADD git://{}/r.git /r\n", daemon.address)).exits(0);
    assert!(!marker.exists(), "something of the configuration ran");
}

#[test]
fn no_output_goes_where_a_link_of_others_leads() {
    let Some(desk) = Desk::new() else { return };
    fs::write(desk.context.join("file"), "inside").unwrap();
    desk.build("FROM scratch\nCOPY file /\n").exits(0);
    let digest = desk.build("FROM scratch\nCOPY file /\n").exits(0).stdout.trim().to_owned();
    let canary = desk.world.path("canary");
    let planted = |name: &str, links: &[(&str, &str)]| {
        let folder = desk.world.path(name);
        fs::create_dir_all(folder.join("blobs")).unwrap();
        for (link, target) in links {
            drop(fs::remove_dir(folder.join(link)));
            symlink(canary.join(target), folder.join(link)).unwrap();
        }
        folder
    };
    for (name, links) in [
        ("blobs", &[("blobs", "folder")][..]),
        ("sha256", &[("blobs/sha256", "folder")][..]),
        ("index", &[("index.json", "secret")][..]),
        ("marker", &[("oci-layout", "secret")][..]),
        ("ingest", &[("ingest", "folder")][..]),
    ] {
        let folder = planted(name, links);
        let run = desk.copy(&digest, &format!("oci:{}:1", folder.display()));
        assert!([Some(0), Some(2), Some(3)].contains(&run.code), "{name}: {:?} {}", run.code, run.stderr);
        desk.canary.is_as_it_was(name);
    }
    for form in ["oci-archive", "docker-archive"] {
        let file = desk.world.path(&format!("{form}.tar"));
        symlink(canary.join("secret"), &file).unwrap();
        let run = desk.copy(&digest, &format!("{form}:{}:a:1", file.display()));
        assert!([Some(0), Some(2), Some(3)].contains(&run.code), "{form}: {:?} {}", run.code, run.stderr);
        desk.canary.is_as_it_was(form);
    }
}

#[test]
fn nothing_waits_for_a_pipe() {
    let Some(desk) = Desk::new() else { return };
    let pipe = |path: &str| {
        let path = desk.context.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        Run::of(Command::new("mkfifo").arg(&path)).exits(0);
        path
    };
    for name in [
        "Dockerfile",
        ".dockerignore",
        "package.json",
        "package-lock.json",
        "kiln.toml",
        "kiln.lock",
        ".gitignore",
    ] {
        let path = pipe(name);
        for command in ["lint", "plan", "fix", "scan", "ship", "build"] {
            let mut kiln = desk.world.kiln();
            kiln.args(["--offline", command]).arg(&desk.context);
            let run =
                Run::of(Command::new("timeout").arg("60").arg(kiln.get_program()).args(kiln.get_args()));
            assert!(
                run.code.is_some_and(|code| code < 4),
                "{command} with {name}: {:?} {}",
                run.code,
                run.stderr
            );
        }
        fs::remove_file(path).unwrap();
    }
}
