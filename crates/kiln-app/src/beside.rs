use kiln_disk::Dir;
use kiln_node::Beside;
use kiln_rootfs::RootPath;

use crate::read_in::read_in;
use crate::{INSTALLED, is_dockerfile};

/// Folders at the top that are looked into.
const FOLDERS_MAX: usize = 200;
/// Files that may be manifests that are looked into, and the largest of them in bytes.
const MANIFESTS_MAX: usize = 200;
const MANIFEST_MAX: u64 = 256 << 10;

/// Looks at the top of a folder and at the folders in it.
pub(crate) fn collect(root: &Dir) -> Beside {
    let mut beside = Beside::default();
    let mut asked = 0;
    let mut open = vec![RootPath::ROOT];
    let mut folders = 0;
    while let Some(above) = open.pop() {
        // What cannot be read is told by the walk.
        let Ok(folder) = root.sub(&above) else { continue };
        let mut names: Vec<String> = folder
            .names()
            .unwrap_or_default()
            .into_iter()
            .filter_map(|name| name.into_string().ok())
            .collect();
        names.sort_unstable();
        for name in names {
            let Ok(path) = above.join(&name) else { continue };
            let kind = Named::of(&name);
            if above.is_root()
                && kind.is_none()
                && folders < FOLDERS_MAX
                && !INSTALLED.contains(&name.as_str())
                && folder.meta_here(name.as_ref()).is_ok_and(|found| found.is_dir())
            {
                folders += 1;
                open.push(path);
                continue;
            }
            if kind.is_none() || !folder.meta_here(name.as_ref()).is_ok_and(|found| found.is_file()) {
                continue;
            }
            match kind {
                Some(Named::Dockerfile) => beside.dockerfiles.push(path),
                Some(Named::Compose) => beside.compose.push(path),
                _ if asked < MANIFESTS_MAX => {
                    asked += 1;
                    if is_manifest(&folder, &name) {
                        beside.manifests.push(path);
                    }
                }
                _ => {}
            }
        }
    }
    for list in [&mut beside.dockerfiles, &mut beside.compose, &mut beside.manifests] {
        list.sort_unstable();
    }
    beside
}

/// What a name says of a file.
#[derive(Clone, Copy)]
enum Named {
    Dockerfile,
    Compose,
    Yaml,
}

impl Named {
    fn of(name: &str) -> Option<Self> {
        let stem = name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".yml"));
        match stem {
            _ if is_dockerfile(name) => Some(Self::Dockerfile),
            Some(stem) if ["compose", "docker-compose"].iter().any(|one| is_or_begins(stem, one)) => {
                Some(Self::Compose)
            }
            Some(_) => Some(Self::Yaml),
            None => None,
        }
    }
}

/// `compose`, and `compose.override`.
fn is_or_begins(stem: &str, word: &str) -> bool {
    stem.strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']))
}

/// Whether a file has the two fields that every object of Kubernetes has.
fn is_manifest(folder: &Dir, name: &str) -> bool {
    let Ok(Some(bytes)) = read_in(folder, name, MANIFEST_MAX) else { return false };
    let text = String::from_utf8_lossy(&bytes);
    let has = |key: &str| text.lines().any(|line| line.starts_with(key));
    has("apiVersion:") && has("kind:")
}
