//! Programs that say what they were built of, and Python packages.

use std::io::Write as _;

use kiln_pkg::{Ecosystem, Inventory};

use super::{files, layer, names, stack};

const START: &[u8] = b"\x30\x77\xaf\x0c\x92\x74\x08\x02\x41\xe1\xc1\x07\xe6\xd6\x18\xe6";
const END: &[u8] = b"\xf9\x32\x43\x31\x86\x18\x20\x72\x00\x82\x42\x10\x41\x16\xd8\xf2";
const MODULES: &str = "path\texample.invalid/app\nmod\texample.invalid/app\t(devel)\t\ndep\tgolang.org/x/net\tv0.1.0\th1:x=\ndep\told.invalid/a\tv1.0.0\n=>\tnew.invalid/a\tv1.2.0\th1:y=\nbuild\tvcs.revision=0123456789abcdef0123\nbuild\tvcs.time=2026-01-02T03:04:05Z\n";

/// A program with `pieces` at these places.
fn program(pieces: &[(usize, &[u8])]) -> Inventory {
    let mut bytes = vec![0_u8; 600_000];
    bytes[..4].copy_from_slice(b"\x7fELF");
    for (at, piece) in pieces {
        bytes[*at..*at + piece.len()].copy_from_slice(piece);
    }
    stack(&[layer(|tree| tree.insert_file("usr/bin/app", 0o755, bytes).unwrap())])
}

fn header(flags: u8) -> Vec<u8> {
    let mut header = b"\xff Go buildinf:\x08".to_vec();
    header.push(flags);
    header.resize(32, 0);
    header.extend_from_slice(b"\x08go1.24.3");
    header
}

fn text(modules: &str) -> Vec<u8> {
    [START, modules.as_bytes(), END].concat()
}

#[test]
fn reads_what_a_go_program_was_built_of() {
    // Across the borders of what is read at once.
    for at in [400_000, (128 << 10) - 7, (128 << 10) - 200] {
        let inventory = program(&[(at - 300, &header(2)), (at, &text(MODULES))]);
        assert_eq!(
            names(&inventory, Ecosystem::Go),
            [
                "example.invalid/app v0.0.0-20260102030405-0123456789ab",
                "golang.org/x/net v0.1.0",
                "new.invalid/a v1.2.0",
                "stdlib 1.24.3"
            ],
            "{at}"
        );
        assert!(inventory.unread.is_empty());
    }
    // The linker may put the text before the header, near or far.
    for at in [100_000, 5000] {
        let first = program(&[(1000, &text(MODULES)), (at, &header(2))]);
        assert_eq!(names(&first, Ecosystem::Go).len(), 4);
    }
    // Before Go 1.18 the header points elsewhere: the modules are found, the version of Go is said to be missing.
    let old = program(&[(1000, &header(0)), (5000, &text(MODULES))]);
    assert_eq!(names(&old, Ecosystem::Go).len(), 3);
    assert!(old.unread[0].why.contains("version of the Go"), "{:?}", old.unread);
    // Without the header, as esbuild is built, the version stands alone; of two nobody knows which it is.
    let bare = program(&[(1000, b"\0go1.25.7\0"), (90_000, b"xgo1.2.3\0"), (140_000, &text(MODULES))]);
    assert!(names(&bare, Ecosystem::Go).contains(&"stdlib 1.25.7".to_owned()) && bare.unread.is_empty());
    let two = program(&[(1000, b"\0go1.25.7\0"), (5000, b"\0go1.24.1\0"), (9000, &text(MODULES))]);
    assert!(two.unread[0].why.contains("version of the Go"), "{:?}", two.unread);
    let endless = program(&[(1000, &header(2)), (5000, START)]);
    assert!(endless.unread[0].why.contains("no end"), "{:?}", endless.unread);
}

#[test]
fn reads_what_an_auditable_rust_program_was_built_of() {
    let list = r#"{"packages":[{"name":"app","version":"0.1.0","source":"local","dependencies":[1],"root":true},{"name":"libc","version":"0.2.100","source":"crates.io"},{"name":"cc","version":"1.0.0","source":"crates.io","kind":"build"}]}"#;
    for at in [5000, (128 << 10) - 5, 599_000] {
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        zlib.write_all(list.as_bytes()).unwrap();
        let inventory = program(&[(300, b"\x78\x9c\x00"), (at, &zlib.finish().unwrap())]);
        assert_eq!(names(&inventory, Ecosystem::Cargo), ["app 0.1.0", "cc 1.0.0", "libc 0.2.100"], "{at}");
        let by = |name: &str| inventory.packages.iter().find(|package| package.name == name).unwrap();
        assert_eq!(by("app").depends_on, [by("libc").key()]);
        assert!(by("cc").dev);
    }
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    zlib.write_all(format!("{}{}", list.trim_end_matches("]}"), "x".repeat(200)).as_bytes()).unwrap();
    let broken = program(&[(5000, &zlib.finish().unwrap())]);
    assert!(broken.unread[0].why.contains("Rust crates"), "{:?}", broken.unread);
}

#[test]
fn reads_installed_python_packages() {
    let inventory = stack(&[files(&[
        (
            "usr/lib/python3/site-packages/Jinja2-3.1.0.dist-info/METADATA",
            "Metadata-Version: 2.1\nName: Jinja2\nVersion: 3.1.0\nLicense-Expression: BSD-3-Clause\nRequires-Dist: MarkupSafe>=2.0\nRequires-Dist: Babel>=2.7; extra == 'i18n'\n\nName: evil\n\nName: evil\nVersion: 1\n",
        ),
        ("usr/lib/python3/site-packages/markup_safe-2.1.egg-info", "Name: Markup.Safe\nVersion: 2.1\n"),
        (
            "usr/lib/python3/site-packages/markupsafe-2.2.egg-info/PKG-INFO",
            "Name: markupsafe\nVersion: 2.2\n",
        ),
        ("usr/lib/python3/site-packages/x-1.dist-info/METADATA", "Summary: nothing\n"),
    ])]);
    assert_eq!(names(&inventory, Ecosystem::PyPi), ["Jinja2 3.1.0", "Markup.Safe 2.1", "markupsafe 2.2"]);
    assert_eq!(inventory.packages[0].depends_on, ["pkg:pypi/markupsafe@2.2"]);
    assert_eq!(inventory.packages[0].key(), "pkg:pypi/jinja2@3.1.0");
    assert_eq!(inventory.unread.len(), 1);
}
