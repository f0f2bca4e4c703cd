use std::io::Read;

use jiff::Timestamp;
use kiln_oci::Arch;
use lzma_rust2::XzReader;

use crate::error::{Error, ErrorKind};
use crate::lock::Snapshot;
use crate::release::Release;
use crate::source::{Fetch, Item, Place};

const RELEASE_MAX: u64 = 8 << 20;
const INDEX_MAX: u64 = 512 << 20;
/// Dictionary of an xz stream, in KiB.
const XZ_MEMORY: u32 = 256 << 10;

/// A verified suite of an archive.
pub(crate) struct Suite {
    name: String,
    security: bool,
    release: Release,
}

impl Suite {
    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot { suite: self.name.clone(), date: self.release.date.clone() }
    }

    fn place(&self, path: &str) -> Place {
        let place = if self.security { Place::Security } else { Place::Archive };
        place(format!("dists/{}/{path}", self.name))
    }
}

/// The suites of a release: itself, its updates, and its security updates.
pub(crate) fn releases(
    codename: &str,
    source: &dyn Fetch,
    keys: &[&str],
    now: Timestamp,
) -> Result<Vec<Suite>, Error> {
    let names = [(codename.to_owned(), false), (format!("{codename}-updates"), false)];
    names
        .into_iter()
        .chain([(format!("{codename}-security"), true)])
        .map(|(name, security)| {
            let place = if security { Place::Security } else { Place::Archive };
            let bytes = source
                .document(&place(format!("dists/{name}/InRelease")), RELEASE_MAX)
                .map_err(Error::fetch(format_args!("the release file of {name}")))?;
            Ok(Suite { release: Release::read(&name, &bytes, keys, now)?, name, security })
        })
        .collect()
}

/// The text of each suite's index of packages for `arch`, and whether it is of the security archive.
pub(crate) fn indexes(
    suites: &[Suite],
    arch: Arch,
    source: &dyn Fetch,
) -> Result<Vec<(String, bool)>, Error> {
    let mut items = Vec::new();
    for suite in suites {
        items.push(item(suite, arch)?);
    }
    source.prepare(&items).map_err(Error::fetch("the package indexes"))?;
    suites.iter().zip(&items).map(|(suite, item)| Ok((text(item, source)?, suite.security))).collect()
}

fn item(suite: &Suite, arch: Arch) -> Result<Item, Error> {
    let path = format!("main/binary-{arch}/Packages.xz");
    let (integrity, size) = suite.release.file(&path)?;
    let by_hash = if suite.release.by_hash {
        format!("main/binary-{arch}/by-hash/SHA256/{}", integrity.hex())
    } else {
        path
    };
    let name = format!("the package index of {} for {arch}", suite.name);
    Ok(Item { name, place: suite.place(&by_hash), size: Some(size), integrity })
}

fn text(item: &Item, source: &dyn Fetch) -> Result<String, Error> {
    let bytes = read_checked(item, source)?;
    let mut text = String::new();
    let wrong =
        |why: String| -> Error { ErrorKind::Index { path: item.place.path().to_owned(), why }.into() };
    XzReader::new_mem_limit(&bytes[..], true, XZ_MEMORY)
        .take(INDEX_MAX + 1)
        .read_to_string(&mut text)
        .map_err(|error| wrong(error.to_string()))?;
    if text.len() as u64 > INDEX_MAX {
        return Err(wrong(format!("it is larger than {INDEX_MAX} bytes")));
    }
    Ok(text)
}

/// The bytes of `item`, after the checksum.
pub(crate) fn read_checked(item: &Item, source: &dyn Fetch) -> Result<Vec<u8>, Error> {
    let bytes = source.read(item).map_err(Error::fetch(&item.name))?;
    if item.integrity.holds(&bytes) {
        return Ok(bytes);
    }
    let actual = item.integrity.algorithm().of(&bytes);
    Err(ErrorKind::Mismatch { name: item.name.clone(), expected: item.integrity, actual }.into())
}
