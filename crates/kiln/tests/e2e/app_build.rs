//! `kiln build APP` with what `docker build` can be told.

use std::fs;
use std::io::Read;

use crate::harness::{Run, World};
use crate::ship::can_ship;

/// Builds `dist/index.js`, and says what it finds of a secret.
const BUILD: &str = "const fs = require('fs');
fs.mkdirSync('dist', { recursive: true });
fs.copyFileSync('index.js', 'dist/index.js');
const word = ['hu', 'sh'].join('');
const file = '/run/secrets/TOKEN';
console.log('SECRET', process.env.TOKEN === word && fs.existsSync(file) && fs.readFileSync(file, 'utf8') === word);
";

/// What `kiln build` ends with: `told:1.0.0@sha256:…`.
fn digest(run: &Run) -> &str {
    run.stdout.trim().rsplit_once('@').unwrap().1
}

fn app(world: &World) -> String {
    let folder = world.app(&[
        (
            "package.json",
            r#"{"name":"told","version":"1.0.0","scripts":{"build":"node build.js","start":"node dist/index.js"}}"#,
        ),
        (
            "package-lock.json",
            r#"{"name":"told","version":"1.0.0","lockfileVersion":3,"packages":{"":{"name":"told","version":"1.0.0"}}}"#,
        ),
        ("build.js", BUILD),
        ("index.js", "setInterval(() => {}, 1000);\n"),
    ]);
    folder.to_str().unwrap().to_owned()
}

#[test]
fn why_secrets_outputs_and_caches() {
    if !can_ship() {
        return;
    }
    let world = World::new();
    let (app, own_cache) = (app(&world), world.own_cache());
    let secret = |args: &[&str]| {
        let mut kiln = world.kiln();
        kiln.env("TOKEN", "hush")
            .env("KILN_CACHE_DIR", &own_cache)
            .args(["build", &app, "--secret", "id=TOKEN", "--progress", "plain"])
            .args(args);
        Run::of(&mut kiln)
    };
    let cache = format!("oci:{}", world.path("shared").display());
    let (out, iid) = (format!("oci:{}", world.path("out").display()), world.path("iid"));
    let first = secret(&["--cache-to", &cache, "-o", &out, "--iidfile", iid.to_str().unwrap()]).exits(0);
    assert!(first.stderr.contains("SECRET true"), "{}", first.stderr);
    assert_eq!(digest(&first), fs::read_to_string(&iid).unwrap());
    world.run(["scan", &format!("{out}:1.0.0"), "-q"]).exits(0);
    for blob in fs::read_dir(world.path("out/blobs/sha256")).unwrap().flatten() {
        let mut bytes = Vec::new();
        let mut plain = kiln_rootfs::decompress(fs::File::open(blob.path()).unwrap()).unwrap();
        plain.read_to_end(&mut bytes).unwrap();
        assert!(!bytes.windows(4).any(|window| window == b"hush"), "{:?}", blob.path());
    }

    fs::write(format!("{app}/index.js"), "setInterval(() => {}, 2000);\n").unwrap();
    let second = secret(&["--why"]).exits(0);
    assert!(second.stderr.contains("because `index.js` changed"), "{}", second.stderr);
    assert!(!second.stderr.contains("] npm ci"), "{}", second.stderr);

    // Another machine, which makes nothing of its own.
    fs::write(format!("{app}/index.js"), "setInterval(() => {}, 1000);\n").unwrap();
    let other = World::new();
    let mut kiln = other.kiln();
    kiln.env("KILN_CACHE_DIR", other.own_cache()).env("TOKEN", "hush");
    kiln.args(["build", &app, "--secret", "id=TOKEN", "--cache-from", &cache]);
    let borrowed = Run::of(&mut kiln).exits(0);
    assert_eq!(digest(&borrowed), digest(&first));
    assert!(!borrowed.stderr.contains("] npm"), "{}", borrowed.stderr);
}

#[test]
fn what_only_a_dockerfile_is_told_is_refused() {
    let world = World::new();
    let app = app(&world);
    for args in [&["--build-arg", "A=1"][..], &["--target", "x"], &["--label", "a=b"], &["--npm-settings"]] {
        let run = world.run(["build", &app].iter().chain(args)).exits(2);
        assert!(run.stderr.contains(args[0]) && run.stderr.contains("--file"), "{}", run.stderr);
    }
    fs::write(world.path("Dockerfile"), "FROM scratch\n").unwrap();
    let folder = world.path("");
    let run = world.run(["build", folder.to_str().unwrap(), "--load"]).exits(2);
    assert!(run.stderr.contains("--tag"), "{}", run.stderr);
}
