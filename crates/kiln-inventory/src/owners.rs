use std::collections::{HashMap, HashSet};

use kiln_pkg::{Ecosystem, Package};

use crate::facts::Reading;
use crate::stack::Stack;

/// Which operating-system package put which file there.
pub(crate) struct Owners<'a> {
    by_path: HashMap<&'a str, &'a str>,
    /// The distribution's package of Node.js, where there is one; NodeSource's are the Node.js project's own builds.
    node: Option<&'a str>,
    node_source: bool,
    /// Packages that put something where none of a distribution does.
    others: HashSet<&'a str>,
}

impl<'a> Owners<'a> {
    pub(crate) fn of(stack: &Stack<'a>) -> Self {
        let mut owners =
            Self { by_path: HashMap::new(), node: None, node_source: false, others: HashSet::new() };
        for (_, reading, _) in stack.readings() {
            match reading {
                Reading::Owned { package, paths } => {
                    if paths.iter().any(|path| is_beside_distribution(path)) {
                        owners.others.insert(package);
                    }
                    owners.by_path.extend(paths.iter().map(|path| (merged(path), package.as_str())));
                }
                Reading::Package(package) if is_node(package) => {
                    owners.node_source |= package.version.contains("nodesource");
                    owners.node = Some(&package.name);
                }
                _ => {}
            }
        }
        if owners.node_source {
            owners.node = None;
        }
        owners
    }

    /// Whether any package put the file at `path` there.
    pub(crate) fn own(&self, path: &str) -> bool {
        self.by_path.contains_key(merged(path))
    }

    /// Whether the files of an operating-system package say that it is a vendor's.
    pub(crate) fn is_of_others(&self, package: &Package) -> bool {
        package.ecosystem == Ecosystem::Deb && self.others.contains(package.name.as_str())
    }

    /// The package that put the file at `path` there, of which `package` was read.
    pub(crate) fn owner(&self, path: &str, package: &Package) -> Option<String> {
        let listed = self.by_path.get(merged(path)).copied();
        match package.ecosystem {
            Ecosystem::Deb | Ecosystem::Apk => None,
            // Lists of files may be left out of an image, so the usual place speaks, too.
            Ecosystem::Node if self.node_source => None,
            Ecosystem::Node => listed.or_else(|| {
                self.node.filter(|_| {
                    matches!(path, "usr/bin/node" | "usr/bin/nodejs" | "bin/node")
                        || path.contains("/libnode.so.")
                })
            }),
            _ => listed,
        }
        .map(str::to_owned)
    }
}

/// Where packages of Debian have no files. Source: Debian Policy 9.1.1 and 9.1.2, Filesystem Hierarchy Standard 3.0.
fn is_beside_distribution(path: &str) -> bool {
    const OWN: &[&str] = &["bin", "boot", "etc", "lib", "lib32", "lib64", "libx32", "sbin", "usr", "var"];
    let top = path.split('/').next().unwrap_or_default();
    !OWN.contains(&top) || ["usr/local/", "var/www/", "var/opt/"].iter().any(|local| path.starts_with(local))
}

fn is_node(package: &Package) -> bool {
    match package.ecosystem {
        Ecosystem::Deb => package.name == "nodejs",
        Ecosystem::Apk => package.name == "nodejs" || package.name.starts_with("nodejs-"),
        _ => false,
    }
}

/// The same file has two names where `bin`, `lib` and `sbin` are links into `usr`.
fn merged(path: &str) -> &str {
    match path.strip_prefix("usr/") {
        Some(rest) if ["bin/", "lib/", "sbin/"].iter().any(|folder| rest.starts_with(folder)) => rest,
        _ => path,
    }
}
