//! What lock files say of packages that are from no registry, in every format.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use kiln_node::{Lock, LockFormat};
use kiln_pkg::Elsewhere;

/// `name version <- where from`, each.
fn told(format: LockFormat, text: &str) -> Vec<String> {
    let lock = Lock::read_any(format, "a lock file", text.as_bytes()).unwrap();
    assert!(lock.unread.is_empty(), "{:?}", lock.unread);
    let tell = |package: &kiln_node::LockedPackage| {
        let from = package.elsewhere.as_ref().map(|from| format!(" <- {}", Elsewhere::describe(from)));
        format!("{} {}{}", package.name, package.version, from.unwrap_or_default())
    };
    lock.packages.iter().map(tell).collect()
}

#[test]
fn npm_says_what_was_fetched_or_asked_for() {
    let lock = r#"{"lockfileVersion": 3, "packages": {
      "": {"dependencies": {"git": "git+https://user:pass@host.invalid/a/git.git", "short": "a/short", "ball": "https://host.invalid/ball.tgz",
                            "file": "file:../file.tgz", "odd": "^1.0.0", "usual": "^1.0.0", "beside": "file:../beside"}},
      "node_modules/git": {"version": "1.2.0", "resolved": "git+ssh://git@host.invalid/a/git.git#c0ffee"},
      "node_modules/short": {"version": "1.0.0"},
      "node_modules/ball": {"version": "1.0.0", "resolved": "https://host.invalid/ball.tgz", "integrity": "sha512-AA=="},
      "node_modules/file": {"version": "1.0.0", "resolved": "file:../file.tgz", "integrity": "sha512-AA=="},
      "node_modules/odd": {"version": "1.0.0", "resolved": "https://npm.example.invalid/~/11/odd/1.0.0.tgz"},
      "node_modules/usual": {"version": "1.0.0", "resolved": "https://npm.example.invalid/usual/-/usual-1.0.0.tgz"},
      "node_modules/beside": {"resolved": "../beside", "link": true},
      "../beside": {"version": "3.0.0"}}}"#;
    assert_eq!(
        told(LockFormat::Npm, lock),
        [
            "ball 1.0.0 <- https://host.invalid/ball.tgz",
            "beside 3.0.0 <- file:../beside",
            "file 1.0.0 <- file:../file.tgz",
            "git 1.2.0 <- git+ssh://host.invalid/a/git.git#c0ffee",
            "odd 1.0.0",
            "short 1.0.0 <- git+https://github.com/a/short.git",
            "usual 1.0.0",
        ]
    );
    let first = r#"{"lockfileVersion": 1, "dependencies": {
      "git": {"version": "github:a/git#c0ffee", "from": "github:a/git"}, "usual": {"version": "1.0.0"}}}"#;
    assert_eq!(
        told(LockFormat::Npm, first),
        ["git  <- git+https://github.com/a/git.git#c0ffee", "usual 1.0.0"]
    );
}

#[test]
fn pnpm_says_it_in_keys_and_resolutions() {
    let nine = "lockfileVersion: '9.0'\nimporters:\n  .: {}\npackages:\n  \
        ball@https://codeload.host.invalid/a/ball/tar.gz/c0ffee:\n    resolution: {tarball: https://codeload.host.invalid/a/ball/tar.gz/c0ffee}\n    version: 1.2.0\n  \
        file@file:pkgs/file:\n    resolution: {directory: pkgs/file, type: directory}\n  \
        git@git+https://host.invalid/a/git.git#c0ffee:\n    resolution: {commit: c0ffee, repo: https://host.invalid/a/git.git, type: git}\n    version: 1.0.0\n  \
        usual@1.0.0:\n    resolution: {integrity: sha512-AA==, tarball: https://npm.example.invalid/usual/-/usual-1.0.0.tgz}\n";
    assert_eq!(
        told(LockFormat::Pnpm, nine),
        [
            "ball 1.2.0 <- https://codeload.host.invalid/a/ball/tar.gz/c0ffee",
            "file  <- file:pkgs/file",
            "git 1.0.0 <- git+https://host.invalid/a/git.git#c0ffee",
            "usual 1.0.0",
        ]
    );
    let five = "lockfileVersion: 5.4\ndependencies: {git: host.invalid/a/git/c0ffee}\npackages:\n  \
        host.invalid/a/git/c0ffee:\n    resolution: {tarball: https://codeload.host.invalid/a/git/tar.gz/c0ffee}\n    name: git\n    version: 1.2.0\n  \
        npm.example.invalid/usual/1.0.0:\n    resolution: {integrity: sha512-AA==}\n    name: usual\n    version: 1.0.0\n";
    assert_eq!(
        told(LockFormat::Pnpm, five),
        ["git 1.2.0 <- https://codeload.host.invalid/a/git/tar.gz/c0ffee", "usual 1.0.0"]
    );
}

#[test]
fn yarn_says_it_in_descriptors() {
    let first = "# yarn lockfile v1\n\n\"git@git+https://host.invalid/a/git.git\":\n  version \"1.2.0\"\n  resolved \"git+https://host.invalid/a/git.git#c0ffee\"\n\n\
        usual@^1.0.0:\n  version \"1.0.0\"\n  resolved \"https://npm.example.invalid/odd/usual.tgz#c0ffee\"\n\n\"@s/file@file:./file\":\n  version \"0.0.0\"\n";
    assert_eq!(
        told(LockFormat::Yarn, first),
        [
            "git 1.2.0 <- git+https://host.invalid/a/git.git",
            "usual 1.0.0 <- https://npm.example.invalid/odd/usual.tgz",
            "@s/file 0.0.0 <- file:./file"
        ]
    );
    let berry = "__metadata:\n  version: 8\n\n\"app@workspace:.\":\n  version: 0.0.0-use.local\n  resolution: \"app@workspace:.\"\n  linkType: soft\n\n\
        \"git@https://host.invalid/a/git.git\":\n  version: 1.2.0\n  resolution: \"git@https://host.invalid/a/git.git#commit=c0ffee\"\n  linkType: hard\n\n\
        \"patched@patch:patched@npm%3A1.0.0#./x.patch\":\n  version: 1.0.0\n  resolution: \"patched@patch:patched@npm%3A1.0.0#./x.patch::version=1.0.0\"\n  linkType: hard\n\n\
        \"usual@npm:^1.0.0\":\n  version: 1.0.0\n  resolution: \"usual@npm:1.0.0\"\n  linkType: hard\n";
    assert_eq!(
        told(LockFormat::Yarn, berry),
        ["git 1.2.0 <- https://host.invalid/a/git.git#commit=c0ffee", "patched 1.0.0", "usual 1.0.0"]
    );
}

#[test]
fn bun_says_it_in_place_of_a_version_and_its_root_is_no_package() {
    let lock = r#"{"lockfileVersion": 1, "workspaces": {"": {"name": "app", "dependencies": {"app": "root:", "git": "github:a/git", "usual": "^1.0.0"}}},
      "packages": {
        "app": ["app@root:", {"bin": "x.js"}],
        "ball": ["ball@https://host.invalid/ball.tgz", {}, "sha512-AA=="],
        "file": ["file@./pkgs/file.tgz", {}],
        "git": ["git@github:a/git#c0ffee", {}, "a-git-c0ffee"],
        "usual": ["usual@1.0.0", "", {}, "sha512-AA=="]}}"#;
    assert_eq!(
        told(LockFormat::Bun, lock),
        [
            "ball  <- https://host.invalid/ball.tgz",
            "file  <- ./pkgs/file.tgz",
            "git  <- git+https://github.com/a/git.git#c0ffee",
            "usual 1.0.0",
        ]
    );
}

/// Whether the package `ms` of a lock file of each manager, which says that `ms` 2.1.3 is fetched from `address`, is taken for the registry's.
fn is_of_registry(address: &str) -> [bool; 5] {
    let quoted = serde_json::Value::from(address).to_string();
    let coded = kiln_text::percent::Plain::UNRESERVED.encode(address);
    let locks = [
        (
            LockFormat::Npm,
            format!(
                r#"{{"lockfileVersion":3,"packages":{{"":{{"dependencies":{{"ms":"^2"}}}},"node_modules/ms":{{"version":"2.1.3","resolved":{quoted}}}}}}}"#
            ),
        ),
        (
            LockFormat::Npm,
            format!(
                r#"{{"lockfileVersion":1,"dependencies":{{"ms":{{"version":"2.1.3","resolved":{quoted}}}}}}}"#
            ),
        ),
        (
            LockFormat::Pnpm,
            format!(
                "lockfileVersion: '9.0'\nimporters: {{.: {{}}}}\npackages:\n  ms@2.1.3:\n    resolution: {{integrity: sha512-AA==, tarball: {quoted}}}\n"
            ),
        ),
        (
            LockFormat::Yarn,
            format!("# yarn lockfile v1\n\nms@^2:\n  version \"2.1.3\"\n  resolved {quoted}\n"),
        ),
        (
            LockFormat::Yarn,
            format!(
                "__metadata:\n  version: 8\n\n\"ms@npm:^2\":\n  version: 2.1.3\n  resolution: \"ms@npm:2.1.3::__archiveUrl={coded}\"\n"
            ),
        ),
    ];
    locks.map(|(format, text)| {
        let lock = Lock::read_any(format, "a lock file", text.as_bytes()).unwrap();
        let package = lock.packages.iter().find(|package| package.name == "ms" && package.version == "2.1.3");
        lock.unread.is_empty() && package.is_some_and(|package| package.elsewhere.is_none())
    })
}

#[test]
fn what_is_fetched_is_the_registrys_only_where_its_address_says_so() {
    for address in [
        "https://npm.example.invalid/ms/-/ms-2.1.3.tgz",
        "https://npm.example.invalid/api/npm/all/ms/-/ms-2.1.3.tgz",
        "https://npm.example.invalid/download/ms/2.1.3/c0ffee",
    ] {
        assert_eq!(is_of_registry(address), [true; 5], "{address}");
    }
    for address in [
        "https://npm.example.invalid/ms/-/ms-2.1.2.tgz",
        "https://npm.example.invalid/ms/./-/ms-2.1.3.tgz",
        "https://npm.example.invalid/ms//-/ms-2.1.3.tgz",
        "https://npm.example.invalid/a/-/x/../../../ms/-/ms-2.1.3.tgz",
        "https://npm.example.invalid/a/-/x/%2e%2e/%2e%2e/%2e%2e/ms/-/ms-2.1.3.tgz",
        "https://npm.example.invalid\\ms\\-\\ms-2.1.3.tgz",
        "https://npm.example.invalid/ms/\t-/ms-2.1.3.tgz",
        "https:/npm.example.invalid/ms/-/ms-2.1.3.tgz",
        "https:npm.example.invalid/ms/-/ms-2.1.3.tgz",
        "HTTPS://npm.example.invalid/ms/-/ms-2.1.3.tgz",
        "https://npm.example.invalid/ms/download/ms-2.1.2.tgz",
        "https://npm.example.invalid/packages/ms/2.1.2/ms-2.1.2.tgz",
        "https://npm.example.invalid/ms.tgz",
        "https://gitlab.com/g/ms/-/archive/2.1.3/ms-2.1.3.tar.gz",
        "https://codeload.github.com/u/ms/tar.gz/2.1.3",
        "git+https://host.invalid/u/ms",
        "GIT+https://host.invalid/u/ms",
    ] {
        assert_eq!(is_of_registry(address), [false; 5], "{address}");
    }
    // pnpm looks for it in its registry; the others have files there.
    assert_eq!(is_of_registry("/ms/-/ms-2.1.3.tgz"), [false, false, true, false, false]);
    assert_eq!(is_of_registry("ms/-/ms-2.1.2.tgz"), [false; 5]);
}

#[test]
fn what_a_manager_reads_in_its_own_way_is_not_taken_for_something_else() {
    let unread = |format, text: &str| Lock::read_any(format, "a lock file", text.as_bytes()).unwrap().unread;
    let nine =
        |entry: &str| format!("lockfileVersion: '9.0'\nimporters: {{.: {{}}}}\npackages:\n  {entry}\n");
    for entry in [
        "ms@2.1.2: {name: other, version: 2.1.2, resolution: {}}",
        "ms@2.1.2: {version: 2.1.3, resolution: {}}",
    ] {
        assert_eq!(unread(LockFormat::Pnpm, &nine(entry)), ["ms@2.1.2"], "{entry}");
    }
    let berry = |reference: &str| {
        format!(
            "__metadata:\n  version: 8\n\n\"ms@npm:^2\":\n  version: 2.1.3\n  resolution: \"ms@npm:{reference}\"\n"
        )
    };
    let address = "https%3A%2F%2Fnpm.example.invalid%2Fms%2F-%2Fms-2.1.3.tgz";
    for reference in [
        "v2.1.2",
        "=2.1.2",
        &format!("2.1.3::__archive%55rl={address}"),
        &format!("2.1.3::__archiveUrl={address}&__archiveUrl={address}"),
        "^2",
    ] {
        assert_eq!(unread(LockFormat::Yarn, &berry(reference)), ["ms@npm:^2"], "{reference}");
    }
    for place in
        ["node_modules/./ms", "node_modules//ms", "node_modules/m%73", "node_modules/ms/", "node_modules/ ms"]
    {
        let text = format!(r#"{{"lockfileVersion":3,"packages":{{"{place}":{{"version":"2.1.2"}}}}}}"#);
        assert_eq!(unread(LockFormat::Npm, &text).len(), 1, "{place}");
    }
    let link = r#"{"lockfileVersion":3,"packages":{"node_modules/ms":{"link":true}}}"#;
    assert_eq!(unread(LockFormat::Npm, link), ["node_modules/ms"]);
}

/// Whoever installs from the file looks whether they are those of the registry.
#[test]
fn addresses_that_see_a_login_are_told() {
    let yarn = |resolution: &str| {
        let text = format!(
            "__metadata:\n  version: 8\n\n\"ms@npm:^2\":\n  version: 2.1.3\n  resolution: {resolution:?}\n"
        );
        Lock::read_any(LockFormat::Yarn, "yarn.lock", text.as_bytes()).unwrap().addresses
    };
    assert!(yarn("ms@npm:2.1.3").is_empty());
    let evil = [("ms".to_owned(), "https://e.example/ms.tgz".to_owned())];
    for spelled in [
        "ms@npm:2.1.3::__archiveUrl=https%3A%2F%2Fe.example%2Fms.tgz",
        "ms@npm:2.1.3::__archive%55rl=https%3A%2F%2Fe.example%2Fms.tgz",
        "ms@npm:2.1.3::x=1&__archiveUrl=https://e.example/ms.tgz",
        "ms@patch:ms@npm%3A2.1.3%3A%3A__archiveUrl=https%253A%252F%252Fe.example%252Fms.tgz#~/a.patch",
    ] {
        assert_eq!(yarn(spelled), evil, "{spelled}");
    }
    let two =
        yarn("ms@npm:2.1.3::__archiveUrl=https://npm.example/a.tgz&__archiveUrl=https://e.example/a.tgz");
    assert_eq!(two, [("ms".to_owned(), String::new())]);
    let bun = |address: &str| {
        let text = format!(
            r#"{{"lockfileVersion": 1, "workspaces": {{"": {{}}}}, "packages": {{"ms": ["ms@2.1.3", "{address}", {{}}, "sha512-x"]}}}}"#
        );
        Lock::read_any(LockFormat::Bun, "bun.lock", text.as_bytes()).unwrap().addresses
    };
    assert!(bun("").is_empty());
    assert_eq!(bun("https://e.example/ms.tgz"), evil);
}
