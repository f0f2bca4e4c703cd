//! Code that may be there and that no package tells of: what an app asks for and is not installed, and what a bundler built in.

use std::collections::{BTreeMap, HashSet};

use kiln_pkg::{Unread, Unseen};

use crate::catalogers::{is_package_folder, is_table};
use crate::depends::Folders;
use crate::facts::Reading;
use crate::groups;
use crate::owners::Owners;
use crate::stack::Stack;

/// Bundles of one app that are named.
const BUNDLES_MAX: usize = 20;
/// Folders inside an app in which manifests are input of tests.
const TESTS: &[&str] = &["__fixtures__", "__tests__", "fixtures", "test", "tests"];

/// Looks for it. What belongs to a package of the distribution is left to that.
pub(crate) fn unseen(stack: &Stack<'_>, folders: &Folders<'_>, owners: &Owners<'_>) -> Vec<Unseen> {
    let mut declared: BTreeMap<&str, &[String]> = BTreeMap::new();
    let mut tables = HashSet::new();
    let mut bundles = Vec::new();
    for (path, reading, _) in stack.readings() {
        if owners.own(path) || groups::tool_of(path).is_some() {
            continue;
        }
        match reading {
            Reading::Declares(names) => {
                declared.insert(folder(path), names);
            }
            // One that asks for nothing is an app, too: what lies below it is its own.
            Reading::Manifest(_) if !is_table(path) => {
                declared.entry(folder(path)).or_default();
            }
            Reading::Bundle => bundles.push(path),
            _ => {}
        }
        if is_table(path) {
            tables.insert(folder(path));
        }
    }
    let apps = folders.of_apps();
    let is_app = |at: &str| apps.contains(at) || !above(at).any(|above| declared.contains_key(above));
    let mut found: BTreeMap<&str, Unseen> = BTreeMap::new();
    let mut candidate = String::new();
    for (&at, names) in declared.iter().filter(|(at, _)| is_app(at) || !is_for_tests(at)) {
        if std::iter::once(at).chain(above(at)).any(|folder| tables.contains(folder)) {
            continue;
        }
        let missing = names.iter().filter(|name| folders.resolve(at, name, &mut candidate).is_none());
        let declared: Vec<String> = missing.cloned().collect();
        if !declared.is_empty() {
            found.insert(at, Unseen { declared, ..Unseen::at(at) });
        }
    }
    for path in bundles {
        let at = above(path).find(|at| declared.contains_key(at) && is_app(at)).unwrap_or_default();
        let unseen = found.entry(at).or_insert_with(|| Unseen::at(at));
        if unseen.bundles.len() < BUNDLES_MAX {
            unseen.bundles.push(path.to_owned());
        }
    }
    found.into_values().collect()
}

/// Whether it matters that a file could not be read: a manifest that belongs to no app, package or tool does not.
pub(crate) fn matters(unread: &Unread, stack: &Stack<'_>, owners: &Owners<'_>) -> bool {
    let path = unread.path.as_str();
    let at = folder(path);
    if unread.reader != "npm-package" || is_package_folder(at) {
        return true;
    }
    let is_apps = |above: &str| {
        let slash = if above.is_empty() { "" } else { "/" };
        stack.sees(&format!("{above}{slash}package.json"))
    };
    let is_input = is_for_tests(at) && above(at).any(is_apps);
    !is_input && !owners.own(path) && groups::tool_of(path).is_none()
}

/// Whether a folder inside an app is what its tests work on.
fn is_for_tests(folder: &str) -> bool {
    folder.split('/').any(|part| TESTS.contains(&part))
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The folders above, the nearest first, the root last.
fn above(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| path.rsplit_once('/').map(|(folder, _)| folder))
        .skip(1)
        .chain((!path.is_empty()).then_some(""))
}
