//! What the source of a `COPY` names in a tree.

use kiln_dockerfile::{Ignore, Wildcard, has_wildcard};
use kiln_rootfs::{Entry, RootPath, Tree};

use super::rooted::rooted;
use crate::Error;
use crate::error::ErrorKind;

/// A file or folder to be copied.
#[derive(Clone, Debug)]
pub(crate) struct Item<'a> {
    pub(crate) tree: &'a Tree,
    /// Where it lies, links followed.
    pub(crate) path: RootPath,
    /// What it is called where it goes: the last part of its path as written.
    pub(crate) name: String,
    /// The path below the destination that it keeps (`--parents`).
    pub(crate) keeps: Option<String>,
}

impl Item<'_> {
    /// The entry; `None` for the root of the tree.
    pub(crate) fn entry(&self) -> Option<&Entry> {
        self.tree.get(&self.path)
    }
}

/// Everything that `source` names. A pattern may name nothing; a path must be there, or be the root.
pub(crate) fn select<'a>(tree: &'a Tree, source: &str, parents: bool) -> Result<Vec<Item<'a>>, Error> {
    // What stands before `/./` is not kept by `--parents`.
    let (pivot, kept) = match source.split_once("/./") {
        Some((pivot, kept)) if parents => (pivot, kept),
        _ => ("", source),
    };
    let written = rooted(source)?;
    if !has_wildcard(source) {
        let missing = || Error::from(ErrorKind::NotFound { path: source.to_owned() });
        let path = tree.resolve(&written, true).ok_or_else(missing)?;
        if !path.is_root() && tree.get(&path).is_none() {
            return Err(missing());
        }
        let keeps = if parents { Some(rooted(kept)?.to_string()) } else { None };
        return Ok(vec![Item { tree, path, name: written.file_name().to_owned(), keeps }]);
    }
    let matcher = Matcher::new(source, parents)?;
    let pivot = rooted(pivot)?;
    let mut items: Vec<Item<'a>> = Vec::new();
    for (path, _) in tree.iter() {
        // What lies in a folder that matched comes with it.
        if items.last().is_some_and(|last| path.starts_with(&last.path)) {
            continue;
        }
        if !matcher.is_match(path.as_str()) {
            continue;
        }
        let Some(target) = tree.resolve(path, true).filter(|target| tree.get(target).is_some()) else {
            continue;
        };
        let keeps = parents.then(|| path.as_str()[pivot.as_str().len()..].trim_start_matches('/').to_owned());
        items.push(Item { tree, path: target, name: path.file_name().to_owned(), keeps });
    }
    Ok(items)
}

/// The deepest folder that surely holds all that `source` can name.
pub(crate) fn prefix(source: &str) -> Result<RootPath, Error> {
    if !has_wildcard(source) {
        return rooted(source);
    }
    let plain = source.split('/').take_while(|part| !has_wildcard(part));
    rooted(&plain.collect::<Vec<_>>().join("/"))
}

fn written_pattern(source: &str) -> String {
    let parts = source.split('/').filter(|part| !part.is_empty() && *part != ".");
    parts.collect::<Vec<_>>().join("/")
}

/// A source that names more than one path.
enum Matcher {
    /// As Go's `filepath.Match`.
    Plain(Wildcard),
    /// With `**`, for `--parents`.
    Deep(Ignore),
}

impl Matcher {
    fn new(source: &str, parents: bool) -> Result<Self, Error> {
        let pattern = written_pattern(source);
        if parents {
            return Ok(Self::Deep(Ignore::from_patterns([pattern.as_str()])));
        }
        let failed = |why| ErrorKind::Pattern { pattern: source.to_owned(), why };
        Ok(Self::Plain(Wildcard::parse(&pattern).map_err(failed)?))
    }

    fn is_match(&self, path: &str) -> bool {
        match self {
            Self::Plain(wildcard) => wildcard.is_match(path),
            Self::Deep(pattern) => pattern.is_ignored(path),
        }
    }
}
