use std::collections::BTreeMap;

use kiln_rootfs::{RootPath, Tree};
use kiln_text::Checksum;
use serde::Deserialize;

use super::node::{TarballFile, tarball};
use crate::error::{Error, ErrorKind};
use crate::lock::NpmPin;
use crate::source::Fetch;

#[derive(Deserialize)]
struct Package {
    #[serde(default)]
    bin: Bin,
}

/// Source: npm docs, package.json "bin".
#[derive(Deserialize)]
#[serde(untagged)]
enum Bin {
    One(String),
    Many(BTreeMap<String, String>),
}

impl Default for Bin {
    fn default() -> Self {
        Self::Many(BTreeMap::new())
    }
}

/// Installs a package manager below `/usr/local/lib/node_modules`, with its programs in `/usr/local/bin`.
pub(super) fn install(tree: &mut Tree, pin: &NpmPin, source: &dyn Fetch) -> Result<(), Error> {
    let name = format!("{} {}", pin.name, pin.version);
    let failed = Error::tree(&name);
    let wrong = |why: String| -> Error { ErrorKind::Package { name: name.clone(), why }.into() };
    let files = tarball(pin, source)?;
    let manifest = files.iter().find(|file| file.path.as_str() == "package.json");
    let manifest = manifest.ok_or_else(|| wrong("it has no package.json".to_owned()))?;
    let package: Package = serde_json::from_slice(&manifest.bytes)
        .map_err(|error| wrong(format!("its package.json is no good: {error}")))?;
    let programs = match package.bin {
        Bin::One(path) => BTreeMap::from([(pin.name.clone(), path)]),
        // The packages that hold bun itself do not name it.
        Bin::Many(programs) if programs.is_empty() && pin.name.starts_with("@oven/bun-") => {
            BTreeMap::from([("bun".to_owned(), "bin/bun".to_owned())])
        }
        Bin::Many(programs) => programs,
    };
    let home =
        RootPath::new("usr/local/lib/node_modules").and_then(|all| all.join(&pin.name)).map_err(&failed)?;
    for TarballFile { path, bytes, executable } in files {
        let mode = if executable { 0o755 } else { 0o644 };
        tree.insert_file(&format!("{home}/{path}"), mode, bytes).map_err(&failed)?;
    }
    for (program, path) in programs {
        let target = home.join(&path).map_err(&failed)?;
        let Some(entry) = tree.get_mut(&target) else {
            return Err(wrong(format!("its program {program} is `{path}`, which it does not hold")));
        };
        entry.attrs.mode = 0o755;
        if program.contains('/') {
            return Err(wrong(format!("its program is called `{program}`")));
        }
        tree.insert_symlink(&format!("usr/local/bin/{program}"), &format!("/{target}")).map_err(&failed)?;
    }
    Ok(())
}

/// Checks that the program of a package is what `packageManager` says behind `+`: `sha512.c0ffee`, of the file that corepack runs.
/// Source: corepack, `corepackUtils.ts`.
pub fn check_program(pin: &NpmPin, file: &str, hash: &str, source: &dyn Fetch) -> Result<(), Error> {
    let wrong = |why: String| -> Error {
        ErrorKind::Package { name: format!("{} {}", pin.name, pin.version), why }.into()
    };
    let wanted = hash
        .split_once('.')
        .and_then(|(algorithm, digits)| Checksum::from_hex(algorithm, digits))
        .ok_or_else(|| {
        wrong(format!("packageManager gives `{hash}` for it, which is no hash that kiln knows"))
    })?;
    let files = tarball(pin, source)?;
    let program = files.iter().find(|one| one.path.as_str() == file);
    let program = program.ok_or_else(|| wrong(format!("it has no {file}")))?;
    let found = wanted.algorithm().of(&program.bytes);
    if found == wanted {
        return Ok(());
    }
    Err(wrong(format!("packageManager gives another hash for it: its {file} has {found}")))
}
