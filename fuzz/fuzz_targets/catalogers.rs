#![no_main]
//! Files that catalogers read, alone in a layer: package databases, lists of files, lock files, package.json, copyright, credentials, archives of Java,
//! yarn's tables.

use kiln_inventory::{cataloger_examples, combine, scan_layer};
use kiln_oci::Digest;
use kiln_rootfs::{LayerReader, Limits};
use libfuzzer_sys::fuzz_target;

/// Kept inputs begin with a number of this list, so it stays as it is; paths of catalogers that came later are in every layer.
const PATHS: [&str; 17] = [
    "app/.env",
    "app/.npmrc",
    "app/.pnp.cjs",
    "app/.pnp.data.json",
    "app/a-1.0.jar",
    "app/a.ear",
    "app/node_modules/.package-lock.json",
    "app/node_modules/a/package.json",
    "app/package-lock.json",
    "etc/os-release",
    "lib/apk/db/installed",
    "usr/lib/python3/a-1.dist-info/METADATA",
    "usr/share/doc/a/copyright",
    "var/lib/dpkg/info/a.list",
    "var/lib/dpkg/status",
    "var/lib/dpkg/status.d/a",
    "var/lib/dpkg/status.d/a.md5sums",
];

fuzz_target!(|bytes: &[u8]| {
    let Some((first, content)) = bytes.split_first() else { return };
    let path = PATHS[usize::from(*first) % PATHS.len()];
    let later = cataloger_examples().filter(|example| !PATHS.contains(example));
    let files: Vec<_> = later.chain([path]).map(|path| (path, 0o644, content)).collect();
    let tar = kiln_fuzz::tar(&files);
    let mut layer = LayerReader::new(&tar[..], Limits::default());
    let facts = scan_layer(&mut layer, Digest::of(b"layer")).expect("the layer itself can be read");
    drop(combine(&[facts]));
});
