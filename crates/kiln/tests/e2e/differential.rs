//! The Dockerfiles of `tests/differential/cases.md`, built by kiln and by BuildKit, give the same image.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use kiln_image::{Image, Source as _};
use kiln_oci::{Digest, ImageConfig, Index};
use kiln_rootfs::{Content, Delta, Kind, LayerReader, Limits, Tree, decompress};
use kiln_store::Layout;

use crate::harness::{Run, World, needs, project};

/// Set to a part of a name to build only the cases that have it.
const ONLY: &str = "KILN_DIFFERENTIAL";
/// An OCI layout of a minimal Debian, made by `ci/compose-debian`.
pub(crate) const DEBIAN: &str = "target/peers/debian";

struct Case {
    name: String,
    args: Vec<String>,
    dockerfile: String,
}

fn cases() -> Vec<Case> {
    let text = fs::read_to_string(project().join("crates/kiln/tests/differential/cases.md")).unwrap();
    let only = std::env::var(ONLY).unwrap_or_default();
    let blocks = text.split("\n### ").skip(1).map(|block| {
        let (name, rest) = block.split_once('\n').unwrap();
        let (head, code) = rest.split_once("```dockerfile\n").unwrap();
        let args = head.trim().strip_prefix("args: ").unwrap_or_default();
        Case {
            name: name.trim().to_owned(),
            args: args.split_ascii_whitespace().map(str::to_owned).collect(),
            dockerfile: code.split("```").next().unwrap().to_owned(),
        }
    });
    blocks.filter(|case| case.name.contains(&only)).collect()
}

fn write(path: &Path, text: &str, mode: u32) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// The context of all cases.
fn lay_out(folder: &Path) {
    for (path, text, mode) in [
        ("a.txt", "a\n", 0o644),
        ("b.txt", "b\n", 0o600),
        ("b c.txt", "blank\n", 0o644),
        ("arr[0].txt", "bracket\n", 0o644),
        ("dir/one.js", "one\n", 0o644),
        ("dir/two.js", "two\n", 0o640),
        ("dir/nested/three.js", "three\n", 0o644),
        ("other/one.js", "other one\n", 0o755),
        ("other/nested/four.js", "four\n", 0o644),
        ("sub/deep/leaf.txt", "leaf\n", 0o644),
        ("sub/wide/leaf.txt", "wide\n", 0o644),
        ("modes/executable", "x\n", 0o755),
        ("modes/private", "x\n", 0o600),
        ("modes/setuid", "x\n", 0o4755),
        ("script.sh", "#!/bin/sh\necho script\n", 0o755),
        ("secret.txt", "sesame", 0o600),
        ("lie.tar.gz", "no archive at all\n", 0o644),
        ("ignored/dropped.txt", "dropped\n", 0o644),
        ("ignored/kept.txt", "kept\n", 0o644),
        ("ignored/deep/dropped/again.txt", "again\n", 0o644),
        ("hidden/dropped.txt", "dropped\n", 0o644),
        ("hidden/src/kept.js", "kept\n", 0o640),
        ("hidden/src/dropped.ts", "dropped\n", 0o644),
        ("hidden/empty/dropped.ts", "dropped\n", 0o644),
        (
            ".dockerignore",
            "ignored/*\n!ignored/kept.txt\n!ignored/deep\nignored/deep/dropped\n!ignored/**/again.txt\n\
             hidden\n!hidden/*/*.js\n",
            0o644,
        ),
    ] {
        write(&folder.join(path), text, mode);
    }
    fs::create_dir_all(folder.join("modes/open")).unwrap();
    fs::set_permissions(folder.join("modes/open"), fs::Permissions::from_mode(0o1777)).unwrap();
    fs::set_permissions(folder.join("hidden/src"), fs::Permissions::from_mode(0o710)).unwrap();
    fs::create_dir_all(folder.join("links")).unwrap();
    symlink("../a.txt", folder.join("links/to-file")).unwrap();
    symlink("../dir", folder.join("links/to-dir")).unwrap();
    symlink("nowhere", folder.join("links/broken")).unwrap();
    for (name, flag) in
        [("plain.tar", ""), ("packed.tar.gz", "z"), ("packed.tar.xz", "J"), ("packed.tar.bz2", "j")]
    {
        let status = Command::new("tar")
            .current_dir(folder)
            .args([&format!("-c{flag}f"), name, "--owner=21", "--group=22", "dir", "modes"])
            .status();
        assert!(status.unwrap().success(), "tar packs {name}");
    }
    write(&folder.with_file_name("extra").join("file.txt"), "extra\n", 0o644);
}

/// One path of an image, in one line.
fn listing(tree: &Tree) -> BTreeMap<String, String> {
    let mut list = BTreeMap::new();
    for (path, entry) in tree.iter() {
        let attrs = &entry.attrs;
        let mut line = format!("{:04o} {}:{}", attrs.mode, attrs.uid, attrs.gid);
        for (name, value) in &attrs.xattrs {
            write!(line, " {name}={value:?}").unwrap();
        }
        let mut kind = &entry.kind;
        if let Kind::Hardlink(other) = kind {
            kind = &tree.get(other).expect("a hard link has a file").kind;
        }
        match kind {
            Kind::Dir => line.push_str(" folder"),
            Kind::Symlink(target) => {
                // Permissions of links mean nothing.
                line = format!("{}:{} link to {target}", attrs.uid, attrs.gid);
            }
            Kind::File(Content::Bytes(bytes)) => {
                write!(line, " file {} {}", bytes.len(), &Digest::of(bytes).hex()[..12]).unwrap();
            }
            other => panic!("{path} is a {other:?}"),
        }
        list.insert(path.to_string(), line);
    }
    list
}

/// What an image looks like to whoever runs it.
pub(crate) struct Seen {
    pub(crate) paths: BTreeMap<String, String>,
    config: ImageConfig,
}

pub(crate) fn look(folder: &Path) -> Seen {
    let layout = Layout::open(folder).unwrap();
    let index: Index = serde_json::from_slice(&fs::read(folder.join("index.json")).unwrap()).unwrap();
    let mut descriptor = index.manifests[0].clone();
    if kiln_oci::media_type::is_index(&descriptor.media_type) {
        let bytes = kiln_image::read_small(&layout, "index", &descriptor).unwrap();
        descriptor = serde_json::from_slice::<Index>(&bytes).unwrap().manifests[0].clone();
    }
    let image = Image::read(&layout, &descriptor).unwrap();
    let mut tree = Tree::new();
    for layer in &image.manifest.layers {
        let mut reader =
            LayerReader::new(decompress(layout.open(layer).unwrap()).unwrap(), Limits::default());
        let delta = Delta::read(&mut reader, &mut |_, bytes| {
            let mut content = Vec::new();
            bytes.read_to_end(&mut content).unwrap();
            Ok(Content::Bytes(content.into()))
        });
        delta.unwrap().apply(&mut tree).unwrap();
    }
    Seen { paths: listing(&tree), config: image.config }
}

/// What differs, in lines.
fn differences(ours: &Seen, theirs: &Seen, with_config: bool) -> Vec<String> {
    let mut lines = Vec::new();
    let all: std::collections::BTreeSet<&String> = ours.paths.keys().chain(theirs.paths.keys()).collect();
    for path in all {
        let (our, their) = (ours.paths.get(path), theirs.paths.get(path));
        if our != their {
            lines.push(format!("{path}: kiln {our:?}, {their:?} there"));
        }
    }
    if !with_config {
        return lines;
    }
    let (our, their) = (&ours.config, &theirs.config);
    let fields = |config: &ImageConfig| {
        let mut value = serde_json::to_value(&config.config).unwrap();
        value["author"] = serde_json::json!(config.author);
        value["platform"] = serde_json::json!([config.os, config.architecture]);
        value
    };
    let (our, their) = (fields(our), fields(their));
    let keys: std::collections::BTreeSet<&String> =
        our.as_object().unwrap().keys().chain(their.as_object().unwrap().keys()).collect();
    for key in keys {
        if our.get(key) != their.get(key) {
            lines.push(format!("config {key}: kiln {:?}, BuildKit {:?}", our.get(key), their.get(key)));
        }
    }
    lines
}

/// How kiln builds: with all ids, or as an ordinary user would.
fn by_kiln(world: &World, case: &Case, context: &Path, file: &Path, ids: &str) -> Result<PathBuf, String> {
    let out = world.path(&format!("{}-kiln-{ids}", case.name));
    let base = format!("oci:{}", project().join(DEBIAN).display());
    let name = format!("differential/{}:1", case.name);
    let args: Vec<String> =
        case.args.iter().map(|arg| arg.replace("EXTRA", &text(&context.with_file_name("extra")))).collect();
    let run = Run::of(
        world
            .kiln()
            .current_dir(context)
            // Nothing that an earlier kiln made.
            .env("KILN_CACHE_DIR", world.path("cache"))
            .env("KILN_SANDBOX_IDS", ids)
            .args(["build", "-q", "-f", &text(file), "-t", &name, "--build-context", &format!("base={base}")])
            .args(args)
            .arg("."),
    );
    if run.code != Some(0) {
        return Err(format!("kiln does not build it: {}", run.stderr));
    }
    world.run(["copy", "-q", &name, &format!("oci:{}:1", text(&out))]).exits(0);
    Ok(out)
}

fn by_buildkit(world: &World, case: &Case, context: &Path, file: &Path) -> Result<PathBuf, String> {
    let out = world.path(&format!("{}-buildkit", case.name));
    let layout = project().join(DEBIAN);
    let index: Index = serde_json::from_slice(&fs::read(layout.join("index.json")).unwrap()).unwrap();
    let base = format!("context:base=oci-layout://base@{}", index.manifests[0].digest);
    let mut command = Command::new("buildctl");
    command
        .current_dir(context)
        .args(["build", "--progress=plain", "--frontend", "dockerfile.v0", "--no-cache"])
        .args(["--opt", &base, "--oci-layout", &format!("base={}", text(&layout))])
        .args(["--local", &format!("context={}", text(context))])
        .args(["--local", &format!("dockerfile={}", text(file.parent().unwrap()))])
        .args(["--opt", &format!("filename={}", file.file_name().unwrap().to_str().unwrap())])
        .args(["--output", &format!("type=oci,tar=false,dest={}", text(&out))]);
    for pair in case.args.chunks(2) {
        match pair[0].as_str() {
            "--build-arg" => command.args(["--opt", &format!("build-arg:{}", pair[1])]),
            "--target" => command.args(["--opt", &format!("target={}", pair[1])]),
            "--secret" => command.args(["--secret", &pair[1]]),
            "--build-context" => {
                let folder = text(&context.with_file_name("extra"));
                command.args(["--opt", "context:extra=local:extra", "--local", &format!("extra={folder}")])
            }
            other => panic!("{other} in cases.md"),
        };
    }
    finished("BuildKit", &mut command, out)
}

/// Docker's own builder, the one before BuildKit. It lacks what came after 2020.
fn by_docker(world: &World, case: &Case, context: &Path, file: &Path) -> Result<PathBuf, String> {
    let out = world.path(&format!("{}-docker", case.name));
    let name = format!("kiln-differential-{}:1", std::process::id());
    let mut build = Command::new("docker");
    build
        .current_dir(context)
        .env("DOCKER_BUILDKIT", "0")
        .args(["build", "-q", "--no-cache", "--network=none", "-t", &name, "-f", &text(file)])
        .args(&case.args)
        .arg(".");
    finished("docker", &mut build, PathBuf::new())?;
    let target = format!("oci:{}:1", text(&out));
    let mut copy = Command::new("skopeo");
    copy.args(["copy", "-q", "--insecure-policy", &format!("docker-daemon:{name}"), &target]);
    let out = finished("skopeo", &mut copy, out);
    Run::of(Command::new("docker").args(["rmi", "-f", &name])).exits(0);
    out
}

fn by_buildah(world: &World, case: &Case, context: &Path, file: &Path) -> Result<PathBuf, String> {
    let out = world.path(&format!("{}-buildah", case.name));
    let mut build = Command::new("buildah");
    build
        .current_dir(context)
        .args([
            "build",
            "-q",
            "--no-cache",
            "--isolation=chroot",
            "--network=host",
            "--format=oci",
            "--pull=never",
        ])
        .args(["-t", &format!("oci:{}:1", text(&out)), "-f", &text(file)])
        .args(&case.args)
        .arg(".");
    finished("buildah", &mut build, out)
}

fn finished(who: &str, command: &mut Command, out: PathBuf) -> Result<PathBuf, String> {
    let mut run = Run::of(command);
    // The runtime of buildah seals a copy of itself, which fails now and then while other programs start.
    if run.stderr.contains("sealing memfd copy") {
        run = Run::of(command);
    }
    if run.code == Some(0) { Ok(out) } else { Err(format!("{who} does not build it: {}", run.stderr)) }
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// Another builder, and where kiln differs from it on purpose: name of the case (any, where it is empty), start of the
/// line, why.
struct Peer {
    name: &'static str,
    build: fn(&World, &Case, &Path, &Path) -> Result<PathBuf, String>,
    /// Parts of Dockerfiles that it does not know.
    lacks: &'static [&'static str],
    /// Its configuration comes here in a form that holds all of it.
    has_config: bool,
    differs: &'static [(&'static str, &'static str, &'static str)],
}

static BUILDKIT: Peer =
    Peer { name: "BuildKit", build: by_buildkit, lacks: &[], has_config: true, differs: &[] };

static DOCKER: Peer = Peer {
    name: "docker",
    build: by_docker,
    lacks: NEWER,
    has_config: false,
    differs: &[
        ("scratch-copy-all", "app/.dockerignore", "the client adds lines to the file that it sends"),
        ("scratch-copy-all-to-root", ".dockerignore", "the client adds lines to the file that it sends"),
        ("scratch-copy-all", "app/ignored/deep/dropped", "a folder that is left out is not looked into"),
        ("scratch-copy-all-to-root", "ignored/deep/dropped", "a folder that is left out is not looked into"),
        ("ignored-files", "x/deep/dropped", "a folder that is left out is not looked into"),
        ("scratch-copy-all", "app/hidden", "a folder that is left out is not looked into"),
        ("scratch-copy-all-to-root", "hidden", "a folder that is left out is not looked into"),
        (
            "ignored-folders-with-exceptions",
            "docker does not build it",
            "a folder that is left out is not looked into",
        ),
        ("scratch-copy-all", "app/modes/setuid", "the client drops the setuid bit"),
        ("scratch-copy-all-to-root", "modes/setuid", "the client drops the setuid bit"),
        ("copy-modes", "m/setuid", "the client drops the setuid bit"),
        ("copy-chown-numbers", "x:", "only the last new folder of the destination gets the owner"),
        ("add-tar-chown", "x", "the owner is not given to what an archive holds"),
        ("run-env-wins", "two:", "ENV wins over a later ARG; BuildKit and kiln take the last"),
        ("stage-from-stage", "two:", "a stage does not inherit the ARG of the stage it starts from"),
        ("workdir-user", "srv/", "folders of WORKDIR are root's"),
        (
            "copy-wildcard-dirs",
            "docker does not build it",
            "a pattern that ends with a slash matches nothing",
        ),
        ("copy-dotdot-clamped", "docker does not build it", "`..` is refused"),
        (
            "run-useradd",
            "docker does not build it",
            "the folder of WORKDIR is root's, so the user cannot write",
        ),
        ("stage-unreachable", "docker does not build it", "stages that nobody needs are built"),
    ],
};

static BUILDAH: Peer = Peer {
    name: "buildah",
    build: by_buildah,
    lacks: NEWER,
    has_config: false,
    differs: &[
        ("", "etc/hosts:", "the place where /etc/hosts was mounted stays"),
        ("scratch-copy-all", "app/hidden", "a folder that is left out is not looked into"),
        ("scratch-copy-all-to-root", "hidden", "a folder that is left out is not looked into"),
        (
            "ignored-folders-with-exceptions",
            "buildah does not build it",
            "a folder that is left out is not looked into",
        ),
        ("scratch-copy-all", "app/ignored/deep/dropped", "a folder that is left out is not looked into"),
        ("scratch-copy-all-to-root", "ignored/deep/dropped", "a folder that is left out is not looked into"),
        ("ignored-files", "x/deep/dropped", "a folder that is left out is not looked into"),
        ("scratch-copy-all", "app/modes/setuid", "the setuid bit is dropped"),
        ("scratch-copy-all-to-root", "modes/setuid", "the setuid bit is dropped"),
        ("copy-modes", "m/setuid", "the setuid bit is dropped"),
        ("add-tar-chown", "x/", "the owner is not given to what an archive holds"),
        ("copy-wildcard", "buildah does not build it", "a name with brackets is taken for a pattern again"),
        (
            "copy-escaped-bracket",
            "buildah does not build it",
            "a name with brackets is taken for a pattern again",
        ),
        ("run-env-wins", "two:", "ENV wins over a later ARG; BuildKit and kiln take the last"),
        ("run-shell", "buildah does not build it", "an image in OCI's format keeps no SHELL"),
        ("stage-from-stage", "two:", "a stage does not inherit the ARG of the stage it starts from"),
        ("stage-names", "buildah does not build it", "names of stages are compared as they are written"),
        ("stage-arg-from", "buildah does not build it", "the name of a stage cannot come from an ARG"),
    ],
};

/// What Docker's first builder and Debian's buildah do not know yet.
static NEWER: &[&str] = &[
    "<<",
    "--exclude",
    "--parents",
    "--link",
    "--chmod",
    "--unpack",
    "start-interval",
    "--mount",
    "--network",
    "--build-context",
    "BUILDPLATFORM",
    "TARGET",
    "##",
    "%%",
    "/_}",
    "BUILDOS",
];

/// Where an ordinary user's build differs from root's: nobody can give files to users that do not exist.
static ONE_ID: &[(&str, &str, &str)] = &[
    ("run-useradd", "etc/", "useradd asks for the group of the old file, which shows as root's"),
    ("run-user-groups", "etc/", "useradd asks for the group of the old file, which shows as root's"),
    ("run-user-groups", "srv/gs", "a process has no further groups"),
    ("run-mount-cache", "stat", "owners are noted and do not show"),
];

impl Peer {
    fn knows(&self, case: &Case) -> bool {
        // Docker cannot save an image without layers.
        let is_empty = !case.dockerfile.contains("\nCOPY") && !case.dockerfile.contains("\nADD");
        if !self.has_config
            && is_empty
            && !case.dockerfile.contains("FROM base")
            && !case.name.starts_with("workdir")
        {
            return false;
        }
        let newer =
            |part: &&str| case.dockerfile.contains(*part) || case.args.iter().any(|arg| arg.contains(*part));
        !self.lacks.iter().any(newer)
    }
}

/// What is left of `lines` without what differs on purpose.
fn unexpected(lines: Vec<String>, case: &Case, known: &[(&str, &str, &str)]) -> Vec<String> {
    let is_known = |line: &String| {
        known
            .iter()
            .any(|(name, start, _)| (name.is_empty() || *name == case.name) && line.starts_with(start))
    };
    lines.into_iter().filter(|line| !is_known(line)).collect()
}

/// Builds all cases that the peer knows, and yields how many those are and what differs.
fn compare(peer: &Peer, also_one_id: bool) -> (usize, String) {
    let world = World::new();
    let context = world.path("context");
    lay_out(&context);
    let files = world.path("files");
    let mut report = String::new();
    let cases: Vec<Case> = cases().into_iter().filter(|case| peer.knows(case)).collect();
    for case in &cases {
        let file = files.join(format!("{}.Dockerfile", case.name));
        write(&file, &case.dockerfile, 0o644);
        let mut lines = Vec::new();
        match (by_kiln(&world, case, &context, &file, "best"), (peer.build)(&world, case, &context, &file)) {
            (Ok(ours), Ok(theirs)) => {
                let theirs = look(&theirs);
                lines.extend(unexpected(
                    differences(&look(&ours), &theirs, peer.has_config),
                    case,
                    peer.differs,
                ));
                if also_one_id {
                    match by_kiln(&world, case, &context, &file, "one") {
                        Ok(ours) => lines.extend(
                            unexpected(differences(&look(&ours), &theirs, peer.has_config), case, ONE_ID)
                                .into_iter()
                                .map(|line| format!("with one id: {line}")),
                        ),
                        Err(error) => lines.push(error),
                    }
                }
            }
            (ours, theirs) => {
                let errors = ours.err().into_iter().chain(theirs.err()).collect();
                lines.extend(unexpected(errors, case, peer.differs));
            }
        }
        if !lines.is_empty() {
            writeln!(report, "{}:\n  {}", case.name, lines.join("\n  ")).unwrap();
        }
        for entry in fs::read_dir(world.path("")).unwrap().flatten() {
            if entry.file_name().to_string_lossy().starts_with(&case.name) {
                fs::remove_dir_all(entry.path()).unwrap();
            }
        }
    }
    (cases.len(), report)
}

#[track_caller]
fn agrees(peer: &Peer, also_one_id: bool, at_least: usize) {
    let (count, report) = compare(peer, also_one_id);
    assert!(report.is_empty(), "of {count} cases, kiln and {} differ in:\n{report}", peer.name);
    assert!(count >= at_least || std::env::var_os(ONLY).is_some(), "{count} cases only");
}

#[test]
fn kiln_and_buildkit_build_the_same_images() {
    if needs(&["namespaces", "debian", "buildkit"]) {
        agrees(&BUILDKIT, true, 100);
    }
}

#[test]
fn kiln_and_docker_build_the_same_images() {
    if !needs(&["namespaces", "debian", "docker", "skopeo"]) {
        return;
    }
    let base = format!("oci:{}:latest", text(&project().join(DEBIAN)));
    Run::of(Command::new("skopeo").args([
        "copy",
        "-q",
        "--insecure-policy",
        &base,
        "docker-daemon:base:latest",
    ]))
    .exits(0);
    agrees(&DOCKER, false, 50);
}

#[test]
fn kiln_and_buildah_build_the_same_images() {
    if !needs(&["namespaces", "debian", "buildah", "skopeo"]) {
        return;
    }
    let base = format!("oci:{}:latest", text(&project().join(DEBIAN)));
    let store = "containers-storage:localhost/base:latest";
    Run::of(Command::new("skopeo").args(["copy", "-q", "--insecure-policy", &base, store])).exits(0);
    agrees(&BUILDAH, false, 50);
}
