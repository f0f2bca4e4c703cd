//! Lock files of the three package managers, and where they fall out of step.
#![expect(clippy::unwrap_used, reason = "tests")]

use kiln_node::{Lock, LockKind, PackageJson};

const NPM: &str = r#"{
  "name": "app", "lockfileVersion": 3,
  "packages": {
    "": { "dependencies": { "a": "^1.0.0" }, "devDependencies": { "b": "^2.0.0" } },
    "node_modules/a": { "version": "1.2.3", "integrity": "sha512-x", "hasInstallScript": true },
    "node_modules/a/node_modules/@s/c": { "version": "3.0.0", "resolved": "https://example.invalid/c.tgz" },
    "node_modules/alias": { "name": "real", "version": "4.0.0", "integrity": "sha512-y", "dev": true },
    "node_modules/shared": { "resolved": "packages/shared", "link": true },
    "packages/shared": { "dependencies": { "a": "^1.0.0" } }
  }
}"#;

fn package(text: &str) -> PackageJson {
    PackageJson::read("package.json", text.as_bytes()).unwrap()
}

#[test]
fn npm() {
    let lock = Lock::read(LockKind::PackageLock, "package-lock.json", NPM.as_bytes()).unwrap();
    let names: Vec<&str> = lock.packages.iter().map(|package| package.name.as_str()).collect();
    assert_eq!(names, ["a", "@s/c", "real"]);
    assert_eq!(lock.packages[0].has_install_script, Some(true));
    assert_eq!(lock.packages[2].is_dev, Some(true));
    assert_eq!(lock.without_integrity(), ["@s/c@3.0.0"]);
    assert_eq!(lock.asked.keys().collect::<Vec<_>>(), ["", "packages/shared"]);
}

#[test]
fn a_lock_out_of_step_says_where() {
    let lock = Lock::read(LockKind::PackageLock, "package-lock.json", NPM.as_bytes()).unwrap();
    let same = package(r#"{"dependencies": {"a": "^1.0.0"}, "devDependencies": {"b": "^2.0.0"}}"#);
    assert_eq!(lock.out_of_step("", &same), Vec::<String>::new());
    let other = package(r#"{"dependencies": {"a": "^1.1.0", "z": "1"}}"#);
    assert_eq!(
        lock.out_of_step("", &other),
        [
            "a is ^1.1.0 here, ^1.0.0 in the lock file",
            "z 1 is not in the lock file",
            "b is in the lock file only"
        ]
    );
}

#[test]
fn npm_version_1_is_refused_with_its_cure() {
    let error =
        Lock::read(LockKind::PackageLock, "package-lock.json", br#"{"lockfileVersion": 1}"#).unwrap_err();
    assert!(error.to_string().contains("lockfileVersion 1"), "{error}");
}

#[test]
fn pnpm() {
    let text = "lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      a:\n        specifier: ^1.0.0\n        \
        version: 1.2.3\n  apps/api: {}\npackages:\n  '@s/c@3.0.0':\n    resolution: {integrity: sha512-x}\n  a@1.2.3:\n    \
        resolution: {tarball: https://example.invalid/a.tgz}\nsnapshots: {}\n";
    let lock = Lock::read(LockKind::Pnpm, "pnpm-lock.yaml", text.as_bytes()).unwrap();
    assert_eq!(lock.asked[""]["a"], "^1.0.0");
    assert_eq!(lock.packages[0].name, "@s/c");
    assert_eq!(lock.without_integrity(), ["a@1.2.3"]);
    let two_documents = format!("lockfileVersion: '9.0'\nimporters: {{}}\n---\n{text}");
    assert_eq!(
        Lock::read(LockKind::Pnpm, "pnpm-lock.yaml", two_documents.as_bytes()).unwrap().packages.len(),
        2
    );
}

#[test]
fn pnpm_tells_what_only_development_needs() {
    let text = "lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      a: {specifier: ^1.0.0, version: 1.2.3(p@1.0.0)}\n    \
        devDependencies:\n      t: {specifier: ^2.0.0, version: 2.0.0}\npackages:\n  a@1.2.3: {resolution: {integrity: x}}\n  \
        b@1.0.0: {resolution: {integrity: x}}\n  p@1.0.0: {resolution: {integrity: x}}\n  t@2.0.0: {resolution: {integrity: x}}\n\
        snapshots:\n  a@1.2.3(p@1.0.0):\n    dependencies: {b: 1.0.0, p: 1.0.0}\n  b@1.0.0: {}\n  p@1.0.0: {}\n  t@2.0.0:\n    \
        dependencies: {b: 1.0.0}\n";
    let lock = Lock::read(LockKind::Pnpm, "pnpm-lock.yaml", text.as_bytes()).unwrap();
    let dev: Vec<&str> =
        lock.packages.iter().filter(|p| p.is_dev == Some(true)).map(|p| p.name.as_str()).collect();
    assert_eq!(dev, ["t"]);
}

#[test]
fn yarn() {
    let text = "# yarn lockfile v1\n\n\n\"@s/c@^3.0.0\", \"@s/c@^3.1.0\":\n  version \"3.1.0\"\n  resolved \"x\"\n  \
        integrity sha512-x\n  dependencies:\n    a \"^1\"\n\na@^1, alias@npm:a@^1:\n  version \"1.0.0\"\n";
    let lock = Lock::read(LockKind::Yarn, "yarn.lock", text.as_bytes()).unwrap();
    assert_eq!((lock.packages[0].name.as_str(), lock.packages[0].version.as_str()), ("@s/c", "3.1.0"));
    assert_eq!(lock.without_integrity(), ["a@1.0.0"]);
    assert!(Lock::read(LockKind::Yarn, "yarn.lock", b"# x\n\n__metadata:\n  version: 8\n").is_err());
}

#[test]
fn broken_files_are_errors() {
    for kind in LockKind::ALL {
        assert!(Lock::read(kind, kind.file_name(), b"\xff{").is_err(), "{}", kind.file_name());
    }
}
