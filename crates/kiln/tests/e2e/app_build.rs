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

#[test]
fn no_cache_runs_every_command_again() {
    if !can_ship() {
        return;
    }
    let world = World::new();
    let app = app(&world);
    let script = format!("{BUILD}fs.writeFileSync('dist/now', process.hrtime.bigint().toString());\n");
    fs::write(format!("{app}/build.js"), script).unwrap();
    let build = |flags: &[&str]| world.run(["build", "-q", &app].iter().chain(flags)).exits(0);
    let first = build(&[]);
    assert_eq!(digest(&first), digest(&build(&[])));
    assert_ne!(digest(&first), digest(&build(&["--no-cache"])));
}

/// What a cache of others' has lost or damaged costs time, and no build.
#[test]
fn a_damaged_cache_is_done_without() {
    if !can_ship() {
        return;
    }
    let world = World::new();
    let app = app(&world);
    let (own, cache) = (world.own_cache(), format!("oci:{}", world.path("shared").display()));
    let mut kiln = world.kiln();
    kiln.env("KILN_CACHE_DIR", &own).args(["build", "-q", &app, "--cache-to", &cache]);
    let first = Run::of(&mut kiln).exits(0);
    let mut damaged = 0;
    for blob in fs::read_dir(world.path("shared/blobs/sha256")).unwrap().flatten() {
        let mut bytes = fs::read(blob.path()).unwrap();
        if bytes.starts_with(&[0x1f, 0x8b]) && bytes.len() > 20 {
            let at = bytes.len() / 2;
            bytes[at] ^= 0xff;
            fs::write(blob.path(), bytes).unwrap();
            damaged += 1;
        }
    }
    assert!(damaged > 0);
    let other = World::new();
    let mut kiln = other.kiln();
    kiln.env("KILN_CACHE_DIR", other.own_cache()).args(["build", &app, "--cache-from", &cache]);
    let second = Run::of(&mut kiln).exits(0);
    assert_eq!(digest(&first), digest(&second));
    assert!(second.stderr.contains("warning: a result is made again"), "{}", second.stderr);
}

/// Nothing that an app says in settings of package managers puts anybody between these and the registry, where they have logins.
#[test]
fn settings_of_an_app_lead_nowhere_else() {
    if !can_ship() {
        return;
    }
    let nowhere = "http://127.0.0.9:9";
    let package = r#"{"name":"led","version":"1.0.0","scripts":{"start":"node index.js"},"dependencies":{"ms":"2.1.3"}}"#;
    let integrity =
        "sha512-6FlzubTLZG3J2a/NVCAleEhjzq5oxgHyaCU9yYXvcLsvoVaHJq/s5xXI6/XXP6tz7R9xAOtHnSO/tXtF3WRTlA==";
    let yarn = format!("# yarn lockfile v1\n\n\nms@2.1.3:\n  version \"2.1.3\"\n  integrity {integrity}\n");
    let yarnrc = format!(
        "https-proxy \"{nowhere}\"\n--https-proxy \"{nowhere}\"\n--install.https-proxy \"{nowhere}\"\nstrict-ssl false\n"
    );
    let pnpm = format!(
        "lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      ms:\n        specifier: 2.1.3\n        version: 2.1.3\npackages:\n  ms@2.1.3:\n    resolution: {{integrity: {integrity}}}\nsnapshots:\n  ms@2.1.3: {{}}\n"
    );
    let workspace = format!("packages: [.]\nhttpsProxy: {nowhere}\nproxy: {nowhere}\nstrictSsl: false\n");
    for files in [
        [("yarn.lock", yarn.as_str()), (".yarnrc", yarnrc.as_str())],
        [("pnpm-lock.yaml", pnpm.as_str()), ("pnpm-workspace.yaml", workspace.as_str())],
    ] {
        let world = World::new();
        let app =
            world.app(&[("package.json", package), ("index.js", "require('ms');\n"), files[0], files[1]]);
        // Nothing of earlier downloads, so that packages must be fetched.
        let mut kiln = world.kiln();
        kiln.env("KILN_CACHE_DIR", world.own_cache()).args(["build", app.to_str().unwrap()]);
        Run::of(&mut kiln).exits(0);
    }
}
