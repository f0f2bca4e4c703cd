use std::collections::HashSet;

use kiln_node::WorkspaceGlobs;

use crate::facts::Reading;
use crate::stack::Stack;

/// Which folders are projects of a workspace, by the manifests that say so. Any other folder that something links to is somebody else's.
pub(crate) struct Workspaces<'a> {
    globs: Vec<(&'a str, WorkspaceGlobs)>,
    /// Projects that another asks for by `workspace:`.
    names: HashSet<&'a str>,
}

impl<'a> Workspaces<'a> {
    pub(crate) fn of(stack: &Stack<'a>) -> Self {
        let mut found = Self { globs: Vec::new(), names: HashSet::new() };
        for (path, reading, _) in stack.readings() {
            let Reading::Projects(projects) = reading else { continue };
            let top = path.rsplit_once('/').map_or("", |(top, _)| top);
            found.names.extend(projects.iter().filter_map(|project| project.strip_prefix("workspace:")));
            let globs: Vec<String> =
                projects.iter().filter(|project| !project.starts_with("workspace:")).cloned().collect();
            // Globs that cannot be read name no project.
            found.globs.extend(WorkspaceGlobs::new(&globs).ok().map(|globs| (top, globs)));
        }
        found
    }

    /// Whether the package `name` in `folder` is a project.
    pub(crate) fn hold(&self, folder: &str, name: &str) -> bool {
        let is_in = |top: &str, globs: &WorkspaceGlobs| {
            let below = if top.is_empty() {
                Some(folder)
            } else {
                folder.strip_prefix(top).and_then(|rest| rest.strip_prefix('/'))
            };
            below.is_some_and(|below| globs.holds(below))
        };
        self.names.contains(name) || self.globs.iter().any(|(top, globs)| is_in(top, globs))
    }
}
