//! What yarn's Plug'n'Play installs: a table that node loads first, and the archives that it names.

use kiln_rootfs::{Kind, RootPath, Tree};

use super::modules::tree_error;
use crate::{Error, content};

/// This file, which decides what is shipped.
pub(super) const CODE: &str = include_str!("pnp.rs");
const TABLE: &str = "app/.pnp.cjs";
const LOADER: &str = "app/.pnp.loader.mjs";
const ARCHIVES: &str = "app/.yarn/cache/";
/// The largest table that is read, in bytes.
const TABLE_MAX: u64 = 256 << 20;

/// Adds table, loader, and the archives that the table names. (What is unpacked has a `node_modules` around it, as others have.)
pub(super) fn add(installed: &Tree, layer: &mut Tree) -> Result<(), Error> {
    let table = table(installed)?;
    for (path, entry) in installed.iter().filter(|(_, entry)| matches!(entry.kind, Kind::File(_))) {
        let text = path.as_str();
        let is_named = |archive: &str| archive.rsplit('.').next() == Some("zip") && table.contains(archive);
        if text == TABLE || text == LOADER || text.strip_prefix(ARCHIVES).is_some_and(is_named) {
            layer.insert(path.clone(), entry.clone()).map_err(tree_error)?;
        }
    }
    Ok(())
}

fn table(installed: &Tree) -> Result<String, Error> {
    let path = RootPath::normalise(TABLE).map_err(tree_error)?;
    let Some(Kind::File(table)) = installed.get(&path).map(|entry| &entry.kind) else {
        let help =
            "does `.yarnrc.yml` say where packages are linked in a way that kiln does not know?".to_owned();
        return Err(Error::refused("yarn wrote no .pnp.cjs", Some(help)));
    };
    Ok(String::from_utf8_lossy(&content::read(&path, table, TABLE_MAX)?).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_table_names_is_shipped() {
        let mut tree = Tree::new();
        for (path, text) in [
            (TABLE, "[\"./.yarn/cache/ms-npm-2.1.3-a-b.zip/node_modules/ms/\"]"),
            (LOADER, ""),
            ("app/.yarn/cache/ms-npm-2.1.3-a-b.zip", ""),
            ("app/.yarn/cache/dev-npm-1.0.0-a-b.zip", ""),
            ("app/.yarn/install-state.gz", ""),
        ] {
            tree.insert_file(path, 0o644, text.as_bytes()).unwrap();
        }
        let mut layer = Tree::new();
        add(&tree, &mut layer).unwrap();
        let files: Vec<&str> = layer
            .iter()
            .filter(|(_, entry)| matches!(entry.kind, Kind::File(_)))
            .map(|(path, _)| path.as_str())
            .collect();
        assert_eq!(files, [TABLE, LOADER, "app/.yarn/cache/ms-npm-2.1.3-a-b.zip"]);
        add(&Tree::new(), &mut layer).unwrap_err();
    }
}
