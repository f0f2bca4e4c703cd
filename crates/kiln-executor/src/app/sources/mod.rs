//! Which commit the sources of an app are of, and how they differ from it. The repository is of others: git is asked what it
//! holds, and runs nothing that it configures (`git.rs`); which files differ kiln sees itself, by what it builds from.

mod address;
mod compare;
mod settings;

use std::path::Path;
use std::time::{Duration, Instant};

use kiln_attest::SourceCommit;
use kiln_finding::Fact;
use kiln_rootfs::{RootPath, Tree};

use self::compare::Listing;
use crate::git::git;

/// The mode of a file that is no program.
const PLAIN: u32 = 0o644;
/// How long git may take to say what a commit holds, all in all; and what is checked out.
const TIMEOUT: Duration = Duration::from_secs(20);
const FIRST: Duration = Duration::from_secs(5);
/// How many submodules, and how deep in each other, are followed.
const SUBMODULES_MAX: usize = 64;
/// How much that may be, in bytes: some 500,000 files.
const LISTING_MAX: usize = 64 << 20;

/// Files of an app that say what is built and how, whether or not they are among what is built from.
const STEERING: [&str; 2] = [".dockerignore", "kiln.toml"];

/// The commit of `tree`, which was read from `folder`; none where it is of no commit. `settings` is the file that settings were read
/// from, where that is another than the folder's own.
pub(super) fn commit(folder: &Path, settings: Option<&Path>, tree: &Tree) -> Fact<Option<SourceCommit>> {
    let Ok(folder) = folder.canonicalize() else { return Fact::Known(None) };
    if !folder.ancestors().any(|above| above.join(".git").exists()) {
        return Fact::Known(None);
    }
    Fact::from(look(&folder, settings, tree))
}

fn look(folder: &Path, settings: Option<&Path>, tree: &Tree) -> Result<Option<SourceCommit>, String> {
    let git = Questions { until: Instant::now() + TIMEOUT };
    // The modes are for what follows them.
    let asked = [
        "rev-parse",
        "--show-prefix",
        "--show-object-format",
        "HEAD^{commit}",
        "--symbolic-full-name",
        "HEAD",
    ];
    settings::check(folder, Instant::now() + FIRST)?;
    let told = text(Questions { until: Instant::now() + FIRST }.ask(folder, &asked)?)?;
    let mut lines = told.lines();
    let mut line = || lines.next().ok_or_else(|| "git does not say what is checked out".to_owned());
    let (prefix, format, commit, reference) = (line()?, line()?, line()?, line()?);
    let Some(mut listing) = git.listing(folder, format, commit)?.below(prefix) else {
        // The folder lies in a repository that does not hold it.
        return Ok(None);
    };
    git.open_submodules(folder, format, &mut listing);
    let mut tree = tree.clone();
    let mut elsewhere = steering(folder, settings, &mut tree)?;
    let changes = listing.changes(&tree, folder, &mut elsewhere)?;
    Ok(Some(SourceCommit {
        repository: git.repository(folder)?,
        reference: reference.starts_with("refs/").then(|| reference.to_owned()),
        commit: commit.to_owned(),
        folder: prefix.trim_end_matches('/').to_owned(),
        changes,
    }))
}

/// Puts the files that steer the build among those that are compared. Tells those that lie elsewhere, and so are of no commit.
fn steering(folder: &Path, settings: Option<&Path>, tree: &mut Tree) -> Result<Vec<String>, String> {
    let settings = settings.map(|path| path.canonicalize().unwrap_or_else(|_| path.to_owned()));
    let inside = settings.as_deref().and_then(|path| path.strip_prefix(folder).ok()?.to_str());
    for name in STEERING.into_iter().chain(inside) {
        let path = RootPath::normalise(name).map_err(|error| error.to_string())?;
        if tree.get(&path).is_none() && folder.join(name).symlink_metadata().is_ok() {
            let text = kiln_disk::read_text(&folder.join(name), kiln_disk::DOCUMENT_MAX)
                .map_err(|error| format!("read {name}: {error}"))?;
            tree.insert_file(name, PLAIN, text.into_bytes()).map_err(|error| error.to_string())?;
        }
    }
    let outside = settings.as_deref().filter(|_| inside.is_none());
    Ok(outside.map(|path| path.display().to_string()).into_iter().collect())
}

/// What git is asked, as long as there is time.
struct Questions {
    until: Instant,
}

impl Questions {
    /// What a commit holds.
    fn listing(&self, folder: &Path, format: &str, commit: &str) -> Result<Listing, String> {
        let object = self.ask(folder, &["cat-file", "commit", commit])?;
        let listing = self.ask(folder, &["ls-tree", "-r", "-z", "--full-tree", commit])?;
        Listing::read(&listing, format, (commit, &object))
    }

    /// Puts the files of submodules in the place of the commits that are recorded of them, where that commit is there: which one is
    /// checked out does not matter, its files do. Those of others differ from what is recorded, whatever they are.
    fn open_submodules(&self, folder: &Path, format: &str, listing: &mut Listing) {
        for _ in 0..SUBMODULES_MAX {
            let Some((path, commit)) = listing.submodule() else { return };
            let place = folder.join(&path);
            let is_there = place.join(".git").symlink_metadata().is_ok();
            let found = is_there.then(|| {
                settings::check(&place, self.until).and_then(|()| self.listing(&place, format, &commit))
            });
            listing.open(&path, found.and_then(Result::ok));
        }
    }

    /// Where the commits come from: the remote of that name, or the only one there is.
    fn repository(&self, folder: &Path) -> Result<Option<String>, String> {
        let asked = ["config", "--no-includes", "-z", "--get-regexp", r"^remote\..*\.url$"];
        let Ok(found) = self.ask(folder, &asked) else { return Ok(None) };
        let found = text(found)?;
        let remotes: Vec<_> = found.split('\0').filter_map(|entry| entry.split_once('\n')).collect();
        let named = remotes.iter().find(|(key, _)| *key == "remote.origin.url");
        let only = || remotes.first().filter(|_| remotes.len() == 1);
        Ok(named.or_else(only).and_then(|(_, address)| address::public(address)))
    }

    fn ask(&self, folder: &Path, arguments: &[&str]) -> Result<Vec<u8>, String> {
        // Whose the repository is does not matter where nothing of it is run; what is missing of it stays missing.
        let trusting: Vec<_> = ["-c", "safe.directory=*", "--no-replace-objects"]
            .into_iter()
            .chain(arguments.iter().copied())
            .collect();
        let call = git(folder, &trusting).env("GIT_NO_LAZY_FETCH", "1").env("GIT_OPTIONAL_LOCKS", "0");
        let left = self.until.saturating_duration_since(Instant::now());
        let ended = call.limit(left).most(LISTING_MAX).run().map_err(untold)?;
        if ended.is_success() { Ok(ended.stdout) } else { Err(ended.told()) }
    }
}

fn untold(error: kiln_program::Error) -> String {
    match error {
        kiln_program::Error::Start { .. } => "git is not installed".to_owned(),
        error => error.to_string(),
    }
}

fn text(bytes: Vec<u8>) -> Result<String, String> {
    String::from_utf8(bytes).map_err(|_| "git says something that is no text".to_owned())
}

#[cfg(test)]
mod tests;
