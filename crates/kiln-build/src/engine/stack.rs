use std::sync::Arc;

use kiln_rootfs::{Delta, Entry, Kind, RootPath, resolve};

use crate::error::ErrorKind;
use crate::{Error, content};

/// Text files are read up to here, in bytes.
const TEXT_MAX: u64 = 4 << 20;

/// Layers over each other, as a root file system is seen without putting it together.
#[derive(Clone, Debug, Default)]
pub struct Stack {
    /// Topmost first.
    layers: Vec<Arc<Delta>>,
}

impl Stack {
    /// `layers` are given lowest first.
    pub fn new(mut layers: Vec<Arc<Delta>>) -> Self {
        layers.retain(|layer| !layer.is_empty());
        layers.reverse();
        Self { layers }
    }

    /// What is seen at `path`, links not followed.
    pub fn get(&self, path: &RootPath) -> Option<&Entry> {
        for layer in &self.layers {
            if let Some(entry) = layer.tree.get(path) {
                return Some(entry);
            }
            let mut above = Some(path.clone());
            while let Some(here) = above {
                let hidden = layer.removed.contains(&here) || here != *path && layer.opaque.contains(&here);
                let is_file =
                    here != *path && layer.tree.get(&here).is_some_and(|e| !matches!(e.kind, Kind::Dir));
                if hidden || is_file {
                    return None;
                }
                above = here.parent();
            }
        }
        None
    }

    /// Whether something is seen whose path is such.
    pub fn has(&self, is_such: impl Fn(&RootPath) -> bool) -> bool {
        let paths = self.layers.iter().flat_map(|layer| layer.tree.iter().map(|(path, _)| path));
        paths.filter(|path| is_such(path)).any(|path| self.get(path).is_some())
    }

    /// Where `path` leads.
    pub(super) fn follow(&self, path: &RootPath) -> Result<RootPath, Error> {
        let link = |path: &RootPath| match self.get(path).map(|entry| &entry.kind) {
            Some(Kind::Symlink(target)) => Some(target.as_str()),
            _ => None,
        };
        resolve(path, true, &link).ok_or_else(|| ErrorKind::Circle { path: format!("/{path}") }.into())
    }

    /// The text of a small file; `None` where there is none.
    pub(super) fn text(&self, path: &str) -> Result<Option<String>, Error> {
        let path = RootPath::new(path).map_err(|source| ErrorKind::Tree { source })?;
        let Some(entry) = self.get(&self.follow(&path)?) else { return Ok(None) };
        let Kind::File(text) = &entry.kind else { return Ok(None) };
        let bytes = content::read(format_args!("/{path}"), text, TEXT_MAX)?;
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RootPath {
        RootPath::new(text).unwrap()
    }

    #[test]
    fn upper_layers_hide_lower_ones() {
        let (mut low, mut high) = (Delta::default(), Delta::default());
        for file in ["a/b", "o/p", "gone/x", "file/y"] {
            low.tree.insert_file(file, 0o644, *b"low").unwrap();
        }
        high.tree.insert_file("o/new", 0o644, *b"high").unwrap();
        high.tree.insert_file("file", 0o644, *b"high").unwrap();
        high.opaque.insert(path("o"));
        high.removed.insert(path("gone"));
        let stack = Stack::new(vec![low.into(), high.into()]);
        let seen = |text: &str| stack.get(&path(text)).is_some();
        assert!(seen("a/b") && seen("o") && seen("o/new") && seen("file"));
        assert!(!seen("o/p") && !seen("gone") && !seen("gone/x") && !seen("file/y"));
        assert_eq!(stack.text("file").unwrap().unwrap(), "high");
    }
}
