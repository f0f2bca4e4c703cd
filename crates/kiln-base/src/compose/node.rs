use std::sync::Arc;

use flate2::read::GzDecoder;
use kiln_rootfs::{Content, Entry, Kind, RootPath, Tree};

use crate::error::{Error, ErrorKind};
use crate::lock::NpmPin;
use crate::source::Fetch;
use crate::{deb, elf};

/// What the npm package with the Node binary holds.
pub(super) struct Files {
    name: String,
    program: Arc<[u8]>,
    license: Arc<[u8]>,
    headers: Vec<(RootPath, Arc<[u8]>)>,
    pub(super) stripped: bool,
}

impl Files {
    pub(super) fn read(pin: &NpmPin, source: &dyn Fetch) -> Result<Self, Error> {
        let name = format!("{} {}", pin.name, pin.version);
        let missing =
            |what: &str| ErrorKind::Package { name: name.clone(), why: format!("it has no {what}") };
        let (mut program, mut license, mut headers) = (None, None, Vec::new());
        for TarballFile { path, bytes, .. } in tarball(pin, source)? {
            match path.as_str() {
                "bin/node" => program = Some(bytes),
                "LICENSE" => license = Some(bytes),
                text if text.starts_with("include/") => headers.push((path, bytes)),
                _ => {}
            }
        }
        let program = program.ok_or_else(|| missing("bin/node"))?;
        let license = license.ok_or_else(|| missing("LICENSE"))?;
        let small = elf::strip(&program);
        let stripped = small.is_some();
        Ok(Self { program: small.map_or(program, Into::into), license, headers, stripped, name })
    }

    /// The layer of Node in a base that is shipped.
    pub(super) fn runtime(self) -> Result<Tree, Error> {
        let mut tree = Tree::new();
        let failed = Error::tree(&self.name);
        tree.insert_file("nodejs/bin/node", 0o755, self.program).map_err(&failed)?;
        tree.insert_file("nodejs/LICENSE", 0o644, self.license).map_err(&failed)?;
        tree.insert_symlink("usr/local/bin/node", "/nodejs/bin/node").map_err(&failed)?;
        Ok(tree)
    }

    /// Node with its headers below `/usr/local`, and by the path it has in the base that is shipped.
    pub(super) fn builder(self, tree: &mut Tree) -> Result<(), Error> {
        let failed = Error::tree(&self.name);
        tree.insert_file("usr/local/bin/node", 0o755, self.program).map_err(&failed)?;
        tree.insert_symlink("nodejs/bin/node", "/usr/local/bin/node").map_err(&failed)?;
        tree.insert_file("nodejs/LICENSE", 0o644, self.license).map_err(&failed)?;
        for (path, bytes) in self.headers {
            tree.insert_file(&format!("usr/local/{path}"), 0o644, bytes).map_err(&failed)?;
        }
        Ok(())
    }
}

/// A file of an npm tarball.
pub(super) struct TarballFile {
    pub(super) path: RootPath,
    pub(super) bytes: Arc<[u8]>,
    pub(super) executable: bool,
}

/// The files of an npm tarball without their common first directory.
pub(super) fn tarball(pin: &NpmPin, source: &dyn Fetch) -> Result<Vec<TarballFile>, Error> {
    let item = pin.item();
    let bytes = crate::resolve::read_checked(&item, source)?;
    let entries = deb::read_tar(&item.name, GzDecoder::new(&bytes[..]))?;
    let file = |(path, entry): (RootPath, Entry)| {
        let Kind::File(Content::Bytes(bytes)) = entry.kind else { return None };
        let (_, below) = path.as_str().split_once('/')?;
        let executable = entry.attrs.mode & 0o111 != 0;
        Some(TarballFile { path: RootPath::new(below).ok()?, bytes, executable })
    };
    Ok(entries.into_iter().filter_map(file).collect())
}
