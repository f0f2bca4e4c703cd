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
        (
            ".dockerignore",
            "ignored/*\n!ignored/kept.txt\n!ignored/deep\nignored/deep/dropped\n!ignored/**/again.txt\n",
            0o644,
        ),
    ] {
        write(&folder.join(path), text, mode);
    }
    fs::create_dir_all(folder.join("modes/open")).unwrap();
    fs::set_permissions(folder.join("modes/open"), fs::Permissions::from_mode(0o1777)).unwrap();
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
struct Seen {
    paths: BTreeMap<String, String>,
    config: ImageConfig,
}

fn look(folder: &Path) -> Seen {
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
fn differences(ours: &Seen, theirs: &Seen) -> Vec<String> {
    let mut lines = Vec::new();
    let all: std::collections::BTreeSet<&String> = ours.paths.keys().chain(theirs.paths.keys()).collect();
    for path in all {
        let (our, their) = (ours.paths.get(path), theirs.paths.get(path));
        if our != their {
            lines.push(format!("{path}: kiln {our:?}, BuildKit {their:?}"));
        }
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

fn by_kiln(world: &World, case: &Case, context: &Path, file: &Path) -> Result<PathBuf, String> {
    let out = world.path(&format!("{}-kiln", case.name));
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
    let run = Run::of(&mut command);
    if run.code != Some(0) {
        return Err(format!("BuildKit does not build it: {}", run.stderr));
    }
    Ok(out)
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

#[test]
fn kiln_and_buildkit_build_the_same_images() {
    if !needs(&["namespaces", "debian", "buildkit"]) {
        return;
    }
    let world = World::new();
    let context = world.path("context");
    lay_out(&context);
    let files = world.path("files");
    let mut report = String::new();
    let cases = cases();
    for case in &cases {
        let file = files.join(format!("{}.Dockerfile", case.name));
        write(&file, &case.dockerfile, 0o644);
        let lines = match (by_kiln(&world, case, &context, &file), by_buildkit(&world, case, &context, &file))
        {
            (Ok(ours), Ok(theirs)) => {
                let lines = differences(&look(&ours), &look(&theirs));
                for folder in [ours, theirs] {
                    fs::remove_dir_all(folder).unwrap();
                }
                lines
            }
            (ours, theirs) => ours.err().into_iter().chain(theirs.err()).collect(),
        };
        if !lines.is_empty() {
            writeln!(report, "{}:\n  {}", case.name, lines.join("\n  ")).unwrap();
        }
    }
    assert!(report.is_empty(), "{} cases; those that differ:\n{report}", cases.len());
}
