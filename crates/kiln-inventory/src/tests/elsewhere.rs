//! Whose code it is: the app's own, from a repository or an archive, from the registry, from a distribution or from a vendor.

use kiln_pkg::{Ecosystem, Elsewhere, Inventory, Packager};

use super::{files, stack};

/// `name version`, and where it is from.
fn told(inventory: &Inventory) -> Vec<String> {
    let from = |from: &Elsewhere| format!(" <- {}", from.describe());
    let tell = |package: &kiln_pkg::Package| {
        let from = package.elsewhere.as_ref().map(from).unwrap_or_default();
        format!("{} {}{from}", package.name, package.version)
    };
    inventory.of(Ecosystem::Npm).map(tell).collect()
}

#[test]
fn the_app_and_its_projects_are_their_own() {
    let inventory = stack(&[super::layer(|tree| {
        for (path, text) in [
            (
                "app/package.json",
                r#"{"name":"puppeteer","version":"1.0.0","workspaces":["packages/*"],"dependencies":{"ms":"2.1.3"}}"#,
            ),
            ("app/node_modules/ms/package.json", r#"{"name":"ms","version":"2.1.3"}"#),
            ("app/packages/p/package.json", r#"{"name":"lodash","version":"1.0.0"}"#),
        ] {
            tree.insert_file(path, 0o644, text.as_bytes()).unwrap();
        }
        tree.insert_symlink("app/node_modules/lodash", "../packages/p").unwrap();
    })]);
    assert_eq!(
        told(&inventory),
        ["lodash 1.0.0 <- the app's own", "ms 2.1.3", "puppeteer 1.0.0 <- the app's own"]
    );
    // Its name is that of a release, which is there, too.
    let both = stack(&[files(&[
        ("app/package.json", r#"{"name":"ms","version":"2.1.3"}"#),
        ("app/node_modules/ms/package.json", r#"{"name":"ms","version":"2.1.3"}"#),
    ])]);
    assert_eq!(told(&both), ["ms 2.1.3"]);
}

/// pnpm lists the projects of its workspace beside the packages that it installs, and an image has no pnpm-workspace.yaml.
#[test]
fn a_project_that_pnpm_lists_is_the_app_s_own() {
    let inventory = |link: &str, target: &str| {
        stack(&[super::layer(|tree| {
            for (path, text) in [
                ("app/package.json", r#"{"name":"shop","version":"1.0.0"}"#),
                ("app/apps/api/package.json", r#"{"name":"@shop/api","version":"1.0.0"}"#),
                ("app/apps/api/node_modules/ms/package.json", r#"{"name":"ms","version":"2.1.3"}"#),
            ] {
                tree.insert_file(path, 0o644, text.as_bytes()).unwrap();
            }
            tree.insert_symlink(link, target).unwrap();
        })])
    };
    let listed = inventory("app/node_modules/.pnpm/node_modules/@shop/api", "../../../../apps/api");
    assert!(told(&listed).contains(&"@shop/api 1.0.0 <- the app's own".to_owned()), "{:?}", told(&listed));
    let asked_for = inventory("app/node_modules/@shop/api", "../../apps/api");
    assert!(!told(&asked_for).contains(&"@shop/api 1.0.0 <- the app's own".to_owned()));
}

#[test]
fn what_npm_and_pnpm_installed_from_elsewhere_is_known() {
    let manifest = r#"{"name":"minimist","version":"1.2.0"}"#;
    let hidden = r#"{"packages":{"node_modules/minimist":{"version":"1.2.0","resolved":"git+ssh://git@host.invalid/a/minimist.git#c0ffee"},
        "node_modules/p":{"resolved":"packages/p","link":true}}}"#;
    let by_npm = stack(&[files(&[
        ("app/package.json", r#"{"name":"app"}"#),
        ("app/node_modules/.package-lock.json", hidden),
        ("app/node_modules/minimist/package.json", manifest),
        ("app/node_modules/x/node_modules/minimist/package.json", manifest),
        (
            "app/node_modules/old/package.json",
            r#"{"name":"old","version":"1.0.0","_resolved":"git+https://host.invalid/a/old.git#1"}"#,
        ),
        ("app/node_modules/mine/package.json", r#"{"name":"mine","version":"1.0.0","private":true}"#),
    ])]);
    assert_eq!(
        told(&by_npm),
        [
            "app  <- the app's own",
            "mine 1.0.0 <- marked as private",
            "minimist 1.2.0",
            "minimist 1.2.0 <- git+ssh://host.invalid/a/minimist.git#c0ffee",
            "old 1.0.0 <- git+https://host.invalid/a/old.git#1",
        ]
    );
    let integrity = r#"{"lockfileEntries":{"minimist@git+https://host.invalid/a/minimist.git":"git+https://host.invalid/a/minimist.git#1",
        "both@^1.0.0":"https://npm.example.invalid/both/-/both-1.0.0.tgz","both@a/both":"https://codeload.host.invalid/a/both/1"}}"#;
    let by_yarn = stack(&[files(&[
        ("app/package.json", r#"{"name":"app"}"#),
        ("app/node_modules/.yarn-integrity", integrity),
        ("app/node_modules/minimist/package.json", manifest),
        ("app/node_modules/both/package.json", r#"{"name":"both","version":"1.0.0"}"#),
    ])]);
    assert_eq!(
        told(&by_yarn)[1..],
        ["both 1.0.0", "minimist 1.2.0 <- git+https://host.invalid/a/minimist.git"]
    );
    for (folder, from) in [
        ("minimist@1.2.0", ""),
        ("minimist@1.2.0_peer@2.0.0", ""),
        ("npm.example.invalid+minimist@1.2.0", ""),
        (
            "minimist@git+https+++host.invalid+a+minimist.git+c0ffee",
            " <- git+https://host.invalid/a/minimist.git/c0ffee",
        ),
        (
            "minimist@https+++codeload.host.invalid+a+minimist+tar.gz+c0ffee",
            " <- https://codeload.host.invalid/a/minimist/tar.gz/c0ffee",
        ),
        ("host.invalid+a+minimist@5c0ffee", " <- host.invalid/a/minimist@5c0ffee"),
        ("minimist@file+pkgs+minimist", " <- file:pkgs/minimist"),
    ] {
        let path = format!("app/node_modules/.pnpm/{folder}/node_modules/minimist/package.json");
        let by_pnpm = stack(&[files(&[("app/package.json", r#"{"name":"app"}"#), (&path, manifest)])]);
        assert_eq!(told(&by_pnpm)[1], format!("minimist 1.2.0{from}"), "{folder}");
    }
}

#[test]
fn control_files_tell_who_built_a_package() {
    let packager = |fields: &str| {
        let text = format!("Package: p\nVersion: 1.0-1\n{fields}");
        let inventory = stack(&[files(&[
            ("etc/os-release", "ID=debian\nVERSION_ID=12\n"),
            ("var/lib/dpkg/status.d/p", &text),
        ])]);
        inventory.packages[0].packager
    };
    for (fields, expected) in [
        ("Maintainer: GNU Libc Maintainers <debian-glibc@lists.debian.org>\n", Packager::Distribution),
        ("Maintainer: OpenSSL Team <pkg-openssl-devel@alioth-lists.debian.net>\n", Packager::Distribution),
        ("Maintainer: Marco <md@linux.invalid>\nMulti-Arch: same\n", Packager::Distribution),
        (
            "Maintainer: Marco <md@linux.invalid>\nMulti-Arch: foreign\nArchitecture: all\n",
            Packager::Distribution,
        ),
        (
            "Maintainer: Marco <md@linux.invalid>\nMulti-Arch: foreign\nArchitecture: amd64\n",
            Packager::Unsaid,
        ),
        ("Maintainer: Marco <md@linux.invalid>\nPriority: required\n", Packager::Distribution),
        ("", Packager::Distribution),
        ("Maintainer: Chrome Linux Team <team@browser.invalid>\nPriority: optional\n", Packager::Unsaid),
        ("Maintainer: x <x@notdebian.org>\n", Packager::Unsaid),
        ("Maintainer: NodeSource <hi@nodesource.com>\n", Packager::Other),
        (
            "Vendor: root@build\nLicense: unknown\nSection: default\nMaintainer: <root@build>\n",
            Packager::Other,
        ),
        ("Origin: LP-PPA-x\nMaintainer: x <x@debian.org>\n", Packager::Other),
        ("Origin: Debian\nMaintainer: x <x@debian.org>\n", Packager::Distribution),
    ] {
        assert_eq!(packager(fields), expected, "{fields}");
    }
}

#[test]
fn versions_of_other_archives_are_not_debian_s() {
    let packager = |version: &str| {
        let status = format!(
            "Package: p\nStatus: install ok installed\nMaintainer: Team <team@tracker.debian.org>\nVersion: {version}\n\n"
        );
        stack(&[files(&[("var/lib/dpkg/status", &status)])]).packages[0].packager
    };
    for other in [
        "8.1.0-1+0~20211125.1+debian12~1.gbp1",
        "13.0-1.pgdg120+1",
        "1:11.0.2+maria~deb12",
        "1.25.1-1~bookworm",
        "6:7.0.0-1rl1~bookworm1",
        "5:24.0.7-1~debian.12~bookworm",
    ] {
        assert_eq!(packager(other), Packager::Other, "{other}");
    }
    for own in [
        "1:2.39.5-0+deb12u3",
        "6.1.0-1~bpo12+1",
        "0.0~git20230309.7c7625d-1",
        "20230209.2326-1",
        "2.3.3-1+b1",
    ] {
        assert_eq!(packager(own), Packager::Distribution, "{own}");
    }
}
