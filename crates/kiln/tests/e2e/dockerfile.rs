//! `kiln build -f`: what people do with Dockerfiles, and what goes wrong with them.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::differential::DEBIAN;
use crate::git_daemon::GitDaemon;
use crate::harness::{Run, World, needs, project};

/// A world with a cache of its own, a folder to build from, and Debian under the name `base`.
struct Bench {
    world: World,
    context: PathBuf,
}

fn bench() -> Option<Bench> {
    if !needs(&["namespaces", "debian"]) {
        return None;
    }
    let world = World::new();
    let context = world.path("context");
    fs::create_dir(&context).unwrap();
    fs::write(context.join("a.txt"), "a\n").unwrap();
    Some(Bench { world, context })
}

impl Bench {
    fn command(&self, dockerfile: &str, args: &[&str]) -> Command {
        let file = self.world.path("Dockerfile");
        fs::write(&file, dockerfile).unwrap();
        let base = format!("base=oci:{}", project().join(DEBIAN).display());
        let mut command = self.world.kiln();
        command
            .env("KILN_CACHE_DIR", self.world.path("cache"))
            .args(["build", "--build-context", &base, "-f", file.to_str().unwrap()])
            .args(args)
            .arg(&self.context);
        command
    }

    fn build(&self, dockerfile: &str, args: &[&str]) -> Run {
        Run::of(&mut self.command(dockerfile, args))
    }

    fn digest(&self, dockerfile: &str, args: &[&str]) -> String {
        self.build(dockerfile, args).exits(0).stdout.trim().to_owned()
    }

    /// The error of a build that fails.
    fn error(&self, dockerfile: &str, args: &[&str], code: i32) -> String {
        self.build(dockerfile, args).exits(code).stderr
    }

    /// A file of the context.
    fn write(&self, path: &str, text: &str) {
        let path = self.context.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

/// The lines that say which steps ran.
fn steps(run: &Run) -> Vec<&str> {
    run.stderr.lines().filter_map(|line| line.trim().strip_prefix('[')).collect()
}

#[track_caller]
fn says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} in:\n{text}");
    }
}

const TWO_STAGES: &str = "FROM base AS build\nWORKDIR /w\nCOPY package.json .\nRUN cp package.json installed\nCOPY src src\n\
    RUN cat installed src/main.js > out\nFROM scratch\nCOPY --from=build /w/out /app/\nCOPY a.txt /app/\n";

#[test]
fn only_what_changed_is_done_again() {
    let Some(bench) = bench() else { return };
    bench.write("package.json", "{}");
    bench.write("src/main.js", "one();\n");
    let first = bench.digest(TWO_STAGES, &[]);
    let again = bench.build(TWO_STAGES, &[]).exits(0);
    assert_eq!((again.stdout.trim(), steps(&again).len()), (first.as_str(), 0), "{}", again.stderr);

    bench.write("src/main.js", "two();\n");
    let changed = bench.build(TWO_STAGES, &["--why"]).exits(0);
    // The last COPY lies on another layer now, and is the same.
    assert_eq!(steps(&changed).len(), 3, "{}", changed.stderr);
    says(&changed.stderr, &["because `src/main.js` changed", "COPY --from=build"]);

    bench.write("unused.txt", "nobody copies this");
    assert_eq!(steps(&bench.build(TWO_STAGES, &[]).exits(0)).len(), 0);
}

#[test]
fn what_comes_out_the_same_is_not_copied_again() {
    let Some(bench) = bench() else { return };
    let file = "FROM base AS build\nCOPY a.txt /\nRUN wc -l < /a.txt > /count\nFROM scratch\nCOPY --from=build /count /\n";
    let first = bench.digest(file, &[]);
    bench.write("a.txt", "b\n");
    let second = bench.build(file, &[]).exits(0);
    assert_eq!((second.stdout.trim(), steps(&second).len()), (first.as_str(), 2), "{}", second.stderr);
}

#[test]
fn the_digest_depends_on_nothing_but_the_inputs() {
    let Some(bench) = bench() else { return };
    bench.write("package.json", "{}");
    bench.write("src/main.js", "one();\n");
    let first = bench.digest(TWO_STAGES, &[]);
    assert_eq!(bench.digest(TWO_STAGES, &["--no-cache"]), first);
    let other = bench.world.path("other");
    fs::rename(&bench.context, &other).unwrap();
    let bench = Bench { context: other, world: bench.world };
    let mut elsewhere = bench.command(TWO_STAGES, &[]);
    elsewhere
        .env("KILN_CACHE_DIR", bench.world.path("second-cache"))
        .env("TZ", "Asia/Tokyo")
        .env("KILN_SANDBOX_IDS", "one");
    assert_eq!(Run::of(&mut elsewhere).exits(0).stdout.trim(), first);
    let later = bench.digest(TWO_STAGES, &["--build-arg", "SOURCE_DATE_EPOCH=1700000000"]);
    assert_ne!(later, first);
}

#[test]
fn builds_at_the_same_time_share_one_cache() {
    let Some(bench) = bench() else { return };
    let file = "FROM base\nCOPY a.txt /x/\nRUN sleep 0.3 && cp /x/a.txt /y\nRUN cat /x/a.txt /y > /z\n";
    let start = || bench.command(file, &[]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let builds: Vec<_> = (0..3).map(|_| start()).collect();
    let digests: Vec<_> = builds
        .into_iter()
        .map(|build| {
            let output = build.wait_with_output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            output.stdout
        })
        .collect();
    assert!(digests.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn a_killed_build_leaves_nothing_in_the_way() {
    let Some(bench) = bench() else { return };
    let file = "FROM base\nRUN echo half > /half && sleep 1 && echo whole > /whole\n";
    for millis in [5, 60, 300, 900] {
        let mut build = bench.command(file, &["-q"]).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(millis));
        build.kill().unwrap();
        build.wait().unwrap();
    }
    let digest = bench.digest(file, &[]);
    assert_eq!(bench.digest(file, &["--no-cache"]), digest);
    let scratch = fs::read_dir(bench.world.path("cache/layers"))
        .unwrap()
        .flat_map(|ids| fs::read_dir(ids.unwrap().path().join("scratch")));
    assert_eq!(scratch.flatten().count(), 0, "scratch folders are swept");
}

#[test]
fn what_nobody_used_for_long_is_removed() {
    let Some(bench) = bench() else { return };
    let file = "FROM base\nRUN echo made > /made\n";
    let digest = bench.digest(file, &[]);
    let results = || -> Vec<PathBuf> {
        let ids = fs::read_dir(bench.world.path("cache/layers")).unwrap();
        let folders = ids.map(|ids| ids.unwrap().path().join("results"));
        folders.flat_map(|folder| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path())).collect()
    };
    assert_eq!(results().len(), 2, "the base and the step");
    let long_ago = std::time::SystemTime::now() - Duration::from_hours(40 * 24);
    for result in results() {
        fs::File::open(result).unwrap().set_modified(long_ago).unwrap();
    }
    bench.digest("FROM scratch\nCOPY a.txt /\n", &[]);
    assert_eq!(results().len(), 0);
    assert_eq!(bench.digest(file, &["--no-cache"]), digest);
}

#[test]
fn a_command_that_fails_is_shown_with_its_last_words() {
    let Some(bench) = bench() else { return };
    let error = bench.error("FROM base\n\nRUN echo before && \\\n    echo broken >&2 && exit 7\n", &[], 3);
    says(&error, &["Dockerfile:3: RUN echo before", "exit code 7", "before", "broken"]);
    let error = bench.error("FROM base\nRUN not-a-program\n", &[], 3);
    says(&error, &["Dockerfile:2", "exit code 127", "is the program in the image"]);
}

#[test]
fn a_command_that_hangs_or_multiplies_is_stopped() {
    let Some(bench) = bench() else { return };
    let began = Instant::now();
    let error = bench.error("FROM base\nRUN sleep 1000\n", &["--timeout", "1"], 3);
    says(&error, &["still running after 1 second ", "--timeout"]);
    let bomb = "FROM base\nRUN [\"/bin/bash\", \"-c\", \"f() { f & f & wait; }; f\"]\n";
    let error = bench.error(bomb, &["--timeout", "5"], 3);
    says(&error, &["Dockerfile:2"]);
    assert!(began.elapsed() < Duration::from_mins(2));
}

#[test]
fn what_cannot_be_copied_is_named_with_its_line() {
    let Some(bench) = bench() else { return };
    let error = bench.error("FROM scratch\nCOPY missing.txt /\n", &[], 2);
    says(&error, &["Dockerfile:2", "`missing.txt` is not there to be copied", ".dockerignore"]);
    symlink("/etc/passwd", bench.context.join("outside")).unwrap();
    let error = bench.error("FROM scratch\nCOPY outside /\n", &[], 2);
    says(&error, &["`outside` is not there"]);
    let error = bench.error("FROM base\nCOPY --chown=nobody-here a.txt /\n", &[], 2);
    says(&error, &["there is no user `nobody-here` in /etc/passwd"]);
    let error = bench.error("FROM base\nCOPY a.txt /etc/passwd/x\n", &[], 2);
    says(&error, &["`/etc/passwd` is there already and is no folder"]);
    let error = bench.error(
        "FROM scratch\nCOPY --from=later a /\nFROM scratch AS later\nCOPY --from=0 b /\n",
        &[],
        2,
    );
    says(&error, &["need each other"]);
}

#[test]
fn contexts_hold_strange_things() {
    let Some(bench) = bench() else { return };
    let _socket = UnixListener::bind(bench.context.join("socket")).unwrap();
    symlink("../../../../etc", bench.context.join("up")).unwrap();
    let made = Command::new("mkfifo").arg(bench.context.join("pipe")).status().unwrap();
    assert!(made.success());
    let error = bench.error("FROM scratch\nCOPY . /\n", &[], 2);
    says(&error, &["pipe or a device", "pipe`", ".dockerignore"]);
    bench.write(".dockerignore", "pipe\n");
    bench.digest("FROM scratch\nCOPY . /\n", &[]);
    bench.write(".dockerignore", "[a\n");
    says(&bench.error("FROM scratch\nCOPY . /\n", &[], 2), &[".dockerignore"]);
}

#[test]
fn secrets_leave_no_trace() {
    let Some(bench) = bench() else { return };
    let secret = "hunter2-correct-horse";
    let path = bench.world.path("token");
    fs::write(&path, secret).unwrap();
    let option = format!("id=token,src={}", path.display());
    let file = "FROM base\nRUN --mount=type=secret,id=token test \"$(cat /run/secrets/token)\" = hunter2-correct-horse-not || wc -c /run/secrets/token > /size\n\
        RUN --mount=type=secret,id=token,env=TOKEN,required=true test -n \"$TOKEN\" && env | grep -c TOKEN > /count\n";
    let first = bench.digest(file, &["--secret", &option]);
    for folder in ["cache", "data"] {
        let found =
            Command::new("grep").args(["-rl", secret]).arg(bench.world.path(folder)).output().unwrap();
        let found = String::from_utf8(found.stdout).unwrap();
        // The command names another text that begins alike; nothing else may.
        let leaked = found.lines().any(|path| {
            let text = fs::read(path).unwrap();
            let text = String::from_utf8_lossy(&text).replace("hunter2-correct-horse-not", "");
            text.contains(secret)
        });
        assert!(!leaked, "{found}");
    }
    fs::write(&path, "another-secret-of-21c").unwrap();
    let again = bench.build(file, &["--secret", &option]).exits(0);
    assert_eq!((again.stdout.trim(), steps(&again).len()), (first.as_str(), 0));
    let error = bench.error(&file.replace("env=TOKEN", "env=OTHER"), &[], 2);
    says(&error, &["the secret `token`", "--secret id=token"]);
}

#[test]
fn results_travel_between_machines() {
    let Some(bench) = bench() else { return };
    let file = "FROM base AS build\nRUN echo made > /made\nFROM base\nCOPY --from=build /made /x/\nRUN cat /x/made > /y\n";
    let place = format!("oci:{}", bench.world.path("shared").display());
    let first = bench.digest(file, &["--cache-to", &place]);
    let elsewhere = World::new();
    let mut command = bench.command(file, &["--cache-from", &place]);
    command.env("KILN_CACHE_DIR", elsewhere.path("cache")).env("KILN_DATA_DIR", elsewhere.path("data"));
    let run = Run::of(&mut command).exits(0);
    assert_eq!((run.stdout.trim(), steps(&run).len()), (first.as_str(), 0), "{}", run.stderr);
    let run = bench.build(file, &["--cache-from", "oci:/nowhere"]).exits(0);
    says(&run.stderr, &["warning: the cache oci:/nowhere is not used"]);
}

#[test]
fn other_processors_are_built_for_where_nothing_must_run() {
    let Some(bench) = bench() else { return };
    let other = if cfg!(target_arch = "x86_64") { "arm64" } else { "amd64" };
    let platform = format!("linux/{other}");
    let file = "FROM --platform=$BUILDPLATFORM base AS build\nARG TARGETARCH\nRUN echo $TARGETARCH > /arch\nFROM scratch\nCOPY --from=build /arch /\n";
    bench.digest(file, &["--platform", &platform]);
    let error = bench.error("FROM scratch\nCOPY a.txt /\nRUN [\"/a\"]\n", &["--platform", &platform], 2);
    says(
        &error,
        &["Dockerfile:3", &format!("a command for {other} cannot run"), "--platform=$BUILDPLATFORM"],
    );
    let error = bench.error("FROM base\n", &["--platform", &platform], 2);
    says(&error, &[other]);
}

#[test]
fn onbuild_runs_in_the_child() {
    let Some(bench) = bench() else { return };
    let parent = "FROM base\nONBUILD COPY a.txt /from-child\nONBUILD RUN cp /from-child /run-in-child\n";
    bench.build(parent, &["-t", "parent:1"]).exits(0);
    let child =
        bench.build("FROM parent:1\nRUN test -f /run-in-child && test -f /from-child\n", &[]).exits(0);
    assert_eq!(steps(&child).len(), 3, "{}", child.stderr);
}

#[test]
fn remote_files_are_checked() {
    let Some(bench) = bench() else { return };
    let server = serve(bench.context.clone());
    let good = "sha256:87428fc522803d31065e7bce3cf03fe475096631e5e07bbd7a0fde60c4cf25c7";
    let file = |checksum: &str| {
        format!(
            "FROM scratch\nADD --checksum={checksum} http://{server}/a.txt /x/\nADD http://{server}/a.txt /y\n"
        )
    };
    bench.digest(&file(good), &[]);
    let error = bench.error(&file(&good.replace('8', "9")), &[], 3);
    says(&error, &["not what --checksum promises", "got sha256:87428fc5"]);
    let slow = endless();
    let error = bench.error(&format!("FROM scratch\nADD http://{slow}/a /x/\n"), &["--timeout", "1"], 3);
    assert!(error.contains("it has not come within 1 seconds") && error.contains("--timeout"), "{error}");
    let error = bench.error(&format!("FROM scratch\nADD http://{server}/ /x/\n"), &[], 2);
    says(&error, &["no file name"]);
    // Services there trust whoever asks, and kiln is asked by whoever wrote the Dockerfile.
    for host in ["169.254.169.254", "[fe80::1]", "[::ffff:169.254.169.254]", "2852039166"] {
        let error = bench.error(&format!("FROM scratch\nADD http://{host}/latest/credentials /x\n"), &[], 3);
        says(&error, &["services that trust whoever asks"]);
    }
}

#[test]
fn commands_know_names_through_links_of_the_base() {
    let Some(bench) = bench() else { return };
    fs::create_dir(bench.context.join("names")).unwrap();
    symlink("../run/names/hosts", bench.context.join("names/hosts")).unwrap();
    symlink("/run/systemd/resolve/stub.conf", bench.context.join("names/resolv.conf")).unwrap();
    let text = "FROM base\nCOPY names/ /etc/\n\
        RUN grep -q $(hostname) /etc/hosts && test -L /etc/hosts && test -s /run/systemd/resolve/stub.conf\n\
        RUN --network=none grep -q localhost /etc/hosts && grep -q buildkitsandbox /etc/hosts\n";
    bench.build(text, &["-t", "names:1"]).exits(0);
    // The places at which files were mounted are not left.
    let look = "RUN --network=none test -L /seen/etc/hosts && test ! -e /seen/run/names && test ! -e /seen/run/systemd\n";
    let seen =
        format!("FROM base\nCOPY --from=names:1 /etc /seen/etc\nCOPY --from=names:1 /run /seen/run\n{look}");
    bench.build(&seen, &[]).exits(0);
}

#[test]
fn repositories_are_added_at_a_commit() {
    let Some(bench) = bench() else { return };
    let repository = bench.world.path("repository.git");
    let git = |args: &[&str]| {
        let run = Run::of(
            Command::new("git")
                .arg("-C")
                .arg(&repository)
                .args(["-c", "user.name=x", "-c", "user.email=x@example.invalid"])
                .args(args),
        );
        run.exits(0).stdout.trim().to_owned()
    };
    fs::create_dir_all(repository.join("sub")).unwrap();
    git(&["init", "-q", "-b", "main"]);
    fs::write(repository.join("sub/file"), "first\n").unwrap();
    git(&["add", "."]);
    git(&["commit", "-qm", "first"]);
    git(&["tag", "v1"]);
    let commit = git(&["rev-parse", "HEAD"]);
    fs::write(repository.join("sub/file"), "second\n").unwrap();
    git(&["commit", "-qam", "second"]);
    let server = GitDaemon::start(&bench.world.path(""));
    let address = format!("git://{}/repository.git", server.address);
    let check = |text: &str| format!("FROM base\nADD {address}{text} /r\nRUN grep -q ");
    bench.digest(&format!("{}first /r/sub/file && test ! -e /r/.git\n", check("#v1")), &[]);
    bench.digest(&format!("{}second /r/file\n", check("#main:sub")), &[]);
    bench.digest(
        &format!(
            "FROM base\nADD --keep-git-dir=true --checksum={commit} {address}#v1 /r\nRUN test -d /r/.git\n"
        ),
        &[],
    );
    let error = bench.error(&format!("FROM scratch\nADD --checksum={commit} {address}#main /r\n"), &[], 3);
    says(&error, &["not the commit that --checksum promises"]);
}

#[test]
fn a_dockerfile_no_builder_takes_is_refused_with_its_line() {
    let Some(bench) = bench() else { return };
    for (file, parts) in [
        ("FROM scratch\nCOYP a b\n", ["Dockerfile:2", "COPY"]),
        ("RUN x\n", ["Dockerfile:1", "FROM"]),
        ("FROM ${NOTHING}\n", ["Dockerfile:1", "empty"]),
        ("FROM scratch\nRUN --mount=type=bimd x\n", ["Dockerfile:2", "bind"]),
        ("FROM scratch\nRUN --security=insecure x\n", ["Dockerfile:2", "insecure"]),
        ("", ["Dockerfile", "empty"]),
    ] {
        says(&bench.error(file, &[], 2), &parts);
    }
    says(
        &bench.error("FROM scratch AS one\n", &["--target", "onne"], 2),
        &["no stage `onne`", "did you mean `one`?"],
    );
    says(&bench.error("FROM no-such-image:1\n", &["--offline"], 2), &["no-such-image:1", "pull it first"]);
}

#[test]
fn docker_runs_what_was_built() {
    let Some(bench) = bench() else { return };
    if !needs(&["docker", "skopeo"]) {
        return;
    }
    let file = "FROM base\nRUN useradd -u 4001 app\nWORKDIR /app\nCOPY --chown=app a.txt .\nUSER app\nCMD id -u && cat a.txt\n";
    let build = |compression: &str| {
        bench.build(file, &["-t", "runs:1", "--compression", compression]).exits(0);
        let layout = format!("oci:{}:1", bench.world.path(compression).display());
        bench.world.run(["copy", "runs:1", &layout]).exits(0);
        layout
    };
    let skopeo = |args: &[&str]| {
        Run::of(Command::new("skopeo").args(["copy", "--insecure-policy"]).args(args)).exits(0)
    };
    let name = format!("kiln-e2e-built-{}:1", std::process::id());
    skopeo(&[&build("gzip"), &format!("docker-daemon:{name}")]);
    let run = Run::of(Command::new("docker").args(["run", "--rm", "--network=none", &name])).exits(0);
    assert_eq!(run.stdout, "4001\na\n");
    Run::of(Command::new("docker").args(["rmi", "-f", &name])).exits(0);
    // This Docker takes no zstd; skopeo unpacks it and checks what it unpacked.
    skopeo(&[
        "--dest-decompress",
        &build("zstd"),
        &format!("dir:{}", bench.world.path("unpacked").display()),
    ]);
}

/// Serves the files of a folder over HTTP for as long as the test runs; yields its address.
fn serve(folder: PathBuf) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut line = String::new();
            let mut reader = BufReader::new(&stream);
            if reader.read_line(&mut line).is_err() {
                continue;
            }
            while reader.read_line(&mut String::new()).is_ok_and(|count| count > 2) {}
            let path = line.split(' ').nth(1).unwrap_or("/").trim_start_matches('/').to_owned();
            let (status, body) = match fs::read(folder.join(path)) {
                Ok(body) => ("200 OK", body),
                Err(_) => ("404 Not Found", Vec::new()),
            };
            let head =
                format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            drop((&stream).write_all(head.as_bytes()).and_then(|()| (&stream).write_all(&body)));
        }
    });
    address
}

/// Sends more and more, for as long as somebody listens.
fn endless() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut more = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n".to_vec();
                while stream.write_all(&more).is_ok() {
                    more = vec![b'x'; 1000];
                    std::thread::sleep(std::time::Duration::from_millis(10));
                }
            });
        }
    });
    address
}
