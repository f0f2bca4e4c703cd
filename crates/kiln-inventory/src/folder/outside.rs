//! Projects of a workspace that are not in the folder: they belong to the app, and nobody looked at them.

use kiln_node::{WorkspaceGlobs, climbs_out};
use kiln_pkg::Unread;
use kiln_rootfs::Tree;

use crate::Reading;
use crate::facts::LayerFacts;

const READER: &str = "workspace";

pub(super) fn projects(tree: &Tree, facts: &LayerFacts) -> Vec<Unread> {
    let mut unread = Vec::new();
    let readings =
        facts.files.iter().flat_map(|file| file.readings.iter().map(move |reading| (&file.path, reading)));
    for (path, reading) in readings {
        let Reading::Projects(projects) = reading else { continue };
        let globs: Vec<String> =
            projects.iter().filter(|project| !project.starts_with("workspace:")).cloned().collect();
        let outside = globs.iter().filter(|glob| !glob.starts_with('!') && climbs_out("", glob));
        unread.extend(outside.map(|glob| Unread {
            path: path.clone(),
            reader: READER.to_owned(),
            why: format!("its project `{glob}` lies outside of the folder"),
        }));
        let top = path.rsplit_once('/').map_or("", |(top, _)| top);
        // Globs that cannot be read name no project.
        let linked = WorkspaceGlobs::new(&globs).map(|globs| globs.linked(tree, top)).unwrap_or_default();
        unread.extend(linked.into_iter().filter(|project| project.folder.is_none()).map(|project| Unread {
            path: project.link.to_string(),
            reader: READER.to_owned(),
            why: "the project that this link leads to lies outside of the folder".to_owned(),
        }));
    }
    unread
}
