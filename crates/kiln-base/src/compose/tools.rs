use std::collections::BTreeMap;

use kiln_rootfs::{RootPath, Tree};
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
