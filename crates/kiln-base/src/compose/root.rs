use std::collections::BTreeMap;

use kiln_oci::Arch;
use kiln_rootfs::{Attrs, Content, Entry, Kind, RootPath, Tree};

use super::pattern::Filter;
use crate::deb::Deb;
use crate::error::{Error, ErrorKind};

/// Links between directories that may be followed on the way to one path.
const LINKS_MAX: usize = 16;

/// A root filesystem into which packages are unpacked; their scripts are never run.
pub(super) struct Root {
    tree: Tree,
    filter: Filter,
    certificates: BTreeMap<RootPath, Vec<u8>>,
}

impl Root {
    /// A root whose `/bin`, `/sbin` and `/lib` are links into `/usr`, as Debian's are.
    pub(super) fn new(filter: Filter, arch: Arch) -> Result<Self, Error> {
        let mut tree = Tree::new();
        let mut merged = vec!["bin", "lib", "sbin"];
        merged.extend((arch == Arch::Amd64).then_some("lib64"));
        for name in merged {
            tree.insert_dir(&format!("usr/{name}"), 0o755).map_err(Error::tree("the root"))?;
            tree.insert_symlink(name, &format!("usr/{name}")).map_err(Error::tree("the root"))?;
        }
        Ok(Self { tree, filter, certificates: BTreeMap::new() })
    }

    /// Unpacks a package, and registers it where scanners look.
    pub(super) fn install(&mut self, name: &str, deb: &Deb) -> Result<(), Error> {
        for (path, entry) in &deb.files {
            let place = self.resolve(name, path)?;
            if place.as_str().starts_with("usr/share/ca-certificates/")
                && let Kind::File(Content::Bytes(bytes)) = &entry.kind
            {
                self.certificates.insert(place.clone(), bytes.to_vec());
            }
            if self.keeps(&place, entry) {
                self.place(name, place, entry, deb)?;
            }
        }
        let status = format!("var/lib/dpkg/status.d/{name}");
        let failed = Error::tree(name);
        self.tree.insert_file(&status, 0o644, deb.control.clone().into_bytes()).map_err(&failed)?;
        if !deb.md5sums.is_empty() {
            let sums = self.present(name, &deb.md5sums);
            self.tree.insert_file(&format!("{status}.md5sums"), 0o644, sums.into_bytes()).map_err(&failed)?;
        }
        Ok(())
    }

    /// A link at the top of the documentation leads to another package's copyright.
    fn keeps(&self, place: &RootPath, entry: &Entry) -> bool {
        let doc_link = matches!(entry.kind, Kind::Symlink(_))
            && place.parent().is_some_and(|parent| parent.as_str() == "usr/share/doc");
        !place.is_root() && (doc_link || self.filter.keeps(place))
    }

    fn place(&mut self, name: &str, place: RootPath, entry: &Entry, deb: &Deb) -> Result<(), Error> {
        let here = self.tree.get(&place).map(|entry| &entry.kind);
        if matches!((here, &entry.kind), (Some(Kind::Symlink(_)), Kind::Dir)) {
            return Ok(());
        }
        let kind = match &entry.kind {
            Kind::Hardlink(target) => {
                let there = self.resolve(name, target)?;
                match self.tree.get(&there).map(|entry| &entry.kind) {
                    Some(Kind::File(_)) => Kind::Hardlink(there),
                    _ => original(name, target, deb)?,
                }
            }
            other => other.clone(),
        };
        let mode = if matches!(kind, Kind::Symlink(_)) { 0o777 } else { entry.attrs.mode & 0o1777 };
        let attrs = Attrs { mode, uid: entry.attrs.uid, gid: entry.attrs.gid, xattrs: BTreeMap::new() };
        self.tree.insert(place, Entry { attrs, kind }).map_err(Error::tree(name))
    }

    /// Where `path` lies once the links among its parents are followed.
    fn resolve(&self, name: &str, path: &RootPath) -> Result<RootPath, Error> {
        let failed = Error::tree(name);
        let mut rest: Vec<String> = path.as_str().rsplit('/').map(str::to_owned).collect();
        let mut at = RootPath::ROOT;
        let mut links = 0;
        while let Some(part) = rest.pop() {
            if part == ".." {
                at = at.parent().unwrap_or_default();
                continue;
            }
            let next = at.join(&part).map_err(&failed)?;
            match self.tree.get(&next).map(|entry| &entry.kind) {
                Some(Kind::Symlink(target)) if !rest.is_empty() => {
                    links += 1;
                    if links > LINKS_MAX {
                        let why = format!("`{path}` lies behind too many links");
                        return Err(ErrorKind::Package { name: name.to_owned(), why }.into());
                    }
                    if target.starts_with('/') {
                        at = RootPath::ROOT;
                    }
                    let parts = target.split('/').filter(|part| !matches!(*part, "" | "."));
                    rest.extend(parts.rev().map(str::to_owned));
                }
                _ => at = next,
            }
        }
        Ok(at)
    }

    /// Those lines of a list of checksums whose files are there.
    fn present(&self, name: &str, md5sums: &str) -> String {
        let there = |line: &&str| {
            line.split_once("  ")
                .and_then(|(_, path)| RootPath::normalise(path).ok())
                .and_then(|path| self.resolve(name, &path).ok())
                .is_some_and(|path| self.tree.get(&path).is_some())
        };
        md5sums.lines().filter(there).flat_map(|line| [line, "\n"]).collect()
    }

    /// The tree, with the certificates as one bundle.
    pub(super) fn finish(mut self) -> Result<Tree, Error> {
        let mut bundle = Vec::new();
        for bytes in self.certificates.values().filter(|bytes| bytes.starts_with(b"-----BEGIN CERTIFICATE")) {
            bundle.extend_from_slice(bytes);
            if !bytes.ends_with(b"\n") {
                bundle.push(b'\n');
            }
        }
        if bundle.is_empty() {
            return Err(ErrorKind::Compose { why: "no package holds a certificate".to_owned() }.into());
        }
        let failed = Error::tree("the certificates");
        self.tree.insert_file("etc/ssl/certs/ca-certificates.crt", 0o444, bundle).map_err(failed)?;
        Ok(self.tree)
    }
}

/// The file a hard link names, where that name itself was left out.
fn original(name: &str, target: &RootPath, deb: &Deb) -> Result<Kind, Error> {
    let found = deb.files.iter().find(|(path, entry)| path == target && matches!(entry.kind, Kind::File(_)));
    found.map(|(_, entry)| entry.kind.clone()).ok_or_else(|| {
        let why = format!("a hard link names `{target}`, which is no file of the package");
        ErrorKind::Package { name: name.to_owned(), why }.into()
    })
}
