//! Lock files of the three package managers, and where they fall out of step.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};

use kiln_node::{Lock, LockFormat, LockKind, LockedPackage, PackageJson};

const NPM: &str = r#"{
  "name": "app", "lockfileVersion": 3,
  "packages": {
    "": { "workspaces": ["packages/*"], "dependencies": { "a": "^1.0.0" }, "devDependencies": { "b": "^2.0.0" } },
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
    assert_eq!(lock.without_integrity("x64"), ["@s/c@3.0.0"]);
    assert_eq!(lock.asked.keys().collect::<Vec<_>>(), ["", "packages/shared"]);
}

#[test]
fn a_lock_out_of_step_says_where() {
    let lock = Lock::read(LockKind::PackageLock, "package-lock.json", NPM.as_bytes()).unwrap();
    let same = package(r#"{"dependencies": {"a": "^1.0.0"}, "devDependencies": {"b": "^2.0.0"}}"#);
    let npm = |package: &PackageJson| lock.out_of_step(LockKind::PackageLock, "", package);
    assert_eq!(npm(&same), Vec::<String>::new());
    let other = package(r#"{"dependencies": {"a": "^4.1.0", "z": "1"}}"#);
    assert_eq!(npm(&other), ["a is ^4.1.0 here, ^1.0.0 in the lock file", "z 1 is not in the lock file"]);
    // What is locked fits, whatever the text; more than is asked for hurts nobody; overrides decide.
    for text in [
        r#"{"dependencies": {"a": ">=1.0.0"}}"#,
        r#"{"dependencies": {"a": "1.x"}, "devDependencies": {"b": "^2.0.0"}}"#,
        r#"{"dependencies": {"a": "^4.1.0"}, "overrides": {"a": "1.0.0"}}"#,
        r#"{"dependencies": {"a": "latest"}}"#,
        r#"{"dependencies": {"a": "npm:a@^1.0.0"}}"#,
    ] {
        assert_eq!(npm(&package(text)), Vec::<String>::new(), "{text}");
    }
}

/// pnpm compares texts, after its overrides.
#[test]
fn a_lock_of_pnpm_out_of_step_says_where() {
    let text = "lockfileVersion: '9.0'\noverrides:\n  ms: 2.1.2\nimporters:\n  .:\n    dependencies:\n      ms:\n        specifier: 2.1.2\n        \
                version: 2.1.2\n      peer:\n        specifier: '1'\n        version: 1.0.0\n      b:\n        specifier: ^1.0.0\n        version: 1.0.0\n";
    let lock = Lock::read(LockKind::Pnpm, "pnpm-lock.yaml", text.as_bytes()).unwrap();
    let pnpm = |text: &str| lock.out_of_step(LockKind::Pnpm, "", &package(text));
    let fits = r#"{"dependencies": {"ms": "^2.1.0", "b": "^1.0.0"}, "peerDependencies": {"peer": "1"}}"#;
    assert_eq!(pnpm(fits), Vec::<String>::new());
    assert_eq!(
        pnpm(r#"{"dependencies": {"ms": "^2.1.0", "b": ">=1.0.0"}}"#),
        ["b is >=1.0.0 here, ^1.0.0 in the lock file", "peer is in the lock file only"]
    );
}

#[test]
fn npm_version_1_is_taken_where_it_pins_every_package() {
    let read = |dependencies: &str| {
        let text = format!(r#"{{"lockfileVersion": 1, "dependencies": {{{dependencies}}}}}"#);
        Lock::read(LockKind::PackageLock, "package-lock.json", text.as_bytes())
    };
    let ms = r#""version": "2.1.3", "resolved": "https://r.example.invalid/ms/-/ms-2.1.3.tgz", "integrity": "sha512-x""#;
    let bundled = r#"{"version": "1.0.0", "bundled": true}"#;
    let lock = read(&format!(r#""ms": {{{ms}, "dependencies": {{"in": {bundled}}}}}"#)).unwrap();
    let places: Vec<&str> = lock.places.keys().map(String::as_str).collect();
    assert_eq!(places, ["node_modules/ms", "node_modules/ms/node_modules/in"]);
    assert!(lock.packages.iter().all(|package| package.has_install_script.is_none()));
    for loose in [
        "",
        r#""ms": {"version": "2.1.3", "integrity": "sha512-x"}"#,
        r#""ms": {"version": "2.1.3", "resolved": "https://r.example.invalid/ms/-/ms-2.1.3.tgz"}"#,
        r#""ms": {"version": "git+https://r.example.invalid/ms.git#c0ffee"}"#,
    ] {
        let error = read(loose).unwrap_err();
        assert!(error.to_string().contains("lockfileVersion 1, which pins too little"), "{error}");
        assert!(kiln_finding::Diagnose::help(&error).unwrap().contains("npm install --package-lock-only"));
    }
}

#[test]
fn pnpm() {
    let text = "lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      a:\n        specifier: ^1.0.0\n        \
        version: 1.2.3\n  apps/api: {}\npackages:\n  '@s/c@3.0.0':\n    resolution: {integrity: sha512-x}\n  a@1.2.3:\n    \
        resolution: {tarball: https://example.invalid/a.tgz}\nsnapshots: {}\n";
    let lock = Lock::read(LockKind::Pnpm, "pnpm-lock.yaml", text.as_bytes()).unwrap();
    assert_eq!(lock.asked[""]["a"], "^1.0.0");
    assert_eq!(lock.packages[0].name, "@s/c");
    assert_eq!(lock.without_integrity("x64"), ["a@1.2.3"]);
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
    assert_eq!(lock.without_integrity("x64"), ["a@1.0.0"]);
    let text = b"# x\n\n__metadata:\n  version: 8\n";
    assert_eq!(LockKind::Yarn.of(text), LockKind::Berry);
    assert!(Lock::read(LockKind::Berry, "yarn.lock", text).unwrap().packages.is_empty());
}

#[test]
fn broken_files_are_errors() {
    for kind in LockKind::ALL {
        assert!(Lock::read(kind, kind.file_name(), b"\xff{").is_err(), "{}", kind.file_name());
    }
}

const LOCKED: [(&str, LockFormat, &str); 10] = [
    ("npm 1", LockFormat::Npm, include_str!("locks/npm-1.json")),
    ("npm 2", LockFormat::Npm, include_str!("locks/npm-2.json")),
    ("npm 3", LockFormat::Npm, include_str!("locks/npm-3.json")),
    ("pnpm 5.2", LockFormat::Pnpm, include_str!("locks/pnpm-5.2.yaml")),
    ("pnpm 5.3", LockFormat::Pnpm, include_str!("locks/pnpm-5.3.yaml")),
    ("pnpm 6", LockFormat::Pnpm, include_str!("locks/pnpm-6.yaml")),
    ("pnpm 9", LockFormat::Pnpm, include_str!("locks/pnpm-9.yaml")),
    ("yarn 1", LockFormat::Yarn, include_str!("locks/yarn-1.lock")),
    ("yarn 4", LockFormat::Yarn, include_str!("locks/yarn-berry.lock")),
    ("bun", LockFormat::Bun, include_str!("locks/bun.lock")),
];

/// What a lock file says of the same app, related to its manifest, on Linux with glibc.
fn locked(format: LockFormat, text: &str) -> Lock {
    let project = package(include_str!("locks/package.json"));
    let mut lock = Lock::read_any(format, "lock", text.as_bytes()).unwrap();
    lock.relate(&BTreeMap::from([(String::new(), project)]));
    lock
}

fn names<'a>(lock: &'a Lock, keep: impl Fn(&LockedPackage) -> bool) -> BTreeSet<String> {
    let out = lock.left_out("linux", "x64", "glibc");
    let kept = lock.packages.iter().zip(out).filter(|(package, out)| !out && keep(package));
    kept.map(|(package, _): (&'a LockedPackage, bool)| format!("{}@{}", package.name, package.version))
        .collect()
}

#[test]
fn all_package_managers_lock_what_npm_installs() {
    let installed: BTreeSet<String> = include_str!("locks/npm-ls.txt").lines().map(str::to_owned).collect();
    assert!(installed.len() > 80);
    for (name, format, text) in LOCKED {
        let lock = locked(format, text);
        let found = names(&lock, |_| true);
        // yarn 1 and npm before 7 do not say which platforms a package is for, so what may be missing is all there.
        let extra: Vec<&String> = found.difference(&installed).collect();
        let missing: Vec<&String> = installed.difference(&found).collect();
        assert_eq!(missing, Vec::<&String>::new(), "{name}");
        if matches!(name, "yarn 1" | "npm 1") {
            let optional = names(&lock, |package| package.is_optional == Some(true));
            assert!(extra.iter().all(|one| optional.contains(*one)), "{extra:?}");
        } else {
            assert_eq!(extra, Vec::<&String>::new(), "{name}");
        }
    }
}

#[test]
fn all_agree_on_what_development_needs_and_on_what_is_direct() {
    let dev = BTreeSet::from(["@esbuild/linux-x64@0.21.5".to_owned(), "esbuild@0.21.5".to_owned()]);
    for (name, format, text) in LOCKED {
        let lock = locked(format, text);
        let found =
            names(&lock, |package| package.is_dev == Some(true) && !package.name.starts_with("@esbuild/"));
        let whole = names(&lock, |package| package.is_dev == Some(true));
        assert!(dev.is_subset(&whole) && found.contains("esbuild@0.21.5"), "{name}: {whole:?}");
        assert!(!whole.contains("express@4.21.2") && !whole.contains("debug@2.6.9"), "{name}");
        let direct: BTreeSet<&str> =
            lock.direct[""].iter().map(|direct| lock.packages[direct.package].name.as_str()).collect();
        let wanted =
            ["@types/ms", "chokidar", "esbuild", "express", "fsevents", "lodash", "ms", "node-gyp-build"];
        assert!(wanted.iter().all(|one| direct.contains(one)), "{name}: {direct:?}");
        let express = lock.packages.iter().find(|package| package.name == "express").unwrap();
        let needs: Vec<&str> =
            express.needs.iter().map(|need| lock.packages[need.package].name.as_str()).collect();
        assert_eq!(needs.len(), 31, "{name}: {needs:?}");
        assert!(
            lock.packages.iter().filter(|package| package.integrity.is_some()).count() > 100
                || name == "yarn 4",
            "{name}"
        );
    }
}

#[test]
fn workspaces_and_bundles_are_no_phantoms() {
    let berry = "__metadata:\n  version: 8\n\n\"api@workspace:apps/api\":\n  version: 0.0.0-use.local\n  resolution: \"api@workspace:apps/api\"\n  dependencies:\n    a: \"npm:^1\"\n  languageName: unknown\n  linkType: soft\n\n\"a@npm:^1\":\n  version: 1.2.0\n  resolution: \"a@npm:1.2.0\"\n  linkType: hard\n";
    let lock = Lock::read_any(LockFormat::Yarn, "yarn.lock", berry.as_bytes()).unwrap();
    assert_eq!(names(&lock, |_| true), BTreeSet::from(["a@1.2.0".to_owned()]));
    assert_eq!(lock.direct["apps/api"].len(), 1);
    let bun = r#"{ "lockfileVersion": 1, // text
        "workspaces": { "": { "name": "x" }, "packages/p": { "name": "p", "dependencies": { "@s/a": "^1", }, }, },
        "packages": { "p": ["p@workspace:packages/p"], "@s/a": ["@s/a@1.0.0", "", { "dependencies": { "b": "1" } }, "sha512-AA=="],
          "@s/a/b": ["b@1.0.0", "", {}, "sha512-AA=="], "b": ["b@2.0.0", "", {}, "sha512-AA=="], } }"#;
    let lock = Lock::read_any(LockFormat::Bun, "bun.lock", bun.as_bytes()).unwrap();
    let a = lock.packages.iter().find(|package| package.name == "@s/a").unwrap();
    assert_eq!(lock.packages[a.needs[0].package].version, "1.0.0");
    assert_eq!(lock.direct["packages/p"].len(), 1);
}

#[test]
fn pnpm_keys_of_all_ages_are_names_and_versions() {
    let old = "lockfileVersion: 5.4\nspecifiers: {a: ^1.0.0}\ndependencies:\n  a: 1.0.0_p_q@2.0.0\npackages:\n  /a/1.0.0_p_q@2.0.0:\n    resolution: {integrity: sha512-AA==}\n    dependencies: {p_q: 2.0.0, '@s/b': 1.0.0}\n  /p_q/2.0.0:\n    resolution: {integrity: sha512-AA==}\n  /@s/b/1.0.0:\n    resolution: {integrity: sha512-AA==}\n";
    let lock = Lock::read_any(LockFormat::Pnpm, "pnpm-lock.yaml", old.as_bytes()).unwrap();
    let all: Vec<String> = names(&lock, |_| true).into_iter().collect();
    assert_eq!(all, ["@s/b@1.0.0", "a@1.0.0", "p_q@2.0.0"]);
    assert_eq!(lock.packages.iter().find(|package| package.name == "a").unwrap().needs.len(), 2);
    assert_eq!(lock.direct[""].len(), 1);
}

/// One entry that is not understood costs nothing but itself; who installs from the file is told.
#[test]
fn an_odd_entry_costs_no_lock_file() {
    let odd = "lockfileVersion: 5.4\ndependencies:\n  ms: 2.1.3\npackages:\n  /:\n    dev: false\n  /ms/2.1.3:\n    dev: false\n";
    let lock = Lock::read_any(LockFormat::Pnpm, "l", odd.as_bytes()).unwrap();
    assert_eq!(lock.unread, ["/"]);
    assert_eq!(lock.packages.iter().map(|package| package.name.as_str()).collect::<Vec<_>>(), ["ms"]);
    let newer = "lockfileVersion: '9.0'\nimporters:\n  .: {}\npackages:\n  '': {}\n  ms@2.1.3: {}\n";
    assert_eq!(Lock::read_any(LockFormat::Pnpm, "l", newer.as_bytes()).unwrap().packages.len(), 1);
    Lock::read(LockKind::Pnpm, "l", newer.as_bytes()).unwrap_err();
}

#[test]
fn names_of_yarn_s_fields_may_stand_in_quotes() {
    let text = "# yarn lockfile v1\n\n\"jquery@^3.4.0\":\n  \"version\" \"3.4.1\"\n  \"resolved\" \"x\"\n  \"dependencies\":\n    \"ms\" \"^2.0.0\"\n\nms@^2.0.0:\n  version \"2.1.3\"\n\nlost@1:\n  resolved \"x\"\n";
    let lock = Lock::read_any(LockFormat::Yarn, "l", text.as_bytes()).unwrap();
    assert_eq!((lock.packages[0].name.as_str(), lock.packages[0].version.as_str()), ("jquery", "3.4.1"));
    assert_eq!(lock.packages[0].needs.len(), 1);
    assert_eq!(lock.unread, ["lost"], "what has no version is said");
}

/// The range that a project asks by is not in the file where a catalog or `resolutions` stands for it.
#[test]
fn what_yarn_takes_in_place_of_a_range_is_for_production_all_the_same() {
    let text = "__metadata:\n  version: 8\n\n\"a@npm:^1.0.0\":\n  version: 1.0.0\n  resolution: \"a@npm:1.0.0\"\n  dependencies:\n    b: \"npm:^3.0.0\"\n\n\
        \"b@npm:2.0.0\":\n  version: 2.0.0\n  resolution: \"b@npm:2.0.0\"\n\n\"dev@npm:^1.0.0\":\n  version: 1.0.0\n  resolution: \"dev@npm:1.0.0\"\n\n\
        \"app@workspace:.\":\n  version: 0.0.0-use.local\n  resolution: \"app@workspace:.\"\n  dependencies:\n    a: \"catalog:\"\n    dev: \"npm:^1.0.0\"\n";
    let mut lock = Lock::read(LockKind::Berry, "yarn.lock", text.as_bytes()).unwrap();
    let package = package(r#"{"dependencies": {"a": "catalog:"}, "devDependencies": {"dev": "^1.0.0"}}"#);
    lock.relate(&[(String::new(), package.clone())].into());
    let dev: Vec<(&str, Option<bool>)> =
        lock.packages.iter().map(|package| (package.name.as_str(), package.is_dev)).collect();
    assert_eq!(dev, [("a", Some(false)), ("b", Some(false)), ("dev", Some(true))]);
    assert_eq!(lock.out_of_step(LockKind::Berry, "", &package), Vec::<String>::new());
}
