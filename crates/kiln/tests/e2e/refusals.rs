use std::fs;
use std::path::Path;

use crate::harness::{Run, World};

const APP: &str = r#"{"name": "app", "version": "1.0.0", "scripts": {"start": "node index.js"}}"#;
const LOCK: &str = r#"{"name": "app", "version": "1.0.0", "lockfileVersion": 3,
"packages": {"": {"name": "app", "version": "1.0.0"}}}"#;

/// What is said, in both formats, about an app that no plan can be made for.
fn refused(world: &World, app: &Path, code: &str) -> Run {
    let json = world.run(["plan".as_ref(), app.as_os_str(), "--format".as_ref(), "json".as_ref()]).exits(2);
    let error = &json.json()["error"];
    assert_eq!(error["code"], code, "{error}");
    let run = world.run(["plan".as_ref(), app.as_os_str()]).exits(2);
    assert_eq!(run.stdout, "");
    let message = error["message"].as_str().unwrap();
    assert!(run.stderr.starts_with(&format!("error[{code}]: {message}\n")), "{}", run.stderr);
    let what = error["what"].as_str().unwrap();
    assert!(message == what || message == format!("cannot {what}"), "{message}");
    run
}

#[test]
fn the_app_of_these_tests_passes() {
    let world = World::new();
    let app = world.app(&[("package.json", APP), ("package-lock.json", LOCK), ("index.js", "")]);
    world.run(["plan".as_ref(), app.as_os_str()]).exits(0);
}

#[test]
fn a_folder_without_an_app() {
    let world = World::new();
    let app = world.app(&[("readme.txt", "")]);
    let run = refused(&world, &app, "kiln.no_app");
    assert!(run.stderr.contains(": cannot find the app: there is no package.json in "), "{}", run.stderr);
    assert!(run.stderr.contains("\n  help: "), "{}", run.stderr);
}

#[test]
fn broken_package_json_is_told_by_place() {
    let world = World::new();
    let text = "{\n  \"name\": \"app\",\n  \"version\": oops\n}\n";
    let app = world.app(&[("package.json", text), ("package-lock.json", LOCK)]);
    let run = refused(&world, &app, "node.json");
    assert!(run.stderr.contains("package.json:3:14"), "{}", run.stderr);
}

#[test]
fn no_lock_file() {
    let world = World::new();
    let app = world.app(&[("package.json", APP), ("index.js", "")]);
    let run = refused(&world, &app, "plan.no_lock");
    assert!(run.stderr.contains("\n  help: ") && run.stderr.contains("npm install"), "{}", run.stderr);
}

#[test]
fn a_lock_file_out_of_step() {
    let world = World::new();
    let app = world.app(&[("package.json", APP), ("package-lock.json", LOCK), ("index.js", "")]);
    let asks_more = APP.replace("\"scripts\"", "\"dependencies\": {\"express\": \"^5.0.0\"}, \"scripts\"");
    fs::write(app.join("package.json"), asks_more).unwrap();
    let run = refused(&world, &app, "plan.lock_out_of_step");
    assert!(run.stderr.contains("express ^5.0.0 is not in the lock file"), "{}", run.stderr);
    assert!(run.stderr.contains("\n  help: "), "{}", run.stderr);
}

#[test]
fn nothing_to_start() {
    let world = World::new();
    let app =
        world.app(&[("package.json", r#"{"name": "app", "version": "1.0.0"}"#), ("package-lock.json", LOCK)]);
    let run = refused(&world, &app, "plan.no_entry");
    assert!(run.stderr.contains("kiln.toml"), "{}", run.stderr);
}

#[test]
fn an_image_that_is_not_here() {
    let world = World::new();
    for command in ["scan", "sbom"] {
        let run = world.run([command, "nobody/built-this:1"]).exits(2);
        assert!(run.stderr.contains("error[kiln.no_image]"), "{command}: {}", run.stderr);
    }
}

/// What has no end, and what says it is larger than any disk, is given up at a cap: here the memory for more is not there.
#[test]
fn what_is_given_and_has_no_end() {
    let world = World::new();
    world.app(&[("Dockerfile", "FROM scratch\nCOPY x /\n"), ("x", "")]);
    fs::File::create(world.path("sparse")).unwrap().set_len(8 << 30).unwrap();
    for file in ["/dev/zero", "sparse"] {
        for (command, code) in [
            (format!("lint {file}"), 3),
            (format!("build -f app/Dockerfile --secret id=x,src={file} app"), 2),
            (format!("scan app --vex {file}"), 2),
            (format!("verify app:1 --key {file}"), 3),
            (
                format!(
                    "verify app:1 --trusted-root {file} --certificate-identity a --certificate-oidc-issuer b"
                ),
                2,
            ),
            (format!("base inspect {file}"), 2),
        ] {
            let limited = format!("ulimit -v 3000000; exec \"$0\" {command}");
            let mut shell = std::process::Command::new("sh");
            shell.args(["-c", &limited, env!("CARGO_BIN_EXE_kiln")]).current_dir(world.path(""));
            shell.env("KILN_DATA_DIR", world.data("")).env("KILN_CACHE_DIR", world.path("cache"));
            let run = Run::of(&mut shell).exits(code);
            assert!(run.stderr.contains("it has more than"), "{command}: {}", run.stderr);
        }
    }
}
