use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use kiln_disk::disk_failure;
use kiln_finding::Failure;

use super::{Gone, Order};

/// What lies in the cache: how it is called, its folders, and how deep in them things are that go one by one.
const KINDS: [(&str, &[&str], usize); 4] = [
    ("downloads", &["downloads"], 2),
    ("notes of steps and scans", &["steps", "facts", "accepted"], 1),
    ("cache mounts", &["mounts"], 2),
    ("what older versions kept", &["builders", "runs", "packages"], 1),
];
const LAYERS: &str = "layers";
/// What has no kind, among it what older versions left.
const OTHER: &str = "others";

/// Something that goes whole.
struct Unit {
    path: PathBuf,
    bytes: u64,
    used: SystemTime,
}

/// Removes from the cache what was not used for long. Nobody else may use it meanwhile.
pub(crate) fn prune_cache(cache_dir: &Path, order: &Order) -> Result<Vec<Gone>, Failure> {
    let mut gone = Vec::new();
    for (kind, folders, depth) in KINDS {
        let units = folders.iter().flat_map(|folder| units(&cache_dir.join(folder), depth)).collect();
        gone.push(remove_old(kind, units, order)?);
    }
    gone.push(prune_layers(&cache_dir.join(LAYERS), order)?);
    if order.all {
        let known: BTreeSet<&str> =
            KINDS.iter().flat_map(|(_, folders, _)| folders.iter().copied()).chain([LAYERS]).collect();
        let is_other = |unit: &Unit| {
            let name = unit.path.file_name().and_then(OsStr::to_str).unwrap_or_default();
            !known.contains(name) && !crate::folders::is_in_use_lock(name)
        };
        let others = units(cache_dir, 1).into_iter().filter(is_other).collect();
        gone.push(remove_old(OTHER, others, order)?);
    }
    Ok(gone)
}

fn remove_old(kind: &'static str, units: Vec<Unit>, order: &Order) -> Result<Gone, Failure> {
    let mut gone = Gone { kind, count: 0, bytes: 0 };
    for unit in units.into_iter().filter(|unit| order.all || unit.used < order.before) {
        gone.count += 1;
        gone.bytes += unit.bytes;
        if !order.only_look {
            remove(&unit.path)?;
        }
    }
    Ok(gone)
}

/// Results of build steps: each lies in `results`, and links lead to it. One that no link leads to is used by nobody.
fn prune_layers(folder: &Path, order: &Order) -> Result<Gone, Failure> {
    let mut gone = Gone { kind: "results of build steps", count: 0, bytes: 0 };
    for ids in entries(folder) {
        let links: Vec<(PathBuf, PathBuf)> = entries(&ids)
            .into_iter()
            .filter_map(|link| Some((link.clone(), fs::read_link(link).ok()?)))
            .collect();
        let named: BTreeSet<&OsStr> = links.iter().filter_map(|(_, result)| result.file_name()).collect();
        let old = units(&ids.join("results"), 1).into_iter().filter(|unit| {
            let is_named = unit.path.file_name().is_some_and(|name| named.contains(name));
            order.all || !is_named || touched(&unit.path).is_none_or(|used| used < order.before)
        });
        for unit in old {
            gone.count += 1;
            gone.bytes += unit.bytes;
            if !order.only_look {
                remove(&unit.path)?;
            }
        }
        if !order.only_look {
            links
                .iter()
                .filter(|(link, _)| !link.exists())
                .for_each(|(link, _)| drop(kiln_disk::own::remove_file(link)));
        }
    }
    Ok(gone)
}

/// When a build used a result last, as builds note it.
fn touched(result: &Path) -> Option<SystemTime> {
    fs::symlink_metadata(result).ok()?.modified().ok()
}

/// What lies `depth` levels below `folder`.
fn units(folder: &Path, depth: usize) -> Vec<Unit> {
    let mut level = vec![folder.to_owned()];
    for _ in 0..depth {
        level = level.iter().flat_map(|folder| entries(folder)).collect();
    }
    level.into_iter().map(unit).collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    entries.sort();
    entries
}

fn unit(path: PathBuf) -> Unit {
    let mut unit = Unit { bytes: 0, used: SystemTime::UNIX_EPOCH, path };
    let mut next = vec![unit.path.clone()];
    while let Some(path) = next.pop() {
        let Ok(found) = fs::symlink_metadata(&path) else { continue };
        unit.used = unit.used.max(last_use(&found));
        if found.is_dir() {
            next.extend(entries(&path));
        } else {
            unit.bytes += found.len();
        }
    }
    unit
}

/// The latest of what the system notes. Not when a folder was read: looking for what is old would make all of them new.
fn last_use(found: &Metadata) -> SystemTime {
    use std::os::unix::fs::MetadataExt;
    let changed = SystemTime::UNIX_EPOCH + Duration::from_secs(found.ctime().max(0).cast_unsigned());
    let read = if found.is_dir() { None } else { found.accessed().ok() };
    [found.modified().ok(), read].into_iter().flatten().fold(changed, SystemTime::max)
}

fn remove(path: &Path) -> Result<(), Failure> {
    kiln_disk::remove(path).map_err(|error| disk_failure("remove", path, &error))
}
