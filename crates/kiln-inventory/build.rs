//! The number of the catalog: facts of layers are kept for as long as the code and the data that read them are what they were.

use std::fs;
use std::io;
use std::path::Path;

fn main() -> io::Result<()> {
    let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
    // Manifests, packages, entries of layers and checksums are read and written elsewhere.
    for folder in [
        "data",
        "src",
        "../kiln-node/data",
        "../kiln-node/src",
        "../kiln-pkg/src",
        "../kiln-rootfs/src",
        "../kiln-text/src",
    ] {
        add(Path::new(folder), &mut hash)?;
    }
    println!("cargo::rustc-env=KILN_CATALOG={}", hash.0);
    Ok(())
}

/// Everything below a path, in the order of names; tests read no layer of anybody's.
fn add(path: &Path, hash: &mut Fnv) -> io::Result<()> {
    println!("cargo::rerun-if-changed={}", path.display());
    if path.is_dir() {
        let entries = fs::read_dir(path)?.map(|entry| Ok(entry?.path()));
        let mut paths = entries.collect::<io::Result<Vec<_>>>()?;
        paths.sort();
        return paths.iter().try_for_each(|path| add(path, hash));
    }
    if path.iter().all(|part| part != "tests" && part != "tests.rs") {
        hash.add(path.as_os_str().as_encoded_bytes());
        hash.add(&fs::read(path)?);
    }
    Ok(())
}

/// FNV-1a with 64 bits. Source: draft-eastlake-fnv. It tells one state of the project from another, and guards nothing.
struct Fnv(u64);

impl Fnv {
    fn add(&mut self, bytes: &[u8]) {
        // The length keeps what ends here apart from what begins there.
        for byte in (bytes.len() as u64).to_le_bytes().iter().chain(bytes) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}
