use crate::{Kind, RootPath, Tree};

/// How many links one path may go through (Linux's `MAXSYMLINKS`).
const LINKS_MAX: usize = 40;

/// Where `path` leads when every link on the way is followed as inside a container: targets are taken from the root and
/// cannot leave it. `link` gives the target of a link. The last part is followed only where `follow_last`. What does not
/// exist is taken as written. `None` where links lead in a circle.
pub fn resolve<'a>(
    path: &RootPath,
    follow_last: bool,
    link: &dyn Fn(&RootPath) -> Option<&'a str>,
) -> Option<RootPath> {
    let mut left: Vec<String> = path.as_str().split('/').rev().map(str::to_owned).collect();
    let mut at: Vec<String> = Vec::new();
    let mut links = 0;
    while let Some(part) = left.pop() {
        match part.as_str() {
            "" | "." => continue,
            ".." => {
                at.pop();
                continue;
            }
            _ => at.push(part),
        }
        if left.is_empty() && !follow_last {
            break;
        }
        if let Some(target) = link(&RootPath::normalise(&at.join("/")).ok()?) {
            links += 1;
            if links > LINKS_MAX {
                return None;
            }
            at.pop();
            if target.starts_with('/') {
                at.clear();
            }
            left.extend(target.split('/').rev().map(str::to_owned));
        }
    }
    RootPath::normalise(&at.join("/")).ok()
}

impl Tree {
    /// Where `path` leads in this tree; see [`resolve`].
    pub fn resolve(&self, path: &RootPath, follow_last: bool) -> Option<RootPath> {
        resolve(path, follow_last, &|path| match self.get(path).map(|entry| &entry.kind) {
            Some(Kind::Symlink(target)) => Some(target),
            _ => None,
        })
    }

    /// Where `path` leads in this tree; `None` where that is outside of it, or nowhere: for trees that are a folder of something larger.
    pub fn resolve_within(&self, path: &RootPath) -> Option<RootPath> {
        // The tree as a folder of a root that has nothing else, so that whatever climbs out of it is told from what does not.
        const INSIDE: &str = "\u{1}/";
        let within = RootPath::normalise(&format!("{INSIDE}{path}")).ok()?;
        let link = |path: &RootPath| {
            let below = RootPath::normalise(path.as_str().strip_prefix(INSIDE)?).ok()?;
            match self.get(&below).map(|entry| &entry.kind) {
                Some(Kind::Symlink(target)) => Some(target.as_str()),
                _ => None,
            }
        };
        let end = resolve(&within, true, &link)?;
        RootPath::normalise(end.as_str().strip_prefix(INSIDE)?).ok()
    }

    /// Whether `path`, followed, is a directory. The root always is one.
    pub fn is_dir(&self, path: &RootPath) -> bool {
        self.resolve(path, true).is_some_and(|path| {
            path.is_root() || self.get(&path).is_some_and(|entry| matches!(entry.kind, Kind::Dir))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(tree: &Tree, path: &str, follow_last: bool) -> Option<String> {
        Some(tree.resolve(&RootPath::new(path).unwrap(), follow_last)?.to_string())
    }

    #[test]
    fn links_are_followed_and_cannot_leave_the_root() {
        let mut tree = Tree::new();
        tree.insert_dir("usr/bin", 0o755).unwrap();
        tree.insert_symlink("bin", "usr/bin").unwrap();
        tree.insert_symlink("usr/up", "../../../../etc").unwrap();
        tree.insert_symlink("abs", "/bin/../bin").unwrap();
        tree.insert_symlink("loop", "loop").unwrap();
        assert_eq!(resolved(&tree, "bin/node", true).unwrap(), "usr/bin/node");
        assert_eq!(resolved(&tree, "bin", false).unwrap(), "bin");
        assert_eq!(resolved(&tree, "usr/up/passwd", true).unwrap(), "etc/passwd");
        assert_eq!(resolved(&tree, "abs/x/y", true).unwrap(), "usr/bin/x/y");
        assert_eq!(resolved(&tree, "loop/x", true), None);
        assert!(tree.is_dir(&RootPath::new("abs").unwrap()) && tree.is_dir(&RootPath::ROOT));
        assert!(!tree.is_dir(&RootPath::new("loop").unwrap()));
    }

    #[test]
    fn what_leads_out_is_told_from_what_does_not() {
        let mut tree = Tree::new();
        for (link, target) in [
            ("p/in", "../real"),
            ("p/out", "../../ext"),
            ("abs", "/real"),
            ("p/far", "out/x"),
            ("loop", "loop"),
        ] {
            tree.insert_symlink(link, target).unwrap();
        }
        let within = |path: &str| Some(tree.resolve_within(&RootPath::new(path).unwrap())?.to_string());
        assert_eq!(within("p/in/a").unwrap(), "real/a");
        assert_eq!(within("p").unwrap(), "p");
        for path in ["p/out", "p/out/a", "abs", "p/far", "loop"] {
            assert_eq!(within(path), None, "{path}");
        }
    }
}
