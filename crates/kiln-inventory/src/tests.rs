use kiln_oci::Digest;
use kiln_pkg::{Ecosystem, IndicatorKind, Inventory};
use kiln_rootfs::{LayerReader, Limits, Tree, write_tar};

use crate::{LayerFacts, combine, scan_layer, secrets_in_config};

mod content;
mod elsewhere;
mod folders;
mod hostile;
mod java;
mod kept;
mod licences;
mod pnp;
mod programs;
mod stacking;
mod unseen;

pub(crate) fn scan(tar: &[u8]) -> LayerFacts {
    scan_layer(&mut LayerReader::new(tar, Limits::default()), Digest::of(tar)).unwrap()
}

pub(crate) fn layer(build: impl FnOnce(&mut Tree)) -> LayerFacts {
    let mut tree = Tree::new();
    build(&mut tree);
    scan(&write_tar(&tree, Vec::new(), 0).unwrap())
}

pub(crate) fn files(files: &[(&str, &str)]) -> LayerFacts {
    layer(|tree| {
        for (path, text) in files {
            tree.insert_file(path, 0o644, text.as_bytes()).unwrap();
        }
    })
}

/// Through bytes and back, as a cache does it.
pub(crate) fn stack(layers: &[LayerFacts]) -> Inventory {
    let stored: Vec<LayerFacts> =
        layers.iter().map(|layer| LayerFacts::from_bytes(&layer.to_bytes()).unwrap()).collect();
    assert_eq!(stored, layers);
    combine(&stored).unwrap()
}

pub(crate) fn names(inventory: &Inventory, ecosystem: Ecosystem) -> Vec<String> {
    inventory.of(ecosystem).map(|package| format!("{} {}", package.name, package.version)).collect()
}

const DEBIAN: (&str, &str) =
    ("usr/lib/os-release", "PRETTY_NAME=\"Distroless\"\nID=\"debian\"\nVERSION_ID=\"13\"\n");
const ZLIB: (&str, &str) = (
    "var/lib/dpkg/status.d/zlib1g",
    "Package: zlib1g\nSource: zlib (1:1.3-1)\nVersion: 1:1.3-1+b1\nArchitecture: amd64\nDepends: libc6 (>= 2.14), a | libc6:any\nDescription: x\n y",
);
const LIBC: (&str, &str) =
    ("var/lib/dpkg/status.d/libc6", "Package: libc6\nVersion: 2.41-12\nArchitecture: amd64\n");

#[test]
fn reads_debian_packages_of_both_kinds() {
    let distroless =
        stack(&[files(&[DEBIAN, ZLIB, LIBC, ("var/lib/dpkg/status.d/libc6.md5sums", "aa  usr/lib/x")])]);
    assert_eq!(names(&distroless, Ecosystem::Deb), ["libc6 2.41-12", "zlib1g 1:1.3-1+b1"]);
    let zlib = &distroless.packages[1];
    assert_eq!(zlib.advisory_name(), "zlib");
    assert_eq!(zlib.advisory_version(), "1:1.3-1");
    assert_eq!(zlib.distro.as_deref(), Some("debian-13"));
    assert_eq!(zlib.depends_on, [distroless.packages[0].key()]);
    assert!(distroless.unread.is_empty(), "{:?}", distroless.unread);

    let status = "Package: a\nStatus: install ok installed\nVersion: 1\n\nPackage: b\nStatus: deinstall ok config-files\nVersion: 1\n\nPackage: c\nStatus: install ok installed\n";
    let full = stack(&[files(&[DEBIAN, ("var/lib/dpkg/status", status)])]);
    assert_eq!(names(&full, Ecosystem::Deb), ["a 1"]);
    assert!(full.unread[0].why.contains("no version"), "{:?}", full.unread);
}

#[test]
fn reads_alpine_packages_and_rolling_distributions() {
    let installed =
        "C:Q1abc=\nP:libcrypto3\nV:3.3.2-r1\nA:x86_64\nL:Apache-2.0\no:openssl\nF:lib\nR:libcrypto.so.3\n\n";
    let inventory = stack(&[files(&[
        ("etc/os-release", "ID=wolfi\nVERSION_ID=\"20230201\"\n"),
        ("usr/lib/apk/db/installed", installed),
    ])]);
    assert_eq!(inventory.packages[0].advisory_name(), "openssl");
    assert_eq!(
        inventory.packages[0].key(),
        "pkg:apk/wolfi/libcrypto3@3.3.2-r1?arch=x86_64&distro=wolfi&upstream=openssl"
    );
}

#[test]
fn a_distribution_without_packages_is_not_clean() {
    let inventory = stack(&[files(&[DEBIAN])]);
    assert_eq!(inventory.unread.len(), 1);
    let unknown = stack(&[files(&[("app/main.js", "1")])]);
    assert_eq!(unknown.unread[0].why, "none of its 2 files and folders says which package it belongs to");
    assert_eq!(stack(&[files(&[])]).unread[0].why, "its layers hold no files");
    assert_eq!(stack(&[]).unread[0].why, "it has no layers");
    assert!(
        stack(&[files(&[("app/node_modules/a/package.json", r#"{"name": "a", "version": "1.0.0"}"#)])])
            .unread
            .is_empty()
    );
}

#[test]
fn reads_installed_npm_packages_and_nothing_beside_them() {
    let inventory = stack(&[files(&[
        ("app/package.json", r#"{"name":"app","version":"1.0.0","dependencies":{"express":"^5"}}"#),
        (
            "app/node_modules/.package-lock.json",
            r#"{"packages":{"node_modules/jest":{"dev":true},"node_modules/express":{"integrity":"sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk="}}}"#,
        ),
        (
            "app/node_modules/express/package.json",
            r#"{"name":"express","version":"5.1.0","license":"MIT","dependencies":{"@a/b":"1","no":"1"}}"#,
        ),
        ("app/node_modules/express/test/fixtures/package.json", r#"{"name":"evil","version":"0.0.1"}"#),
        (
            "app/node_modules/@a/b/package.json",
            r#"{"name":"@a/b","version":"1.0.0","license":{"type":"ISC"},"author":[1]}"#,
        ),
        (
            "app/node_modules/jest/package.json",
            "{\"name\":\"jest\",\"version\":\"29.0.0\",\"licenses\":[{\"type\":\"MIT\"},\"BSD-2-Clause\"]}",
        ),
        ("app/node_modules/broken/package.json", "{\"name\":"),
        ("opt/template/package.json", r#"{"name":"template","version":"1.0.0"}"#),
    ])]);
    assert_eq!(
        names(&inventory, Ecosystem::Npm),
        ["@a/b 1.0.0", "app 1.0.0", "express 5.1.0", "jest 29.0.0"]
    );
    let by = |name: &str| inventory.packages.iter().find(|package| package.name == name).unwrap();
    assert_eq!(by("app").depends_on, ["pkg:npm/express@5.1.0"]);
    assert_eq!(by("express").depends_on, ["pkg:npm/%40a/b@1.0.0"]);
    assert!(by("jest").dev && !by("express").dev);
    assert_eq!(by("express").checksums[0].hex(), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    assert_eq!(by("jest").licence.as_ref().unwrap().spdx.as_deref(), Some("(MIT OR BSD-2-Clause)"));
    assert_eq!(inventory.unread.len(), 1);
    assert_eq!(inventory.unread[0].path, "app/node_modules/broken/package.json");
}

#[test]
fn follows_the_links_of_pnpm() {
    let facts = layer(|tree| {
        for (path, text) in [
            ("app/package.json", r#"{"name":"app","dependencies":{"a":"1"}}"#),
            (
                "app/node_modules/.pnpm/a@1/node_modules/a/package.json",
                r#"{"name":"a","version":"1.0.0","dependencies":{"b":"1"}}"#,
            ),
            ("app/node_modules/.pnpm/b@1/node_modules/b/package.json", r#"{"name":"b","version":"1.0.0"}"#),
        ] {
            tree.insert_file(path, 0o644, text.as_bytes()).unwrap();
        }
        tree.insert_symlink("app/node_modules/a", ".pnpm/a@1/node_modules/a").unwrap();
        tree.insert_symlink("app/node_modules/.pnpm/a@1/node_modules/b", "../../b@1/node_modules/b").unwrap();
    });
    let inventory = stack(&[facts]);
    assert_eq!(names(&inventory, Ecosystem::Npm), ["a 1.0.0", "app ", "b 1.0.0"]);
    assert_eq!(inventory.packages[0].depends_on, ["pkg:npm/b@1.0.0"]);
    assert_eq!(inventory.packages[1].depends_on, ["pkg:npm/a@1.0.0"]);
}

#[test]
fn finds_node_and_its_openssl_across_reads() {
    let mut binary = vec![1_u8; 3 << 20];
    for (at, text) in [((128 << 10) - 5, "node.js/v24.1.0\0"), (1 << 20, "OpenSSL 3.0.16 11 Feb 2025\0")] {
        binary[at..at + text.len()].copy_from_slice(text.as_bytes());
    }
    let facts = layer(|tree| tree.insert_file("nodejs/bin/node", 0o755, binary).unwrap());
    let inventory = stack(&[facts]);
    let node = inventory.node().next().unwrap();
    assert_eq!((node.version.as_str(), node.part("openssl")), ("24.1.0", Some("3.0.16")));

    // Debian's, which its program loads.
    let mut library = vec![1_u8; 2 << 20];
    library[1000..1017].copy_from_slice(b"node.js/v18.20.4\0");
    let debian = stack(&[layer(|tree| {
        let status = "Package: nodejs\nStatus: install ok installed\nVersion: 18.20.4+dfsg-1\n";
        tree.insert_file("var/lib/dpkg/status", 0o644, status.as_bytes()).unwrap();
        tree.insert_file("usr/lib/x86_64-linux-gnu/libnode.so.108", 0o644, library).unwrap();
    })]);
    let node = debian.node().next().unwrap();
    assert_eq!((node.version.as_str(), node.owner.as_deref()), ("18.20.4", Some("nodejs")));

    let silent =
        stack(&[layer(|tree| tree.insert_file("usr/bin/node", 0o755, vec![0_u8; 2 << 20]).unwrap())]);
    assert_eq!(silent.unread[0].reader, "node-binary");
}

#[test]
pub(crate) fn names_what_matters_for_hardening() {
    let facts = layer(|tree| {
        tree.insert_file("bin/busybox", 0o755, *b"x").unwrap();
        tree.insert_symlink("bin/sh", "busybox").unwrap();
        tree.insert_file("usr/bin/su", 0o4755, *b"x").unwrap();
        tree.insert_file("usr/local/bin/npm", 0o755, *b"x").unwrap();
        tree.insert_file("app/node_modules/.bin/npm", 0o755, *b"x").unwrap();
        tree.insert_file("app/dist/main.js.map", 0o666, *b"x").unwrap();
        tree.insert_dir("tmp", 0o1777).unwrap();
    });
    let found = stack(&[facts]).indicators;
    let shown: Vec<String> =
        found.iter().map(|found| format!("{} {}", found.kind.as_str(), found.place.path)).collect();
    assert_eq!(
        shown,
        [
            "shell bin/busybox",
            "shell bin/sh",
            "package-manager usr/local/bin/npm",
            "set-uid usr/bin/su",
            "world-writable app/dist/main.js.map",
            "source-map app/dist/main.js.map"
        ]
    );
}

#[test]
fn a_later_layer_replaces_and_removes() {
    let lower = layer(|tree| {
        tree.insert_file("usr/bin/su", 0o4755, *b"x").unwrap();
        tree.insert_file("bin/sh", 0o755, *b"x").unwrap();
        tree.insert_file("app/.env", 0o644, *b"DB_PASSWORD=hunter2!x\n").unwrap();
        tree.insert_file("app/node_modules/a/package.json", 0o644, *br#"{"name":"a","version":"1.0.0"}"#)
            .unwrap();
        tree.insert_file("lib/node_modules/b/package.json", 0o644, *br#"{"name":"b","version":"1.0.0"}"#)
            .unwrap();
    });
    let upper = layer(|tree| {
        tree.insert_file("usr/bin/su", 0o755, *b"x").unwrap();
        tree.insert_file("bin/.wh.sh", 0o644, *b"").unwrap();
        tree.insert_file("app/.wh..wh..opq", 0o644, *b"").unwrap();
        tree.insert_symlink("lib", "usr/lib").unwrap();
    });
    let inventory = stack(&[lower.clone(), upper]);
    let seen: Vec<_> =
        inventory.indicators.iter().map(|one| (one.place.path.as_str(), one.deleted)).collect();
    assert_eq!(seen, [("bin/sh", true), ("usr/bin/su", true)]);
    assert!(inventory.packages.is_empty(), "{:?}", inventory.packages);
    assert_eq!(inventory.secrets.len(), 1);
    assert!(inventory.secrets[0].deleted && inventory.secrets[0].place.layer == Some(lower.digest));
    assert_eq!(
        stack(&[lower]).indicators.iter().map(|found| found.kind).collect::<Vec<_>>(),
        [IndicatorKind::Shell, IndicatorKind::SetUid]
    );
}

/// Made up at test time, so that no scanner takes the source for a leak.
fn token(prefix: &str, length: usize) -> String {
    let random = "aB3dE5fG7hJ9kL2mN4pQ6rS8tU1vW0xYzAcCeEgGiI";
    format!("{prefix}{}", &random[..length])
}

#[test]
fn finds_credentials_and_shows_none() {
    let key = format!("-----BEGIN RSA PRIVATE KEY-----\n{}\n{}\n", token("MII", 40), token("x", 40));
    let escaped =
        format!("const k = \"-----BEGIN PRIVATE KEY-----\\n{}{}\\n\"", token("MII", 40), token("x", 30));
    let npm = format!("let t='{}';", token("npm_", 36));
    let aws = "AKIAQ3EGRJ5TKWXYZ2B7 ";
    let npmrc = format!("//r.example/:_authToken={}\n//x/:_authToken=${{NPM_TOKEN}}\n", token("abc", 20));
    let facts = files(&[
        ("app/key.pem", &key),
        ("app/a.js", &escaped),
        ("app/b.js", &npm),
        ("app/c.txt", aws),
        ("app/.npmrc", &npmrc),
        (
            "app/.env",
            "A_TOKEN=\nB_SECRET=changeme\nC_SECRET=${X}\nDATABASE_URL=postgres://u:p4ssw0rd@h/db\nexport API_KEY='12345678'\n",
        ),
        ("app/.env.example", "API_KEY=12345678\n"),
        (
            "app/npm.js",
            "npm_config_registry npm_package_version npm_lifecycle_event_is_a_long_name_of_things AKIAIOSFODNN7EXAMPLE ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx1",
        ),
        ("app/doc.md", "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----"),
    ]);
    let inventory = stack(&[facts]);
    let shown: Vec<String> = inventory
        .secrets
        .iter()
        .map(|secret| format!("{} {} {}", secret.rule, secret.place.path, secret.shown))
        .collect();
    assert_eq!(
        shown,
        [
            "aws-access-key app/c.txt AKIA… (20 characters)",
            "env-file app/.env API_KEY=… (8 characters)",
            "env-file app/.env DATABASE_URL=… (26 characters)",
            "npm-token app/b.js npm_… (40 characters)",
            "npmrc-token app/.npmrc //r.example/:_authToken=… (23 characters)",
            "private-key app/a.js -----BEGIN … PRIVATE KEY-----",
            "private-key app/key.pem -----BEGIN … PRIVATE KEY-----",
        ]
    );
    let all = format!("{inventory:?}");
    assert!(!all.contains("p4ssw0rd") && !all.contains(&token("npm_", 36)) && !all.contains("12345678"));
}

#[test]
fn finds_credentials_in_the_configuration() {
    let text = r#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]},
        "config":{"Env":["PATH=/bin","JWT_SECRET=s3cr3tvalue","SECRET_FILE=/run/secrets/x"]},
        "history":[{"created_by":"RUN |1 NPM_TOKEN=abcdefgh1 /bin/sh -c npm ci"}]}"#;
    let found = secrets_in_config(&serde_json::from_str(text).unwrap());
    let paths: Vec<&str> = found.iter().map(|secret| secret.place.path.as_str()).collect();
    assert_eq!(paths, ["config.Env[1]", "history[0].created_by"]);
}

proptest::proptest! {
    #[test]
    fn hostile_files_never_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300), text in "[A-Za-z:\\{\\}\\[\\]\",\n =._-]{0,200}") {
        for path in ["var/lib/dpkg/status", "lib/apk/db/installed", "etc/os-release", "app/.env", "a/node_modules/b/package.json", "a/node_modules/.package-lock.json", "a/.npmrc"] {
            let inventory = combine(&[files(&[(path, &text)]), layer(|tree| tree.insert_file(path, 0o755, bytes.clone()).unwrap())]);
            let _ = inventory.unwrap();
        }
    }
}
