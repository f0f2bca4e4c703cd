//! `kiln ship` on the example apps: the whole pipeline with real parts, and what stops it.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use kiln_disk::{Holding, Lock};

use crate::harness::{Run, World, needs};

/// What every test here needs: a registry of npm to download from, and namespaces to build in.
pub(crate) fn can_ship() -> bool {
    needs(&["npm", "namespaces"])
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The digest on the scorecard.
pub(crate) fn digest(run: &Run) -> String {
    let value = run.json();
    value["subject"]["digest"].as_str().unwrap().to_owned()
}

#[test]
fn the_first_command_of_the_readme_ends_with_a_signed_verified_image() {
    if !can_ship() {
        return;
    }
    let world = World::new();
    let app = world.example("orders-api");
    let run = world.run(["ship", path(&app)]).exits(0);
    let all = kiln_policy::CHECKS.len();
    // The copy is in no git repository, and no commit is asked for.
    assert!(run.stdout.contains(&format!("PASSED  {} of {all} checks", all - 1)), "{}", run.stdout);
    for stage in ["plan", "base", "build", "scan", "gate", "sign", "verify", "next", "proof"] {
        assert!(run.stderr.contains(&format!("  {stage}")), "{stage} in:\n{}", run.stderr);
    }
    assert!(app.join("kiln.lock").is_file());

    let verified = world.run(["verify", "orders-api:1.4.0", "--format", "json"]).exits(0).json();
    assert_eq!(verified["required"].as_array().unwrap().len(), 4);

    let again = world.run(["ship", path(&app), "--offline"]).exits(0);
    for words in ["dependencies", "(unchanged)", "signed before"] {
        assert!(again.stderr.contains(words), "{words} in:\n{}", again.stderr);
    }
}

#[test]
fn an_image_that_two_ship_at_once_is_signed_once() {
    if !can_ship() {
        return;
    }
    let world = World::new();
    let app = world.example("orders-api");
    world.run(["build", path(&app), "-q"]).exits(0);
    let attached = || {
        let target = format!("oci:{}", path(&world.path("copy")));
        let run = world.run(["copy", "orders-api:1.4.0", &target, "--all", "--format", "json"]);
        run.exits(0).json()["referrers"].clone()
    };
    // As another kiln holds it that is about to sign.
    let lock = Lock::wait(&world.data("store/.attaching.lock"), Holding::Alone).unwrap();
    let start = || {
        let mut ship = world.kiln();
        let mut ship =
            ship.args(["ship", path(&app)]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(ship.stderr.take().unwrap()).lines();
        assert!(
            said.by_ref().any(|line| line.unwrap().trim_start().starts_with("gate ")),
            "it judges before it signs"
        );
        // Nobody who writes must find the pipe closed.
        (ship, thread::spawn(move || said.count()))
    };
    let both = [start(), start()];
    thread::sleep(Duration::from_secs(2));
    assert_eq!(attached(), 0, "they wait");
    drop(lock);
    for (mut ship, said) in both {
        assert!(ship.wait().unwrap().success());
        said.join().unwrap();
    }
    assert_eq!(attached(), 4);
}

#[test]
fn another_key_is_not_trusted() {
    if !can_ship() {
        return;
    }
    let world = World::sharing();
    let app = world.example("orders-api");
    world.run(["ship", path(&app), "-q"]).exits(0);
    let other = world.path("other");
    world.run(["keygen", "--output-key-prefix", path(&other)]).exits(0);
    let run = world.run(["verify", "orders-api:1.4.0", "--key", path(&other.with_extension("pub"))]).exits(1);
    assert!(run.stdout.contains("✗ missing   signature"), "{}", run.stdout);
    world.run(["keygen", "--output-key-prefix", path(&other)]).exits(3);
}

/// The folder `/app` of the image that an app of this version ships as, unpacked; `None` where nothing unpacks it.
pub(crate) fn shipped(world: &World, app: &Path, version: &str) -> Option<PathBuf> {
    let (layout, root) = (world.path("layout"), world.path("root"));
    world.run(["ship", path(app), "-q", "-o", &format!("oci:{}", path(&layout))]).exits(0);
    if !needs(&["umoci"]) {
        return None;
    }
    let image = format!("{}:{version}", path(&layout));
    Run::of(Command::new("umoci").args(["unpack", "--rootless", "--image", &image]).arg(&root)).exits(0);
    Some(root.join("rootfs/app"))
}

#[test]
fn a_workspace_ships() {
    if !can_ship() {
        return;
    }
    let world = World::sharing();
    let app = world.example("workspace-api");
    let run = world.run(["ship", path(&app), "--format", "json"]).exits(0);
    assert!(digest(&run).starts_with("sha256:"));
}

#[test]
fn an_addon_is_compiled_and_ships() {
    if !can_ship() {
        return;
    }
    let world = World::sharing();
    let app = world.example("native-api");
    world.run(["ship", path(&app), "-q"]).exits(0);
    if let Some(app) = shipped(&world, &app, "0.3.0") {
        let modules = app.join("node_modules/better-sqlite3/build/Release");
        assert!(modules.join("better_sqlite3.node").is_file());
        let names = fs::read_dir(modules).unwrap().flatten().map(|entry| entry.path());
        let left: Vec<_> = names.filter(|path| path.extension().is_none_or(|end| end != "node")).collect();
        assert!(left.is_empty(), "leftovers of the compiler were shipped: {left:?}");
    }
}

/// Same sources, other folder, other data and cache, other umask, time zone, and one processor: same digest.
#[test]
fn the_same_sources_give_the_same_digest() {
    if !can_ship() {
        return;
    }
    let (here, there) = (World::sharing(), World::new());
    let app = here.example("orders-api");
    let first = digest(&here.run(["ship", path(&app), "--format", "json"]).exits(0));
    let elsewhere = there.path("some where/else");
    fs::create_dir_all(elsewhere.parent().unwrap()).unwrap();
    fs::rename(there.example("orders-api"), &elsewhere).unwrap();
    // The lock pins the inputs; the cache is empty.
    fs::copy(app.join("kiln.lock"), elsewhere.join("kiln.lock")).unwrap();
    let kiln = there.kiln();
    let line = "umask 077; find . -exec touch -d 2001-01-01 {} +; exec taskset -c 0 \"$@\"";
    let mut shell = Command::new("sh");
    shell
        .args(["-c", line, "sh"])
        .arg(kiln.get_program())
        .args(["ship", ".", "--format", "json", "--locked"]);
    shell.current_dir(&elsewhere).env("TZ", "Asia/Kolkata").env("LANG", "C");
    for (name, value) in kiln.get_envs().filter_map(|(name, value)| Some((name, value?))) {
        shell.env(name, value);
    }
    shell.env("KILN_CACHE_DIR", there.path("cache"));
    let second = digest(&Run::of(&mut shell).exits(0));
    assert_eq!(first, second);
}

#[test]
fn a_secret_stops_it_and_is_not_shown() {
    if !can_ship() {
        return;
    }
    let world = World::new();
    let app = world.example("orders-api");
    fs::create_dir(app.join("public")).unwrap();
    // Put together here, so that no scanner of sources takes this file for a leak.
    let token = format!("npm_{}", "aB3dE6gH9jK2".repeat(3));
    fs::write(app.join("public/notes.txt"), &token).unwrap();
    let run = world.run(["ship", path(&app)]).exits(1);
    assert!(
        run.stdout.contains("IM007") && run.stdout.contains("npm-token in app/public/notes.txt"),
        "{}",
        run.stdout
    );
    assert!(!run.stdout.contains(&token) && !run.stderr.contains(&token));
    let refused = world.run(["verify", "orders-api:1.4.0"]);
    assert_ne!(refused.code, Some(0), "a refused image must have no name");
}

#[test]
fn what_was_refused_is_kept_and_says_what_makes_it_pass() {
    if !can_ship() {
        return;
    }
    let world = World::new();
    let app = world.example("orders-api");
    let passed = digest(&world.run(["ship", path(&app), "--format", "json"]).exits(0));
    let small = "[policy]\nsize-budget = 10\n";
    fs::write(app.join("kiln.toml"), small).unwrap();
    fs::write(app.join("src/more.ts"), "export const more = 1;\n").unwrap();
    let run = world.run(["ship", path(&app)]).exits(1);
    let listed = world.run(["images", "--refused", "--format", "json"]).exits(0).json();
    let [kept] = &listed["images"].as_array().unwrap()[..] else { panic!("{listed}") };
    assert_eq!(kept["refused"], serde_json::json!({"name": "orders-api:1.4.0", "by": ["IM010"]}));
    assert_eq!((kept["name"].is_null(), kept["whole"].as_bool()), (true, Some(true)));
    let digest_of_it = kept["digest"].as_str().unwrap();
    let short = &digest_of_it[..19];
    assert!(run.stderr.contains(short) && run.stderr.contains("by this alone: "), "{}", run.stderr);
    let digits = &short[7..];
    for name in [digest_of_it, short, digits, &digest_of_it[..40]] {
        world.run(["scan", name]).exits(0);
    }
    for name in [&digest_of_it[..18], "sha256:000000000000"] {
        world.run(["scan", name]).exits(2);
    }
    let named = world.run(["images", "--format", "json"]).exits(0).json();
    assert!(named["images"].as_array().unwrap().iter().any(|image| image["digest"] == passed.as_str()));

    // What is to be pasted lacks only what a person must say, and is refused without.
    let start = run.stderr.find("    [[exception]]").unwrap();
    let exception = run.stderr[start..].to_owned();
    fs::write(app.join("kiln.toml"), format!("{small}{exception}")).unwrap();
    assert_ne!(world.run(["ship", path(&app)]).code, Some(0));
    let said = exception.replace("\"\"", "\"somebody\"");
    fs::write(app.join("kiln.toml"), format!("{small}{said}")).unwrap();
    world.run(["ship", path(&app)]).exits(0);
    let left = world.run(["images", "--refused", "--format", "json"]).exits(0).json();
    assert!(left["images"].as_array().unwrap().is_empty(), "it passes now: {left}");
}

#[test]
fn an_exception_with_a_reason_lets_it_pass() {
    if !can_ship() {
        return;
    }
    let world = World::sharing();
    let app = world.example("orders-api");
    fs::write(app.join("kiln.toml"), "[policy]\nsize-budget = 10\n").unwrap();
    let run = world.run(["ship", path(&app)]).exits(1);
    assert!(run.stdout.contains("IM010"), "{}", run.stdout);
    let exception = "[[exception]]\nid = \"IM010\"\nsubject = \"orders-api:*\"\nreason = \"the runtime is large\"\n\
                     owner = \"platform\"\nexpires = \"2099-01-01\"\n";
    fs::write(app.join("kiln.toml"), format!("[policy]\nsize-budget = 10\n{exception}")).unwrap();
    let run = world.run(["ship", path(&app)]).exits(0);
    assert!(run.stdout.contains("the runtime is large"), "{}", run.stdout);
}

#[test]
fn a_failing_build_shows_its_last_lines_and_exit_code() {
    if !can_ship() {
        return;
    }
    let world = World::sharing();
    let app = world.example("orders-api");
    fs::write(app.join("src/broken.ts"), "const = ;\n").unwrap();
    let run = world.run(["ship", path(&app)]).exits(3);
    for words in
        ["error[build.command]", "the step `npm run build` failed", "exit code 2", "src/broken.ts(1,7)"]
    {
        assert!(run.stderr.contains(words), "{words} in:\n{}", run.stderr);
    }
}

#[test]
fn a_package_that_is_not_the_locked_one_is_refused() {
    if !can_ship() {
        return;
    }
    let world = World::sharing();
    let app = world.example("orders-api");
    let lock = fs::read_to_string(app.join("package-lock.json")).unwrap();
    let mut lock: serde_json::Value = serde_json::from_str(&lock).unwrap();
    lock["packages"]["node_modules/express"]["integrity"] = format!("sha512-{}==", "A".repeat(86)).into();
    fs::write(app.join("package-lock.json"), lock.to_string()).unwrap();
    let run = world.run(["ship", path(&app)]).exits(3);
    assert!(run.stderr.contains("EINTEGRITY"), "{}", run.stderr);
}

#[test]
fn an_entry_that_is_not_built_is_named_with_what_is() {
    if !can_ship() {
        return;
    }
    let world = World::sharing();
    let app = world.example("orders-api");
    let package = fs::read_to_string(app.join("package.json")).unwrap();
    fs::write(app.join("package.json"), package.replace("node dist/server.js", "node dist/main.js")).unwrap();
    let run = world.run(["ship", path(&app)]).exits(2);
    assert!(
        run.stderr.contains("`dist/main.js`") && run.stderr.contains("`dist/server.js`"),
        "{}",
        run.stderr
    );
}

#[test]
fn offline_says_what_is_missing() {
    if !can_ship() {
        return;
    }
    let world = World::new();
    let app = world.example("orders-api");
    world.run(["base", "lock", "--lock", path(&app.join("kiln.lock")), "-q"]).exits(0);
    let mut kiln = world.kiln();
    kiln.args(["ship", path(&app), "--offline"]).env("KILN_CACHE_DIR", world.path("empty"));
    let run = Run::of(&mut kiln).exits(3);
    assert!(run.stderr.contains("libc6") && run.stderr.contains("node-linux-"), "{}", run.stderr);
}

#[test]
fn a_foreign_architecture_needs_no_foreign_cpu() {
    if !can_ship() {
        return;
    }
    let world = World::sharing();
    let app = world.example("orders-api");
    let other = if std::env::consts::ARCH == "x86_64" { "linux/arm64" } else { "linux/amd64" };
    let run = world.run(["ship", path(&app), "--platform", other, "--format", "json"]).exits(0).json();
    assert_eq!(run["subject"]["platform"], other);
    let native = world.example("native-api");
    let refused = world.run(["ship", path(&native), "--platform", other]).exits(2);
    assert!(refused.stderr.contains("better-sqlite3 must be compiled there"), "{}", refused.stderr);
}

/// Projects of a workspace refer to each other by links, and its root usually has no version.
#[test]
fn a_workspace_of_npm_without_a_version_ships() {
    if !can_ship() {
        return;
    }
    let world = World::sharing();
    let lock = r#"{"name": "shop", "lockfileVersion": 3, "packages": {
        "": {"name": "shop", "workspaces": ["apps/*", "libs/*"]},
        "apps/web": {"version": "1.0.0", "dependencies": {"prices": "1.0.0"}},
        "libs/prices": {"name": "prices", "version": "1.0.0"},
        "node_modules/prices": {"resolved": "libs/prices", "link": true},
        "node_modules/web": {"resolved": "apps/web", "link": true}}}"#;
    let app = world.app(&[
        ("package.json", r#"{"name": "shop", "private": true, "workspaces": ["apps/*", "libs/*"]}"#),
        ("package-lock.json", lock),
        (
            "apps/web/package.json",
            r#"{"name": "web", "version": "1.0.0", "license": "MIT", "scripts": {"start": "node index.js"},
                "dependencies": {"prices": "1.0.0"}}"#,
        ),
        (
            "apps/web/index.js",
            "require('http').createServer((_, r) => r.end(require('prices'))).listen(8082);",
        ),
        (
            "libs/prices/package.json",
            r#"{"name": "prices", "version": "1.0.0", "license": "MIT", "main": "p.js"}"#,
        ),
        ("libs/prices/p.js", "module.exports = '42';"),
    ]);
    if let Some(app) = shipped(&world, &app, "1.0.0") {
        assert!(app.join("libs/prices/p.js").is_file());
        assert_eq!(fs::read_link(app.join("node_modules/prices")).unwrap(), Path::new("../libs/prices"));
    }
}

/// What `postinstall` patches and what the build generates among the packages, and nothing of a package for development.
#[test]
fn what_own_scripts_write_among_the_packages_ships() {
    if !can_ship() {
        return;
    }
    let world = World::sharing();
    let app = world.app(&[
        (
            "package.json",
            r#"{"name": "patched", "version": "1.0.0", "license": "MIT", "workspaces": ["libs/*"],
                "scripts": {"postinstall": "node patch.js", "prepare": "husky", "build": "node generate.js", "start": "node server.js"},
                "dependencies": {"prices": "1.0.0"}}"#,
        ),
        (
            "package-lock.json",
            r#"{"name": "patched", "lockfileVersion": 3, "packages": {
                "": {"name": "patched", "version": "1.0.0", "workspaces": ["libs/*"], "dependencies": {"prices": "1.0.0"}},
                "libs/prices": {"name": "prices", "version": "1.0.0"},
                "node_modules/prices": {"resolved": "libs/prices", "link": true}}}"#,
        ),
        ("libs/prices/package.json", r#"{"name": "prices", "version": "1.0.0", "license": "MIT", "main": "p.js"}"#),
        ("libs/prices/p.js", "module.exports = '42';"),
        (
            "patch.js",
            "const fs = require('fs'); fs.mkdirSync('node_modules/.cache'); fs.writeFileSync('node_modules/.cache/x', '');\
             fs.mkdirSync('node_modules/.patched-in', {recursive: true});\
             fs.writeFileSync('node_modules/.patched-in/index.js', 'module.exports = 1');",
        ),
        (
            "generate.js",
            "const fs = require('fs'); fs.mkdirSync('node_modules/.client', {recursive: true});\
             fs.writeFileSync('node_modules/.client/index.js', '');\
             fs.mkdirSync('out/node_modules/inner', {recursive: true}); fs.writeFileSync('out/node_modules/inner/README.md', '');",
        ),
        ("server.js", "require('.patched-in'); require('http').createServer((_, r) => r.end()).listen(8083);"),
    ]);
    if let Some(app) = shipped(&world, &app, "1.0.0") {
        for there in [
            "node_modules/.patched-in/index.js",
            "node_modules/.client/index.js",
            "out/node_modules/inner/README.md",
        ] {
            assert!(app.join(there).is_file(), "{there} is not in the image");
        }
        assert!(!app.join("node_modules/.cache").exists());
    }
}
