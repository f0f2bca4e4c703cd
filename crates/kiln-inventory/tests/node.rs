//! What is read from a real Node.js, compared with what it says of itself.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::Command;

use kiln_inventory::{combine, scan_layer};
use kiln_oci::Digest;
use kiln_rootfs::{LayerReader, Limits, Tree, write_tar};

/// `KILN_NODE`, or the Node.js of this machine.
fn node() -> Option<(std::path::PathBuf, BTreeMap<String, String>)> {
    let program = std::env::var("KILN_NODE").unwrap_or_else(|_| "node".to_owned());
    let script = "console.log(JSON.stringify([process.execPath, process.versions]))";
    let output = Command::new(program).args(["-e", script]).output().ok()?;
    let (path, versions): (String, _) = serde_json::from_slice(&output.stdout).ok()?;
    Some((path.into(), versions))
}

#[test]
fn what_is_built_in_is_what_node_says() {
    let Some((path, versions)) = node() else {
        drop(writeln!(std::io::stderr(), "skipped: what_is_built_in_is_what_node_says: no node here"));
        return;
    };
    let mut tree = Tree::new();
    tree.insert_file("bin/node", 0o755, std::fs::read(path).unwrap()).unwrap();
    let tar = write_tar(&tree, Vec::new(), 0).unwrap();
    let facts = scan_layer(&mut LayerReader::new(&tar[..], Limits::default()), Digest::of(b"x")).unwrap();
    let inventory = combine(&[facts]).unwrap();
    let package = inventory.node().next().unwrap();
    assert_eq!(package.version, versions["node"]);
    assert!(!package.parts.is_empty());
    for part in &package.parts {
        // zlib's own notice has no name of the fork.
        assert!(versions[&part.name].starts_with(&part.version), "{part:?} but {}", versions[&part.name]);
    }
    drop(writeln!(std::io::stderr(), "{} parts of {}", package.parts.len(), package.version));
}
