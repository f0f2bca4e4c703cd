//! A real Go program, compared with what `go version -m` says of it; a real environment of Python, with what pip says; a Rust program
//! that cargo-auditable built, with what its section holds.

#![expect(clippy::unwrap_used, reason = "a test may panic")]
use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use kiln_inventory::{Machine, scan_folder};
use kiln_pkg::{Ecosystem, Inventory};
use kiln_rootfs::{Attrs, Content, Entry, Kind, RootPath, Tree};

fn scan(files: &[(&str, &Path)]) -> Inventory {
    let mut tree = Tree::new();
    for (name, path) in files {
        let content = Content::Bytes(std::fs::read(path).unwrap().into());
        let entry = Entry { attrs: Attrs::root(0o755), kind: Kind::File(content) };
        tree.insert(RootPath::normalise(name).unwrap(), entry).unwrap();
    }
    scan_folder(&tree, Machine { os: "linux", cpu: "x64", libc: "glibc" }).unwrap()
}

fn skipped(test: &str, what: &str) {
    drop(writeln!(std::io::stderr(), "skipped: {test}: no {what} here"));
}

fn names(inventory: &Inventory, ecosystem: Ecosystem) -> BTreeSet<String> {
    inventory.of(ecosystem).map(|package| format!("{} {}", package.name, package.version)).collect()
}

#[test]
fn a_go_program_is_what_go_says() {
    // Go's own programs are built of Go.
    let output = Command::new("go").args(["env", "GOROOT"]).output();
    let Ok(root) = output.map(|output| String::from_utf8(output.stdout).unwrap()) else {
        return skipped("a_go_program_is_what_go_says", "go");
    };
    let program = std::env::var("KILN_GO_PROGRAM").unwrap_or_else(|_| format!("{}/bin/gofmt", root.trim()));
    let said = Command::new("go").args(["version", "-m", &program]).output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    let mut wanted = BTreeSet::new();
    let first = said.lines().next().unwrap();
    let go = first.rsplit(": go").next().unwrap().split([' ', '-']).next().unwrap();
    wanted.insert(format!("stdlib {go}"));
    for line in said.lines() {
        let fields: Vec<&str> = line.trim().split('\t').collect();
        if let ["dep", name, version, ..] = *fields.as_slice() {
            wanted.insert(format!("{name} {version}"));
        }
    }
    let inventory = scan(&[("app/program", Path::new(&program))]);
    let found = names(&inventory, Ecosystem::Go);
    assert!(wanted.is_subset(&found) && found.len() <= wanted.len() + 1, "{found:?} but {wanted:?}");
    assert!(inventory.unread.is_empty(), "{:?}", inventory.unread);
}

/// A program of two crates, whose list is read a second time by Python.
#[test]
fn a_rust_program_is_what_cargo_auditable_wrote() {
    const TEST: &str = "a_rust_program_is_what_cargo_auditable_wrote";
    let has = |command: &[&str]| {
        let output = Command::new(command[0]).args(&command[1..]).output();
        output.is_ok_and(|output| output.status.success())
    };
    let needed: [&[&str]; 3] =
        [&["cargo", "auditable", "--version"], &["objcopy", "--version"], &["python3", "--version"]];
    if !needed.into_iter().all(has) {
        return skipped(TEST, "cargo-auditable, objcopy and Python");
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("auditable");
    let write = |path: &str, text: &str| {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write(
        "Cargo.toml",
        "[workspace]\n[package]\nname = \"outer\"\nversion = \"1.2.3\"\nedition = \"2021\"\n[dependencies]\ninner = { path = \"inner\" }\n",
    );
    write("src/main.rs", "fn main() { println!(\"{}\", inner::one()); }\n");
    write("inner/Cargo.toml", "[package]\nname = \"inner\"\nversion = \"0.4.0-rc.1\"\nedition = \"2021\"\n");
    write("inner/src/lib.rs", "pub fn one() -> u32 { 1 }\n");
    let built = Command::new("cargo")
        .args(["auditable", "build"])
        .current_dir(&folder)
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .output();
    let built = built.unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let program = folder.join("target/debug/outer");
    let section = folder.join("section");
    let copy = format!("--dump-section=.dep-v0={}", section.display());
    assert!(Command::new("objcopy").arg(copy).arg(&program).arg("/dev/null").status().unwrap().success());
    let script = "import json, sys, zlib; print(json.dumps([[p['name'], p['version']] for p in json.loads(zlib.decompress(open(sys.argv[1], 'rb').read()))['packages']]))";
    let said = Command::new("python3").args(["-c", script]).arg(&section).output().unwrap().stdout;
    let said: Vec<(String, String)> = serde_json::from_slice(&said).unwrap();
    let wanted: BTreeSet<String> = said.iter().map(|(name, version)| format!("{name} {version}")).collect();
    assert!(wanted.contains("inner 0.4.0-rc.1"), "{wanted:?}");
    let inventory = scan(&[("app/outer", &program)]);
    assert_eq!(names(&inventory, Ecosystem::Cargo), wanted);
    let outer = inventory.of(Ecosystem::Cargo).find(|package| package.name == "outer").unwrap();
    assert_eq!(outer.depends_on, ["pkg:cargo/inner@0.4.0-rc.1"]);
    assert!(inventory.unread.is_empty(), "{:?}", inventory.unread);
}

#[test]
fn python_packages_are_what_pip_says() {
    let script = "import importlib.metadata as m, json; print(json.dumps([[d.metadata['Name'], d.version, str(d._path)] for d in m.distributions()]))";
    let Ok(output) = Command::new("python3").args(["-c", script]).output() else {
        return skipped("python_packages_are_what_pip_says", "python3");
    };
    let said: Vec<(String, String, String)> = serde_json::from_slice(&output.stdout).unwrap();
    let files: Vec<(String, String)> = said
        .iter()
        .map(
            |(_, _, path)| {
                if path.ends_with(".dist-info") { format!("{path}/METADATA") } else { path.clone() }
            },
        )
        .filter(|path| Path::new(path).is_file())
        .map(|path| (path.trim_start_matches('/').to_owned(), path))
        .collect();
    let files: Vec<(&str, &Path)> =
        files.iter().map(|(name, path)| (name.as_str(), Path::new(path))).collect();
    let inventory = scan(&files);
    let wanted: BTreeSet<String> = said
        .iter()
        .filter(|(_, _, path)| files.iter().any(|(_, file)| file.starts_with(path)))
        .map(|(name, version, _)| format!("{name} {version}"))
        .collect();
    assert!(!wanted.is_empty());
    assert_eq!(names(&inventory, Ecosystem::PyPi), wanted);
}
