//! What an app is made of and does not hold: folders beside it. An image is built from the app's folder alone, so it would hold links to nothing.

use std::collections::{BTreeMap, BTreeSet};

use kiln_finding::{Class, Failure};
use kiln_node::{PackageJson, WorkspaceGlobs, climbs_out};
use kiln_rootfs::{Kind, RootPath, Tree};

/// How a `package.json` asks for a folder.
const PROTOCOLS: [&str; 3] = ["file:", "link:", "portal:"];

/// Links in the place of projects, and their targets.
pub(crate) type Links = BTreeMap<RootPath, String>;

/// The folders that links in the place of projects lead to, and the links; one outside of the app is an error.
pub(crate) fn linked(tree: &Tree, globs: &WorkspaceGlobs) -> Result<(BTreeSet<RootPath>, Links), Failure> {
    if let Some(glob) = globs.outside() {
        return Err(refused(&format!("`{glob}`, which the workspace has as a project")));
    }
    let (mut folders, mut links) = (BTreeSet::new(), Links::new());
    for project in globs.linked(tree, "") {
        let link = project.link;
        let Some(folder) = project.folder else {
            return Err(refused(&format!("what the link `{link}` leads to, in the place of a project")));
        };
        if let Some(Kind::Symlink(target)) = tree.get(&link).map(|entry| &entry.kind) {
            links.insert(link, target.clone());
        }
        folders.insert(folder);
    }
    Ok((folders, links))
}

/// Refuses what a `package.json` asks for that lies outside of the app.
pub(crate) fn refuse(
    package: &PackageJson,
    projects: &BTreeMap<String, PackageJson>,
    tree: &Tree,
) -> Result<(), Failure> {
    let all = projects.iter().map(|(folder, package)| (folder.as_str(), package));
    for (folder, package) in std::iter::once(("", package)).chain(all) {
        let maps = [&package.dependencies, &package.dev_dependencies, &package.optional_dependencies];
        for (name, spec) in maps.into_iter().flatten() {
            let Some(path) = asked_path(spec) else { continue };
            let leads_out = || {
                let below = RootPath::clamped(&format!("{folder}/{path}"));
                below.is_ok_and(|below| tree.resolve_within(&below).is_none())
            };
            if climbs_out(folder, path) || leads_out() {
                let manifest = if folder.is_empty() { String::new() } else { format!("{folder}/") };
                return Err(refused(&format!("`{name}` from `{spec}`, as {manifest}package.json asks")));
            }
        }
    }
    Ok(())
}

/// The path that a package is asked for by; `None` where it comes from elsewhere.
fn asked_path(spec: &str) -> Option<&str> {
    let named = PROTOCOLS.iter().find_map(|protocol| spec.strip_prefix(protocol));
    // npm takes paths without a protocol, too.
    named.or_else(|| {
        (spec.starts_with("../") || spec.starts_with("./") || spec.starts_with('/')).then_some(spec)
    })
}

fn refused(what: &str) -> Failure {
    Failure::new("app.outside", Class::Config, format!("take in {what}: it lies outside of the app's folder"))
        .with_help("name the folder that holds both as the app, or move it below the app")
}
