//! What a lock file that was read answers for: the packages it pins, for the projects it was written for, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use kiln_node::{Lock, PackageJson, WorkspaceGlobs};
use kiln_pkg::Unseen;
use kiln_rootfs::RootPath;

use super::{Locks, MANIFEST_MAX, Projects, below, join_path, reason};

impl Locks<'_> {
    /// Takes out of `unseen` what the lock file in `folder` pins, and adds what its projects ask for and it does not pin. Another lock
    /// file nearer to an app answers for that app.
    pub(super) fn answer(
        &self,
        unseen: &mut Vec<Unseen>,
        folder: &str,
        with_lock: &BTreeSet<String>,
        lock: &Lock,
        projects: &Projects,
    ) {
        // What a lock file names by a link is known by where it is.
        let links: BTreeMap<String, &str> = projects
            .keys()
            .map(|project| (self.followed(&join_path(folder, project)), project.as_str()))
            .collect();
        let others = lock.pinned_for_all();
        for app in unseen.iter_mut() {
            let at = app.path.trim_start_matches('/').to_owned();
            let Some(project) = (if at == folder { Some("") } else { below(&at, folder) }) else { continue };
            let project = links.get(&at).copied().unwrap_or(project);
            if nearest(&at, with_lock) != Some(folder) && !projects.contains_key(project) {
                continue;
            }
            if !lock.packages.is_empty() {
                // What is built in is there to build with.
                app.forget_bundles();
            }
            if projects.contains_key(project) {
                app.declared.retain(|name| !lock.pins(project, name));
            } else if !app.declared.is_empty() {
                let manifest = self.manifest(&at).unwrap_or_default();
                let known: BTreeSet<&String> = manifest
                    .asked()
                    .filter(|(name, spec)| others.contains(name, spec))
                    .map(|(name, _)| name)
                    .collect();
                app.declared.retain(|name| !known.contains(name));
            }
        }
        let all: BTreeSet<&String> = lock.asked.keys().chain(projects.keys()).collect();
        for project in all {
            let missing = lock.not_pinned(project, projects.get(project));
            let at = if project.is_empty() { folder.to_owned() } else { join_path(folder, project) };
            tell(unseen, &self.followed(&at), missing);
        }
    }

    /// The folders that the manifest beside a lock file calls projects of its workspace.
    pub(super) fn workspaces(&self, folder: &str) -> Result<WorkspaceGlobs, String> {
        let globs = self.manifest(folder).map(|manifest| manifest.workspace_globs()).unwrap_or_default();
        WorkspaceGlobs::new(&globs).map_err(|error| reason(&error))
    }

    fn manifest(&self, folder: &str) -> Option<PackageJson> {
        let path = RootPath::normalise(&join_path(folder, "package.json")).ok()?;
        self.tree.get(&path)?;
        let bytes = self.bytes(path.as_str(), MANIFEST_MAX).ok()?;
        PackageJson::read(path.as_str(), &bytes).ok()
    }
}

fn tell(unseen: &mut Vec<Unseen>, at: &str, missing: Vec<String>) {
    if missing.is_empty() {
        return;
    }
    let empty = Unseen::at(at);
    match unseen.iter_mut().find(|app| app.path == empty.path) {
        Some(app) => {
            app.declared.extend(missing);
            app.declared.sort();
            app.declared.dedup();
        }
        None => unseen.push(Unseen { declared: missing, ..empty }),
    }
}

/// The nearest folder with a lock file, of `at` and those above it.
fn nearest<'a>(at: &'a str, with_lock: &BTreeSet<String>) -> Option<&'a str> {
    let above = std::iter::successors(Some(at), |at| at.rsplit_once('/').map(|(above, _)| above));
    above.chain([""]).find(|folder| with_lock.contains(*folder))
}
