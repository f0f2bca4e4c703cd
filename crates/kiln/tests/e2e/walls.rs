//! Someone hostile writes the Dockerfile, the build script or a package: what they find of the machine, and what they leave.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::differential::DEBIAN;
use crate::harness::{Run, World, copy, needs, project};
use crate::users::Desk;

const TOKEN: &str = "npm_thisIsTheTokenOfThisTest";
/// Looks for the token and for whom to give it to, in everything that a script can read. Prints what it finds.
const SPY: &str = r"
const fs = require('fs'), path = require('path'), net = require('net'), os = require('os');
const found = [];
const token = ['npm_thisIsThe', 'TokenOfThisTest'].join('');
const holds = (file) => { try { return fs.readFileSync(file, 'latin1').includes(token); } catch { return false; } };
const walk = (folder, depth) => {
  let entries = [];
  try { entries = fs.readdirSync(folder, { withFileTypes: true }); } catch {}
  for (const entry of entries) {
    const name = path.join(folder, entry.name);
    if (entry.isDirectory() && depth > 0) walk(name, depth - 1);
    else if (entry.isFile() && holds(name)) found.push('token in ' + name);
  }
};
for (const folder of ['/root', '/run', '/etc', '/tmp', '/app', '/home', '/var', '/dev/shm', '/srv']) walk(folder, 6);
for (const [name, value] of Object.entries(process.env)) if (value.includes(token)) found.push('token in ' + name);
for (const pid of fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name)))
  for (const file of ['environ', 'cmdline']) if (holds(`/proc/${pid}/${file}`)) found.push(`token in ${file} of ${pid}`);
let downloads = [];
try { downloads = fs.readdirSync('/root/.npm'); } catch {}
if (downloads.includes('_cacache')) found.push('downloads that are kept');
for (const [name, addresses] of Object.entries(os.networkInterfaces()))
  if (addresses.some((address) => !address.internal)) found.push('network by ' + name);
const socket = net.connect(Number(process.env.SPY_PORT || 9), '127.0.0.1');
const done = () => { console.log('SPY ' + (found.join(', ') || 'nothing')); process.exit(found.length ? 7 : 0); };
socket.on('connect', () => { found.push('the loopback'); done(); });
socket.on('error', done);
";

/// kiln with a login for some registry in the user's `.npmrc`.
fn build_with_login(world: &World, app: &Path) -> Run {
    let home = world.path("home");
    fs::create_dir_all(&home).unwrap();
    let npmrc = format!("//registry.invalid/:_authToken={TOKEN}\n");
    fs::write(home.join(".npmrc"), npmrc).unwrap();
    Run::of(world.kiln().env("HOME", &home).args(["build", app.to_str().unwrap()]))
}

/// An app whose build script is the spy, and whose one dependency has it as its install script.
fn spied_app(world: &World, settings: &str) -> PathBuf {
    let app = world.app(&[
        (
            "package.json",
            r#"{"name":"spied","version":"1.0.0","scripts":{"build":"node patches/spy.js","start":"node server.js"},
                "dependencies":{"spy":"file:patches/spy-1.0.0.tgz"}}"#,
        ),
        (
            "package-lock.json",
            r#"{"name":"spied","version":"1.0.0","lockfileVersion":3,"requires":true,"packages":{
                "":{"name":"spied","version":"1.0.0","dependencies":{"spy":"file:patches/spy-1.0.0.tgz"}},
                "node_modules/spy":{"version":"1.0.0","resolved":"file:patches/spy-1.0.0.tgz","hasInstallScript":true}}}"#,
        ),
        ("server.js", "require('http').createServer().listen(3000);\n"),
        ("patches/spy.js", SPY),
        ("kiln.toml", settings),
    ]);
    let package = world.path("package");
    fs::create_dir(&package).unwrap();
    fs::write(package.join("spy.js"), SPY).unwrap();
    let manifest = r#"{"name":"spy","version":"1.0.0","scripts":{"install":"node spy.js > seen.txt"}}"#;
    fs::write(package.join("package.json"), manifest).unwrap();
    let mut tar = Command::new("tar");
    tar.arg("-czf").arg(app.join("patches/spy-1.0.0.tgz")).args([
        "-C",
        world.path("").to_str().unwrap(),
        "package",
    ]);
    assert!(tar.status().unwrap().success());
    app
}

#[test]
fn scripts_find_no_logins_no_downloads_and_no_network() {
    if !needs(&["npm", "namespaces"]) {
        return;
    }
    let world = World::sharing();
    let app = spied_app(&world, "[build]\nallow-scripts = [\"spy\"]\n");
    let run = build_with_login(&world, &app).exits(0);
    assert!(!run.stderr.contains(TOKEN), "{}", run.stderr);
    // The spy would have ended with another exit code; that it ran, the image shows.
    let image = world.path("image");
    world.run(["copy", "spied:1.0.0", &format!("oci:{}", image.display())]).exits(0);
    let mut seen = Command::new("sh");
    seen.args([
        "-c",
        "for blob in blobs/sha256/*; do tar -xzOf $blob --wildcards '*seen.txt' 2>/dev/null; done; true",
    ]);
    let seen = seen.current_dir(&image).output().unwrap();
    assert_eq!(String::from_utf8(seen.stdout).unwrap(), "SPY nothing\n");
}

/// The build script that may reach the network has no logins all the same.
#[test]
fn a_script_with_network_has_no_logins() {
    if !needs(&["npm", "namespaces"]) {
        return;
    }
    let world = World::sharing();
    let app = spied_app(&world, "[build]\nnetwork = true\n");
    let run = build_with_login(&world, &app).exits(3);
    assert!(run.stderr.contains("SPY network by "), "{}", run.stderr);
    assert!(!run.stderr.contains("token in") && !run.stderr.contains("downloads that"), "{}", run.stderr);
}

/// The attacker of kiln-sandbox's tests, in a `RUN`, for everyone who runs kiln.
#[test]
fn no_attack_succeeds_in_a_run() {
    if !needs(&["namespaces", "debian", "attacker", "subordinate-ids"]) {
        return;
    }
    let desk = Desk::new();
    let attacker = Path::new(env!("CARGO_BIN_EXE_kiln")).with_file_name("kiln-sandbox-test");
    fs::copy(attacker, desk.world.path("context/attacker")).unwrap();
    let dockerfile =
        "FROM base\nCOPY attacker /\nRUN ./attacker attack\nRUN --network=none ./attacker attack\n";
    let one = ("KILN_SANDBOX_IDS", "one");
    let runs = [
        ("a user with ids", desk.build("attack-many", dockerfile, &[])),
        ("a user without", desk.build("attack-one", dockerfile, &[one])),
        ("root", desk.build_as_root(dockerfile, &[])),
        ("root with one id", desk.build_as_root(dockerfile, &[one])),
    ];
    for (who, run) in runs {
        let run = run.exits(0);
        assert_eq!(run.stderr.matches("clone user: EPERM").count(), 2, "{who}: {}", run.stderr);
        assert_eq!(run.stderr.matches("user namespaces: 0").count(), 2, "{who}: {}", run.stderr);
        for success in
            ["opened", "typed into", "made", "connected", "clone user: done", "mount: done", "read 1"]
        {
            assert!(!run.stderr.contains(success), "{who}: {success}: {}", run.stderr);
        }
    }
}

/// What a full disk stops is named, and nothing of it stays.
#[test]
fn a_full_disk_is_told_and_leaves_nothing() {
    if !needs(&["namespaces", "debian"]) {
        return;
    }
    let world = World::new();
    copy(&project().join(DEBIAN), &world.path("debian"));
    fs::create_dir(world.path("small")).unwrap();
    fs::create_dir(world.path("context")).unwrap();
    let dockerfile = "FROM base\nRUN touch /a\nRUN dd if=/dev/zero of=/big bs=1M count=4096\n";
    fs::write(world.path("context/Dockerfile"), dockerfile).unwrap();
    let script = "mount -t tmpfs -o size=$1 small small || exit 99\n\
        \"$0\" build --progress plain --build-context base=oci:debian -f context/Dockerfile context; code=$?\n\
        find small -size +999k | sed 's/^/left: /' >&2; exit $code";
    // Full while the command runs, and while kiln unpacks what the command runs in.
    for (size, line) in [("700m", "Dockerfile:3"), ("40m", "Dockerfile:2")] {
        let mut kiln = Command::new("unshare");
        kiln.args([
            "--user",
            "--map-root-user",
            "--mount",
            "sh",
            "-c",
            script,
            env!("CARGO_BIN_EXE_kiln"),
            size,
        ])
        .current_dir(world.path(""))
        .env("KILN_DATA_DIR", world.path("data"))
        .env("KILN_CACHE_DIR", world.path("small/cache"));
        let run = Run::of(&mut kiln).exits(3);
        assert!(
            run.stderr.contains("No space left on device") && run.stderr.contains(line),
            "{}",
            run.stderr
        );
        // What stays is the base, which is whole.
        let left: Vec<&str> = run.stderr.lines().filter(|line| line.starts_with("left: ")).collect();
        assert!(left.iter().all(|file| size == "700m" && file.contains("/base-")), "{left:?}");
    }
}
