//! Laws of trees and tars: what is written is read back, and no input escapes, hangs or panics.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::io::{Read, Write};

use kiln_rootfs::{
    Attrs, Content, Entry, EntryKind, Kind, LayerEntry, LayerReader, Limits, RootPath, Tree, Whiteout,
    decompress, write_tar,
};
use proptest::prelude::*;

fn read(tar: &[u8]) -> Result<Vec<(LayerEntry, Vec<u8>)>, String> {
    let mut reader = LayerReader::new(tar, Limits::default());
    let mut entries = Vec::new();
    while let Some(entry) = reader.next_entry().map_err(|error| error.to_string())? {
        let mut content = Vec::new();
        reader.read_to_end(&mut content).map_err(|error| error.to_string())?;
        entries.push((entry, content));
    }
    Ok(entries)
}

fn sample() -> Tree {
    let mut tree = Tree::new();
    tree.insert_dir("tmp", 0o1777).unwrap();
    tree.insert_file("usr/bin/node", 0o755, vec![7; 1000]).unwrap();
    tree.insert_symlink("bin", "usr/bin").unwrap();
    let long = format!("{}/ä", "d".repeat(150));
    tree.insert_file(&long, 0o600, *b"long").unwrap();
    let attrs = Attrs {
        mode: 0o644,
        uid: 65532,
        gid: 3_000_000,
        xattrs: BTreeMap::from([("user.a".to_owned(), vec![0, 1])]),
    };
    let kind = Kind::File(Content::Bytes((*b"x").into()));
    tree.insert(RootPath::new("owned").unwrap(), Entry { attrs, kind }).unwrap();
    let link =
        Entry { attrs: Attrs::root(0o755), kind: Kind::Hardlink(RootPath::new("usr/bin/node").unwrap()) };
    tree.insert(RootPath::new("usr/local/node").unwrap(), link).unwrap();
    tree
}

#[test]
fn what_is_written_is_read_back() {
    let tree = sample();
    let tar = write_tar(&tree, Vec::new(), 1).unwrap();
    let entries = read(&tar).unwrap();
    assert_eq!(entries.len(), tree.len());
    for ((path, wanted), (got, content)) in tree.iter().zip(&entries) {
        assert_eq!(path, &got.path);
        assert_eq!((wanted.attrs.mode, wanted.attrs.uid, wanted.attrs.gid), (got.mode, got.uid, got.gid));
        assert_eq!(wanted.attrs.xattrs, got.xattrs);
        match (&wanted.kind, &got.kind) {
            (Kind::File(Content::Bytes(bytes)), EntryKind::File) => assert_eq!(&bytes[..], content),
            (Kind::Dir, EntryKind::Dir) => {}
            (Kind::Symlink(wanted), EntryKind::Symlink(got)) => assert_eq!(wanted, got),
            (Kind::Hardlink(wanted), EntryKind::Hardlink(got)) => assert_eq!(wanted, got),
            (wanted, got) => panic!("{path}: {wanted:?} became {got:?}"),
        }
    }
}

#[test]
fn the_tar_command_reads_it() {
    let Ok(mut child) = std::process::Command::new("tar")
        .args(["-tvf", "-", "--numeric-owner"])
        .env("TZ", "UTC")
        .env("LC_ALL", "C.UTF-8")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
    else {
        // Past the capture of test output, for the reader of the log.
        drop(writeln!(std::io::stderr(), "skipped: the_tar_command_reads_it: no tar here"));
        return;
    };
    let tar = write_tar(&sample(), Vec::new(), 0).unwrap();
    child.stdin.take().unwrap().write_all(&tar).unwrap();
    let output = child.wait_with_output().unwrap();
    let listing = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    assert!(listing.contains("drwxrwxrwt 0/0               0 1970-01-01 00:00 tmp/"), "{listing}");
    assert!(listing.contains("65532/3000000"), "{listing}");
    assert!(listing.contains("usr/local/node link to usr/bin/node"), "{listing}");
}

#[test]
fn compressed_layers_read_the_same() {
    let tar = write_tar(&sample(), Vec::new(), 0).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, &tar).unwrap();
    for packed in [gzip.finish().unwrap(), zstd::encode_all(&tar[..], 1).unwrap(), tar.clone()] {
        let mut plain = Vec::new();
        decompress(&packed[..]).unwrap().read_to_end(&mut plain).unwrap();
        assert_eq!(plain, tar);
    }
}

/// A tar with one entry, written by the `tar` crate, which lets bad names through.
fn hostile(name: &str, kind: tar::EntryType, link: &str) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
    header.as_mut_bytes()[157..157 + link.len()].copy_from_slice(link.as_bytes());
    header.set_entry_type(kind);
    header.set_size(0);
    header.set_mode(0o644);
    header.set_cksum();
    let mut builder = tar::Builder::new(Vec::new());
    builder.append(&header, &b""[..]).unwrap();
    builder.into_inner().unwrap()
}

#[test]
fn names_that_climb_are_refused() {
    for name in ["../etc/passwd", "a/../../b", "/../x"] {
        let error = read(&hostile(name, tar::EntryType::Regular, "")).unwrap_err();
        assert!(error.contains("climbs out of the root"), "{error}");
    }
    let error = read(&hostile("a", tar::EntryType::Link, "../../etc/shadow")).unwrap_err();
    assert!(error.contains("climbs out of the root"), "{error}");
}

#[test]
fn absolute_hard_links_stay_inside() {
    let entries = read(&hostile("a", tar::EntryType::Link, "/usr/b")).unwrap();
    assert_eq!(entries[0].0.kind, EntryKind::Hardlink(RootPath::new("usr/b").unwrap()));
}

#[test]
fn whiteouts_are_told_from_files() {
    let kind = |name| read(&hostile(name, tar::EntryType::Regular, "")).unwrap()[0].0.kind.clone();
    let path = |text| RootPath::new(text).unwrap();
    assert_eq!(kind("a/.wh.b"), EntryKind::Whiteout(Whiteout::Remove(path("a/b"))));
    assert_eq!(kind("a/.wh..wh..opq"), EntryKind::Whiteout(Whiteout::Opaque(path("a"))));
    assert_eq!(kind(".wh..wh.plnk"), EntryKind::Special);
    assert!(read(&hostile("a/.wh.", tar::EntryType::Regular, "")).is_err());
    assert!(read(&hostile("a/.wh...", tar::EntryType::Regular, "")).is_err());
}

#[test]
fn limits_hold() {
    let tar = write_tar(&sample(), Vec::new(), 0).unwrap();
    for limits in [Limits { entries: 3, bytes: 1 << 20 }, Limits { entries: 100, bytes: 2000 }] {
        let mut reader = LayerReader::new(&tar[..], limits);
        let error = loop {
            match reader.next_entry() {
                Ok(entry) => assert!(entry.is_some(), "the limit was not noticed"),
                Err(error) => break error,
            }
        };
        assert!(error.to_string().contains("over the limit"), "{error}");
    }
}

#[test]
fn a_stream_cut_inside_a_file_is_no_end() {
    let mut tree = Tree::new();
    tree.insert_file("a", 0o644, vec![1; 2000]).unwrap();
    let tar = write_tar(&tree, Vec::new(), 0).unwrap();
    for length in [100, 511, 513, 2000] {
        assert!(read(&tar[..length]).is_err(), "{length}");
    }
}

proptest! {
    #[test]
    fn damaged_tars_never_panic(flips in proptest::collection::vec((0_usize..6000, any::<u8>()), 1..8)) {
        let mut tar = write_tar(&sample(), Vec::new(), 0).unwrap();
        for (at, byte) in flips {
            let length = tar.len();
            tar[at % length] = byte;
        }
        if let Ok(entries) = read(&tar) {
            for (entry, _) in entries {
                prop_assert!(entry.path.parts().all(|part| part != ".."));
            }
        }
    }
}
