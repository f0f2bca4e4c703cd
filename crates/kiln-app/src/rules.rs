use std::io;
use std::path::Path;

use kiln_disk::Dir;
use kiln_dockerfile::{Ignore, Parents};
use kiln_finding::Failure;
use kiln_node::LockKind;
use kiln_rootfs::{Attrs, Entry, Kind, RootPath};

use crate::git_ignore::{GitIgnore, Here};
use crate::{DockerIgnore, Folder};

/// What version control keeps for itself.
pub const VERSION_CONTROL: [&str; 3] = [".git", ".hg", ".svn"];
/// What is installed, and what version control keeps for itself.
pub const INSTALLED: [&str; 4] = ["node_modules", ".git", ".hg", ".svn"];

/// What of a folder is left out, by who asks.
#[derive(Clone, Debug)]
pub enum Rules {
    /// Nothing. Folders of these names are listed and not entered.
    Everything(&'static [&'static str]),
    /// What a `.dockerignore` leaves out: as any builder reads a folder for `COPY`.
    DockerIgnore(Ignore),
    /// The same but for what kiln plans from (`package.json`, lock files at the top, `pnpm-workspace.yaml`), as the file may
    /// have been written for another build; and without what is installed, version control and `kiln.lock`.
    ShipDockerIgnore(Ignore),
    /// Where an app that is shipped has no `.dockerignore`: what `.gitignore` leaves out *and* a build makes again, such as
    /// `dist` where there is a build script, or `coverage`. What else git leaves out (settings, keys, generated code,
    /// uploads) may be needed, and is taken. Without what is installed, version control and `kiln.lock`.
    ShipGitIgnore(GitIgnore),
}

/// What becomes of one file or folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Taken.
    In,
    /// Listed, and not entered.
    Closed,
    /// Left out, with all in it.
    Out,
    /// A folder that is left out, unless something in it is taken in again.
    Through,
}

/// What is known on the way down to a folder.
#[derive(Clone, Debug, Default)]
pub(crate) struct Way {
    docker: Parents,
    git: Here,
}

impl Rules {
    /// Those by which an app is shipped, or built by a Dockerfile that may have a `.dockerignore` of its own.
    pub fn for_ship(folder: &Folder, dockerfile: Option<&Path>) -> Result<Self, Failure> {
        let ignore = DockerIgnore::read(folder, dockerfile)?;
        Ok(ignore.map_or_else(
            || Self::ShipGitIgnore(GitIgnore::default()),
            |found| Self::ShipDockerIgnore(found.ignore),
        ))
    }

    /// Reads what a folder itself says, when it is entered.
    pub(crate) fn enter(
        &self,
        dir: &Dir,
        path: &RootPath,
        way: &mut Way,
        has: impl Fn(&str) -> bool,
    ) -> io::Result<()> {
        match self {
            Self::ShipGitIgnore(all) => way.git.enter(dir, path, all, has),
            _ => Ok(()),
        }
    }

    /// What becomes of what lies in a folder; and the way on, if it is a folder.
    pub(crate) fn look(&self, path: &RootPath, is_dir: bool, way: &Way) -> (Verdict, Way) {
        let name = path.file_name();
        match self {
            Self::Everything(closed) if is_dir && closed.contains(&name) => (Verdict::Closed, Way::default()),
            Self::Everything(_) => (Verdict::In, Way::default()),
            Self::DockerIgnore(ignore) => docker(ignore, path, is_dir, way),
            Self::ShipDockerIgnore(_) | Self::ShipGitIgnore(_)
                if is_dir && INSTALLED.contains(&name) || name == "kiln.lock" =>
            {
                (Verdict::Out, Way::default())
            }
            Self::ShipDockerIgnore(ignore) => match docker(ignore, path, is_dir, way) {
                (Verdict::Out, way) if !is_dir && is_planned_from(path) => (Verdict::In, way),
                found => found,
            },
            Self::ShipGitIgnore(_) => {
                let (is_out, git) = way.git.look(path, is_dir);
                (if is_out { Verdict::Out } else { Verdict::In }, Way { git, ..Way::default() })
            }
        }
    }

    /// An entry as these rules have it: what is shipped must not depend on the umask of whoever checked it out.
    pub(crate) fn settle(&self, mut entry: Entry) -> Entry {
        if matches!(self, Self::ShipDockerIgnore(_) | Self::ShipGitIgnore(_)) {
            let may_run = matches!(entry.kind, Kind::Dir) || entry.attrs.mode & 0o100 != 0;
            let is_link = matches!(entry.kind, Kind::Symlink(_));
            entry.attrs = Attrs::root(if is_link {
                0o777
            } else if may_run {
                0o755
            } else {
                0o644
            });
        }
        entry
    }
}

fn docker(ignore: &Ignore, path: &RootPath, is_dir: bool, way: &Way) -> (Verdict, Way) {
    let (is_ignored, docker) = ignore.enter(path.as_str(), &way.docker);
    let verdict = match is_ignored {
        false => Verdict::In,
        true if is_dir && ignore.may_descend(path.as_str()) => Verdict::Through,
        true => Verdict::Out,
    };
    (verdict, Way { docker, ..Way::default() })
}

/// Whether kiln plans from a file, wherever a `.dockerignore` leaves it.
fn is_planned_from(path: &RootPath) -> bool {
    matches!(path.file_name(), "package.json" | "pnpm-workspace.yaml")
        || path.as_str() == ".yarnrc.yml"
        || LockKind::ALL.iter().any(|kind| path.as_str() == kind.file_name())
}
