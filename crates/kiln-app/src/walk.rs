use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;

use kiln_disk::{Dir, Located};
use kiln_rootfs::{Attrs, Entry, Kind, RootPath, Tree};

use crate::rules::{Verdict, Way};
use crate::{Missed, Reason, Rules};

/// How deep folders may lie in each other.
pub const DEPTH_MAX: usize = 256;
/// How many files and folders are looked at.
pub const ENTRIES_MAX: usize = 2_000_000;

/// The one walk over a folder.
pub(crate) struct Walk<'a> {
    root: &'a Dir,
    rules: &'a Rules,
    /// Folders that are left out, until something in them is taken in again.
    waiting: BTreeMap<RootPath, Entry>,
    seen: usize,
    taken: Vec<(RootPath, Entry)>,
    missed: Vec<Missed>,
}

/// What lies in a folder, and what of it could not be read, sorted.
pub(crate) fn read(root: &Dir, rules: &Rules) -> (Tree, Vec<Missed>) {
    let mut tree = Tree::new();
    let missed = read_below(root, rules, &RootPath::ROOT, &mut tree);
    (tree, missed)
}

/// The same of what lies below `top`, without `top` itself, laid over `tree`.
pub(crate) fn read_below(root: &Dir, rules: &Rules, top: &RootPath, tree: &mut Tree) -> Vec<Missed> {
    let mut walk =
        Walk { root, rules, waiting: BTreeMap::new(), seen: 0, taken: Vec::new(), missed: Vec::new() };
    walk.below(top);
    let mut missed = walk.missed;
    for (path, entry) in walk.taken {
        let place = path.to_string();
        if let Err(error) = tree.insert(path, entry) {
            missed.push(Missed::new(&place, Reason::Name, error.to_string()));
        }
    }
    missed.sort();
    missed
}

impl Walk<'_> {
    fn below(&mut self, top: &RootPath) {
        let Some(way) = self.way_to(top) else { return };
        let mut open = vec![(top.clone(), way)];
        while let Some((path, way)) = open.pop() {
            if path.parts().count() > DEPTH_MAX {
                let why = format!("it lies deeper than {DEPTH_MAX} folders");
                self.missed.push(Missed::new(path.as_str(), Reason::Limit, why));
                continue;
            }
            match self.folder(&path, way) {
                Ok(inside) => open.extend(inside),
                Err(missed) => self.missed.push(missed),
            }
            if self.seen > ENTRIES_MAX {
                let why = format!("there are more than {ENTRIES_MAX} files; the rest was left out");
                self.missed.push(Missed::new(path.as_str(), Reason::Limit, why));
                return;
            }
        }
    }

    /// What holds in `top`, from all that lies above it; `None` where it is left out.
    fn way_to(&mut self, top: &RootPath) -> Option<Way> {
        let (mut way, mut here) = (Way::default(), RootPath::ROOT);
        for part in top.parts() {
            here = here.join(part).ok()?;
            let (verdict, onward) = self.rules.look(&here, true, &way);
            way = onward;
            match verdict {
                Verdict::Out | Verdict::Closed => return None,
                Verdict::In => {}
                Verdict::Through => {
                    let parent = self.root.sub(&here.parent().unwrap_or_default()).ok()?;
                    let found = entry(self.root, &parent, OsStr::new(part), &here).ok().flatten()?;
                    self.waiting.insert(here.clone(), found);
                }
            }
        }
        Some(way)
    }

    /// Takes in what lies in one folder; gives the folders that are to be entered.
    fn folder(&mut self, path: &RootPath, mut way: Way) -> Result<Vec<(RootPath, Way)>, Missed> {
        let failed = |error: io::Error| Missed::disk(path.as_str(), &error);
        let folder = self.root.sub(path).map_err(failed)?;
        let names = folder.names().map_err(failed)?;
        let has = |name: &str| names.iter().any(|one| one == name);
        let unread = |error: io::Error| Missed::disk(&format!("{path}/.gitignore"), &error);
        self.rules.enter(&folder, path, &mut way, has).map_err(unread)?;
        let mut inside = Vec::new();
        for name in &names {
            self.seen += 1;
            if self.seen > ENTRIES_MAX {
                break;
            }
            match self.one(&folder, name, path, &way) {
                Ok(found) => inside.extend(found),
                Err(missed) => self.missed.push(missed),
            }
        }
        Ok(inside)
    }

    /// Takes in one entry; gives its path where it is a folder that is to be entered.
    fn one(
        &mut self,
        folder: &Dir,
        name: &OsStr,
        above: &RootPath,
        way: &Way,
    ) -> Result<Option<(RootPath, Way)>, Missed> {
        let lossy = || format!("{above}/{}", name.to_string_lossy()).trim_start_matches('/').to_owned();
        let unfit = |why: String| Missed::new(&lossy(), Reason::Name, why);
        let text = name.to_str().ok_or_else(|| unfit("its name is no UTF-8".to_owned()))?;
        let path = above.join(text).map_err(|error| unfit(error.to_string()))?;
        let Some(meta) =
            there(folder.meta_here(name)).map_err(|error| Missed::disk(path.as_str(), &error))?
        else {
            return Ok(None);
        };
        let (verdict, onward) = self.rules.look(&path, meta.is_dir(), way);
        if verdict == Verdict::Out {
            return Ok(None);
        }
        let Some(found) = entry(self.root, folder, name, &path)? else { return Ok(None) };
        let is_dir = matches!(found.kind, Kind::Dir);
        if verdict == Verdict::Through {
            self.waiting.insert(path.clone(), found);
        } else {
            self.take(path.clone(), found);
        }
        Ok((is_dir && verdict != Verdict::Closed).then_some((path, onward)))
    }

    /// Takes in an entry, and the folders above it that were left out until now.
    fn take(&mut self, path: RootPath, entry: Entry) {
        if !self.waiting.is_empty() {
            let mut above = Vec::new();
            let mut parent = path.parent();
            while let Some(folder) = parent {
                parent = folder.parent();
                above.extend(self.waiting.remove_entry(&folder));
            }
            above.reverse();
            self.taken.extend(above.into_iter().map(|(path, entry)| (path, self.rules.settle(entry))));
        }
        self.taken.push((path, self.rules.settle(entry)));
    }
}

/// What lies under a name of a folder, owned by root; `None` for nothing and for sockets.
pub(crate) fn entry(
    root: &Dir,
    folder: &Dir,
    name: &OsStr,
    path: &RootPath,
) -> Result<Option<Entry>, Missed> {
    let failed = |error: io::Error| Missed::disk(path.as_str(), &error);
    let Some(meta) = there(folder.meta_here(name)).map_err(failed)? else { return Ok(None) };
    let (mode, kind) = if meta.is_dir() {
        (meta.mode(), Kind::Dir)
    } else if meta.is_symlink() {
        let Some(target) = there(folder.link_here(name)).map_err(failed)? else { return Ok(None) };
        let target = target.into_string().map_err(|_| {
            Missed::new(path.as_str(), Reason::Name, "it is a link to a name that is no UTF-8")
        })?;
        (0o777, Kind::Symlink(target))
    } else if meta.is_file() {
        (meta.mode(), Kind::File(Located::content(root, path.clone(), meta.size())))
    } else if meta.is_socket() {
        return Ok(None);
    } else {
        return Err(Missed::new(path.as_str(), Reason::Device, "it is a pipe or a device"));
    };
    Ok(Some(Entry { attrs: Attrs::root(mode), kind }))
}

/// What is gone by the time it is looked at was never there.
fn there<T>(found: io::Result<T>) -> io::Result<Option<T>> {
    match found {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        found => found.map(Some),
    }
}
