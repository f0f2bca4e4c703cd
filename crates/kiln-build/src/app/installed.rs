//! What was really installed to build with, whatever a lock file says: a bundler takes its code from there.

use std::collections::BTreeSet;

use kiln_rootfs::{Kind, RootPath, Tree};

use super::lower::Graphed;
use super::manifest::Manifest;
use super::modules::tree_error;
use crate::engine::{Cache, Executor, Solver};
use crate::error::ErrorKind;
use crate::{Error, Key};

/// The packages that the app's install step put there, each with its version, by their own manifests. One whose manifest does not say
/// that has the name of its folder, and no version.
pub fn installed_packages<E: Executor, C: Cache>(
    graphed: &Graphed,
    solver: &Solver<'_, E, C>,
) -> Result<BTreeSet<(String, String)>, Error> {
    let Some(last) = graphed.installed.last() else { return Ok(BTreeSet::new()) };
    let mut key = Key::new("installed");
    key.add("step", solver.key(*last)?.as_bytes());
    let found = solver.fact(key.finish(), || {
        let mut tree = Tree::new();
        for &step in &graphed.installed {
            solver.content(step)?.apply(&mut tree).map_err(tree_error)?;
        }
        serde_json::to_string(&packages(&tree)).map_err(|source| ErrorKind::Record { source }.into())
    })?;
    serde_json::from_str(&found).map_err(|source| ErrorKind::Record { source }.into())
}

fn packages(tree: &Tree) -> BTreeSet<(String, String)> {
    let manifests = tree.iter().filter_map(|(path, entry)| match &entry.kind {
        Kind::File(content) => Some((folder(path)?, path, content)),
        _ => None,
    });
    manifests
        .map(|(folder, path, content)| match Manifest::read(path, content).unwrap_or_default() {
            Manifest { name: Some(name), version: Some(version) } => (name, version),
            _ => (folder.to_owned(), String::new()),
        })
        .collect()
}

/// The folder in `node_modules` of which this is the manifest: `name` or `@scope/name`.
fn folder(path: &RootPath) -> Option<&str> {
    let folder = path.as_str().strip_suffix("/package.json")?;
    let (above, name) = folder.rsplit_once("node_modules/")?;
    let is_modules = above.is_empty() || above.ends_with('/');
    let parts = if name.starts_with('@') { 2 } else { 1 };
    (is_modules && !name.starts_with('.') && name.split('/').count() == parts).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifests_of_packages_tell_what_is_installed() {
        let mut tree = Tree::new();
        for (path, text) in [
            ("app/node_modules/a/package.json", r#"{"name":"a","version":"1.0.0"}"#),
            ("app/node_modules/a/esm/package.json", r#"{"type":"module"}"#),
            ("app/node_modules/a/node_modules/@s/b/package.json", r#"{"name":"@s/b","version":"2.0.0"}"#),
            ("app/node_modules/alias/package.json", r#"{"name":"real","version":"3.0.0"}"#),
            ("app/node_modules/odd/package.json", "{"),
            ("app/package.json", r#"{"name":"app","version":"1.0.0"}"#),
        ] {
            tree.insert_file(path, 0o644, text.as_bytes()).unwrap();
        }
        let expected = [("@s/b", "2.0.0"), ("a", "1.0.0"), ("odd", ""), ("real", "3.0.0")];
        let expected = expected.map(|(name, version)| (name.to_owned(), version.to_owned()));
        assert_eq!(packages(&tree), expected.into());
    }
}
