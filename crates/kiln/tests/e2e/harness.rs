//! How the tests of this binary run kiln: in a world of their own, with the downloads of all of them in common.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A folder for one test, which is gone after it: apps to work on, and what kiln keeps.
pub(crate) struct World {
    folder: TempDir,
    data: PathBuf,
}

impl World {
    /// With a store and keys of its own.
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("kiln-e2e-").tempdir().unwrap();
        let data = folder.path().join("data");
        Self { folder, data }
    }

    /// With the store and keys of all tests that say so: what one of them has built, the next need not build.
    pub(crate) fn sharing() -> Self {
        Self { data: cache().with_file_name("e2e-data"), ..Self::new() }
    }

    /// Where kiln keeps store and keys.
    pub(crate) fn data(&self, name: &str) -> PathBuf {
        self.data.join(name)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A cache folder of its own, with what all tests have downloaded: these files never change.
    pub(crate) fn own_cache(&self) -> PathBuf {
        let folder = self.path("cache");
        fs::create_dir_all(&folder).unwrap();
        let downloads = cache().join("downloads");
        if downloads.is_dir() {
            let copy = |how| Command::new("cp").arg(how).arg(&downloads).arg(&folder).output().unwrap();
            // Links, where it lies on the same file system.
            assert!(copy("-al").status.success() || copy("-a").status.success());
        }
        folder
    }

    /// A copy of the example `name`, which may be changed.
    pub(crate) fn example(&self, name: &str) -> PathBuf {
        let folder = self.path(name);
        copy(&project().join("examples").join(name), &folder);
        folder
    }

    /// An app of these files.
    pub(crate) fn app(&self, files: &[(&str, &str)]) -> PathBuf {
        let folder = self.path("app");
        for (path, text) in files {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    /// Runs kiln with `args`, in this world's folder.
    pub(crate) fn run<I: AsRef<std::ffi::OsStr>>(&self, args: impl IntoIterator<Item = I>) -> Run {
        Run::of(self.kiln().args(args))
    }

    /// kiln, ready to be started with arguments and whatever else a test needs.
    pub(crate) fn kiln(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kiln"));
        command
            .current_dir(self.folder.path())
            .env("KILN_DATA_DIR", &self.data)
            .env("KILN_CACHE_DIR", cache())
            .env("NO_COLOR", "1")
            .env_remove("SOURCE_DATE_EPOCH")
            .stdin(Stdio::null());
        command
    }
}

/// What a program did.
#[derive(Debug)]
pub(crate) struct Run {
    /// `None` if a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    pub(crate) fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// It ended with this exit code.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Standard output, as one JSON value.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in:\n{}", self.stdout))
    }
}

/// Something that not every machine has.
struct Need {
    name: &'static str,
    /// Succeeds where it is there.
    probe: &'static [&'static str],
}

static NEEDS: &[Need] = &[
    Need { name: "attacker", probe: &["sh", "-c", "test -x target/debug/kiln-sandbox-test"] },
    Need { name: "buildah", probe: &["buildah", "version"] },
    Need { name: "buildkit", probe: &["buildctl", "debug", "workers"] },
    Need { name: "buildx", probe: &["buildx", "version"] },
    Need { name: "cosign", probe: &["cosign", "version"] },
    Need { name: "crane", probe: &["crane", "version"] },
    Need { name: "debian", probe: &["test", "-f", "target/peers/debian/index.json"] },
    Need {
        name: "devices",
        probe: &[
            "sh",
            "-c",
            "d=$(mktemp -d) && mknod $d/null c 1 3 && echo >$d/null; r=$?; rm -r $d; exit $r",
        ],
    },
    Need { name: "docker", probe: &["docker", "version"] },
    Need {
        name: "documents",
        probe: &[
            "target/peers/bin/python",
            "-c",
            "import spdx_tools, cyclonedx, spdx_python_model, xmlschema",
        ],
    },
    Need { name: "fulcio", probe: &["fulcio", "version"] },
    Need { name: "junit", probe: &["test", "-s", "target/peers/junit.xsd"] },
    Need { name: "kms", probe: &["test", "-x", "target/peers/bin/sigstore-kms-peer"] },
    Need { name: "namespaces", probe: &["unshare", "--user", "--map-root-user", "--mount", "true"] },
    Need { name: "npm", probe: &["npm", "view", "semver", "version"] },
    Need { name: "pid-namespaces", probe: &["unshare", "--pid", "--fork", "true"] },
    Need { name: "referrers", probe: &["test", "-x", "target/peers/bin/registry-with-referrers"] },
    Need { name: "regctl", probe: &["regctl", "version"] },
    Need { name: "registry", probe: &["docker-registry", "--version"] },
    Need { name: "rekor", probe: &["rekor-server-posix", "version"] },
    Need { name: "sarif", probe: &["test", "-s", "target/peers/sarif-2.1.0.json"] },
    Need { name: "schemas", probe: &["target/peers/bin/validate-layout", "--help"] },
    Need { name: "skopeo", probe: &["skopeo", "--version"] },
    Need { name: "softhsm", probe: &["sh", "-c", "command -v softhsm2-util && command -v pkcs11-tool"] },
    Need {
        name: "subordinate-ids",
        probe: &["sh", "-c", "command -v newuidmap && grep -q ^kiln-peer: /etc/subuid"],
    },
    Need { name: "timestamps", probe: &["timestamp-server", "version"] },
    Need { name: "tuf", probe: &["target/peers/bin/python", "-c", "import tuf"] },
    Need { name: "umoci", probe: &["umoci", "--version"] },
    Need { name: "vex", probe: &["target/peers/bin/validate-vex", "--help"] },
];

/// Whether all of `names` are here. If not, says so past the capture of test output, for the reader of the log.
///
/// With `KILN_CI=1` a thing named in `KILN_CI_HAS` (what `ci/install-peers` found or installed) must be here.
#[expect(clippy::explicit_write, reason = "the macro would be captured")]
#[track_caller]
pub(crate) fn needs(names: &[&str]) -> bool {
    names.iter().all(|name| {
        let need = NEEDS.iter().find(|need| need.name == *name).expect("a name of NEEDS");
        let is_here = probe(need);
        if !is_here {
            let promised = std::env::var("KILN_CI_HAS").unwrap_or_default();
            let must = std::env::var("KILN_CI").is_ok_and(|value| value == "1");
            assert!(!must || !promised.split_whitespace().any(|has| has == *name), "{name} must be here");
            let thread = std::thread::current();
            let test = thread.name().unwrap_or("a test");
            let why = need.probe.join(" ");
            writeln!(std::io::stderr(), "skipped: {test}: no {name} here (`{why}` fails)").unwrap();
        }
        is_here
    })
}

fn probe(need: &Need) -> bool {
    let Some((program, args)) = need.probe.split_first() else { return false };
    let run = Command::new(program)
        .args(args)
        .current_dir(project())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    run.is_ok_and(|status| status.success())
}

/// skopeo, as root of a namespace where a user runs the tests: it gives what it unpacks to root.
pub(crate) fn skopeo() -> Command {
    if rustix::process::geteuid().is_root() {
        return Command::new("skopeo");
    }
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "skopeo"]);
    command
}

/// The folder of the project.
pub(crate) fn project() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The cache that all tests share and that outlives them: each file is downloaded once.
pub(crate) fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("e2e-cache")
}

pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        // What a desk leaves beside the files that are committed.
        if name == "node_modules" || name == "dist" || name == "kiln.lock" {
            continue;
        }
        let target = to.join(name);
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
