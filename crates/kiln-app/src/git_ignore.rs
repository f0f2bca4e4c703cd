use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use kiln_disk::Dir;
use kiln_node::PackageJson;
use kiln_rootfs::RootPath;

use crate::made_again::{Maker, maker};
use crate::read_in::read_in;

/// The largest `.gitignore` that is read, and all of one app together, in bytes.
const TEXT_MAX: u64 = 64 << 10;
const TEXTS_MAX: u64 = 1 << 20;
const PACKAGE_MAX: u64 = 4 << 20;
const NAME: &str = ".gitignore";

/// What git leaves out of a folder and a build makes again, by the `.gitignore` files in it. Files above the folder have no
/// say, as what an app is must not depend on where it lies; neither have those of the user and of the clone
/// (`core.excludesFile`, `.git/info/exclude`).
#[derive(Clone, Debug, Default)]
pub struct GitIgnore {
    /// How many bytes of such files were read: each costs time for every file below it.
    read: Arc<AtomicU64>,
}

/// What holds in one folder. The matchers go from the top to it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Here {
    files: Arc<Vec<(RootPath, Arc<Gitignore>)>>,
    /// The folder itself is left out by git, and so is all in it: nothing takes that back (gitignore(5)).
    is_ignored: bool,
    /// It is made by this one, or lies in what is.
    made_by: Option<Maker>,
    /// A build script runs over it.
    is_built: bool,
}

impl Here {
    /// Reads what the folder itself says, when it is entered. `names` are those in it.
    pub(crate) fn enter(
        &mut self,
        dir: &Dir,
        path: &RootPath,
        all: &GitIgnore,
        has: impl Fn(&str) -> bool,
    ) -> io::Result<()> {
        if has("package.json") {
            let bytes = read_in(dir, "package.json", PACKAGE_MAX).ok().flatten().unwrap_or_default();
            let package = PackageJson::read("package.json", &bytes);
            self.is_built |= package.is_ok_and(|package| package.scripts.contains_key("build"));
        }
        // As for git, one that is a link is none.
        if !has(NAME) || dir.meta_here(NAME.as_ref())?.is_symlink() {
            return Ok(());
        }
        let bytes = read_in(dir, NAME, TEXT_MAX)?.unwrap_or_default();
        let size = bytes.len() as u64;
        if all.read.fetch_add(size, Ordering::Relaxed) + size > TEXTS_MAX {
            let why = format!("the .gitignore files together have more than {TEXTS_MAX} bytes");
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, why));
        }
        let mut patterns = GitignoreBuilder::new(".");
        for line in String::from_utf8_lossy(&bytes).trim_start_matches('\u{feff}').lines() {
            // As for git, a line that is no pattern matches nothing.
            drop(patterns.add_line(None, line));
        }
        let patterns = patterns.build().map_err(io::Error::other)?;
        if !patterns.is_empty() {
            Arc::make_mut(&mut self.files).push((path.clone(), Arc::new(patterns)));
        }
        Ok(())
    }

    /// Whether something in the folder is left out; and what holds in it, if it is a folder.
    pub(crate) fn look(&self, path: &RootPath, is_dir: bool) -> (bool, Self) {
        let mut inside = self.clone();
        inside.is_ignored |= self.matches(path, is_dir);
        inside.made_by = maker(path.file_name(), is_dir).or(self.made_by);
        let is_made_again = match inside.made_by {
            Some(Maker::Tools) => true,
            Some(Maker::Build) => self.is_built,
            None => false,
        };
        (inside.is_ignored && is_made_again, inside)
    }

    /// The nearest file that says anything decides.
    fn matches(&self, path: &RootPath, is_dir: bool) -> bool {
        for (folder, patterns) in self.files.iter().rev() {
            let below = path.as_str().strip_prefix(folder.as_str()).unwrap_or_default();
            match patterns.matched(below.trim_start_matches('/'), is_dir) {
                Match::Ignore(_) => return true,
                Match::Whitelist(_) => return false,
                Match::None => {}
            }
        }
        false
    }
}
