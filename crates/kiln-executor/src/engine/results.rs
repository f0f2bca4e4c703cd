//! Where folders of layers lie on this disk, and how long they stay.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, SystemTime};
use std::{fs, io};

use kiln_disk::{disk_failure, own};
use kiln_finding::Failure;

/// Where results lie; names beside it are links into it.
const RESULTS: &str = "results";
/// How long a result without a name may still be in use.
const UNNAMED_FOR: Duration = Duration::from_hours(24);
/// Results that no build used for so long are removed.
const UNUSED_FOR: Duration = Duration::from_hours(30 * 24);
/// How exactly the last use is known.
const TOUCHED_EVERY: Duration = Duration::from_hours(1);

/// Moves `fs` and `user` of a scratch folder to a folder of their own below `folder`, and makes `name` a link to it, at once.
/// Another build may run over what the link led to before, so that stays until [`sweep`].
pub(super) fn put_in_place(folder: &Path, scratch: &Path, name: &Path) -> Result<(), Failure> {
    let unique = scratch.file_stem().unwrap_or_default().to_string_lossy();
    let stem = name.file_name().unwrap_or_default().to_string_lossy();
    let results = folder.join(RESULTS);
    let (target, link) = (results.join(format!("{stem}-{unique}")), scratch.join("link"));
    let moved = || {
        own::folder(&results)?;
        let whole = scratch.join("whole");
        own::new_folder(&whole)?;
        own::rename(scratch.join("fs"), whole.join("fs"))?;
        if scratch.join("user").exists() {
            own::rename(scratch.join("user"), whole.join("user"))?;
        }
        if target.exists() {
            kiln_sandbox::remove(&target).map_err(io::Error::other)?;
        }
        own::rename(&whole, &target)?;
        if let Ok(old) = fs::read_link(name) {
            touch(&folder.join(old));
        }
        // Others may have the folder at another place, as containers do that share a volume.
        own::symlink(&Path::new(RESULTS).join(target.file_name().unwrap_or_default()), &link)?;
        own::rename(&link, name)
    };
    moved().map_err(|error| disk_failure("put in place", name, &error))
}

/// Removes what no build has used for long: results, and the names that lead to them.
pub(super) fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let result_of = |link: &Path| Some(folder.join(RESULTS).join(fs::read_link(link).ok()?.file_name()?));
    let links = entries.flatten().filter_map(|entry| Some((entry.path(), result_of(&entry.path())?)));
    let mut named = BTreeSet::new();
    for (link, result) in links {
        if unused_for(&result).is_none_or(|age| age > UNUSED_FOR) {
            drop(own::remove_file(&link));
        } else {
            named.insert(result);
        }
    }
    let Ok(results) = fs::read_dir(folder.join(RESULTS)) else { return };
    for result in results.flatten().map(|entry| entry.path()).filter(|path| !named.contains(path)) {
        // Another build may still run over what has lost its name.
        if unused_for(&result).is_some_and(|age| age > UNNAMED_FOR) {
            drop(kiln_sandbox::remove(&result));
        }
    }
}

/// `None` where there is no such result. One of a time to come was used just now.
fn unused_for(result: &Path) -> Option<Duration> {
    Some(fs::metadata(result).ok()?.modified().ok()?.elapsed().unwrap_or_default())
}

/// Remembers when a result was used last, in its own time, once in an hour.
pub(super) fn touch(result: &Path) {
    if unused_for(result).is_some_and(|age| age > TOUCHED_EVERY)
        && let Ok(folder) = fs::File::open(result)
    {
        // Where that cannot be written down, the result goes sooner.
        drop(folder.set_modified(SystemTime::now()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn make(folder: &Path, name: &str) {
        let scratch = folder.join(format!("scratch/{name}.tmp"));
        fs::create_dir_all(scratch.join("fs")).unwrap();
        fs::write(scratch.join("fs/file"), name).unwrap();
        put_in_place(folder, &scratch, &folder.join(name)).unwrap();
    }

    /// Containers that share a volume may have it at different places; none takes away what it does not find at its own.
    #[test]
    fn a_folder_may_be_anywhere() {
        let place = tempfile::tempdir().unwrap();
        let (here, there) = (place.path().join("here"), place.path().join("there"));
        fs::create_dir(&here).unwrap();
        make(&here, "one");
        sweep(&here);
        fs::rename(&here, &there).unwrap();
        sweep(&there);
        assert_eq!(fs::read_to_string(there.join("one/fs/file")).unwrap(), "one");
        // As older versions made them: the whole path of where the folder was.
        let result = fs::read_dir(there.join(RESULTS)).unwrap().next().unwrap().unwrap().file_name();
        fs::remove_file(there.join("one")).unwrap();
        std::os::unix::fs::symlink(here.join(RESULTS).join(result), there.join("one")).unwrap();
        sweep(&there);
        assert!(there.join("one").is_symlink());
        fs::remove_dir_all(there.join(RESULTS)).unwrap();
        sweep(&there);
        assert!(!there.join("one").is_symlink(), "a name of nothing goes");
    }
}
