use std::path::Path;

use kiln_finding::Failure;
use kiln_node::{AppFacts, Lock, LockKind, PackageJson};
use kiln_rootfs::{Kind, Tree};

use crate::{DockerIgnore, Folder, INSTALLED, facts, guess};

/// What lies around a Dockerfile, for whoever looks at the file: nothing in it that is broken is an error, as that is not
/// this look's to report.
#[derive(Debug)]
pub struct Around {
    /// What is known of the app; its files are all that there are, whether or not a build sees them. Folders of
    /// [`INSTALLED`] are listed as if they were files.
    pub facts: AppFacts,
    /// The text of its `package.json`.
    pub package_text: String,
    /// That text is one of a `package.json`.
    pub has_package: bool,
    /// The `.dockerignore` by which a build reads the folder, where there is one that a builder takes.
    pub ignore: Option<DockerIgnore>,
    /// The folders of the workspace's projects.
    pub workspaces: Vec<String>,
    /// All files are listed, so what is not listed is not there.
    pub is_complete: bool,
}

impl Around {
    /// Reads the folder that a build of the Dockerfile starts from: `named`, or what fits its text. `None` where that holds
    /// no `package.json`. A folder that is named and is not there is an error.
    pub fn collect(dockerfile: &Path, text: &str, named: Option<&Path>) -> Result<Option<Self>, Failure> {
        let guessed;
        let place = match named {
            Some(folder) => folder,
            None => match guess::folder(dockerfile, text) {
                Some(folder) => {
                    guessed = folder;
                    &guessed
                }
                None => return Ok(None),
            },
        };
        let folder = Folder::open(place)?;
        Ok(Self::read(&folder, dockerfile))
    }

    fn read(folder: &Folder, dockerfile: &Path) -> Option<Self> {
        let package_text = folder.text("package.json", facts::DOCUMENT_MAX)?;
        let (tree, missed) = folder.everything(&INSTALLED);
        let package = PackageJson::read("package.json", package_text.as_bytes());
        let has_package = package.is_ok();
        let package = package.unwrap_or_default();
        let ignore = DockerIgnore::read(folder, Some(dockerfile));
        Some(Self {
            package_text,
            has_package,
            is_complete: missed.is_empty() && ignore.is_ok(),
            ignore: ignore.ok().flatten(),
            workspaces: facts::workspace_folders(&tree, &package),
            facts: with_closed(&tree, facts::of_names(folder, &tree, package)),
        })
    }
}

/// Lists folders that were not entered, too, and reads the lock file.
fn with_closed(tree: &Tree, mut facts: AppFacts) -> AppFacts {
    let is_closed = |name: &str| INSTALLED.contains(&name);
    let closed =
        tree.iter().filter(|(path, entry)| matches!(entry.kind, Kind::Dir) && is_closed(path.file_name()));
    facts.files.extend(closed.map(|(path, _)| path.clone()));
    facts.files.sort_unstable();
    // Rules know the lock files of npm, pnpm and yarn 1.
    let is_known = |(kind, _): &(LockKind, Lock)| !matches!(kind, LockKind::Berry | LockKind::Bun);
    facts.lock = facts::lock(tree).ok().flatten().filter(is_known);
    facts
}
