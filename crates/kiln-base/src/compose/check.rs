//! What must hold of a base, whatever its packages brought.

use std::collections::BTreeSet;

use kiln_rootfs::{Content, Kind, Tree};

use crate::elf;
use crate::error::{Error, ErrorKind};

/// Programs that a base which is shipped must not hold.
const SHELLS: [&str; 10] = ["sh", "bash", "dash", "ash", "zsh", "busybox", "apt", "apt-get", "dpkg", "npm"];

fn refuse(why: String) -> Error {
    ErrorKind::Compose { why }.into()
}

/// No shell, no package manager, nothing setuid, and every library there.
pub(super) fn runtime(os: &Tree, node: &Tree) -> Result<(), Error> {
    for (path, entry) in os.iter().chain(node.iter()) {
        if entry.attrs.mode & 0o6000 != 0 {
            return Err(refuse(format!("{path} is setuid or setgid")));
        }
        let in_bin =
            path.parent().is_some_and(|parent| parent.file_name() == "bin" || parent.file_name() == "sbin");
        if in_bin && SHELLS.contains(&path.file_name()) {
            return Err(refuse(format!("{path} is a shell or a package manager")));
        }
    }
    libraries([os, node])
}

/// Every library that a program or library of the base asks for is in the base.
pub(super) fn libraries<'a>(trees: impl IntoIterator<Item = &'a Tree> + Clone) -> Result<(), Error> {
    let entries = || trees.clone().into_iter().flat_map(Tree::iter);
    let names: BTreeSet<&str> = entries()
        .filter(|(_, entry)| !matches!(entry.kind, Kind::Dir))
        .map(|(path, _)| path.file_name())
        .collect();
    for (path, entry) in entries() {
        let Kind::File(Content::Bytes(bytes)) = &entry.kind else { continue };
        for library in elf::needed(bytes).unwrap_or_default() {
            if !names.contains(&*library) {
                return Err(refuse(format!("{path} needs the library {library}, which no package brings")));
            }
        }
    }
    Ok(())
}
