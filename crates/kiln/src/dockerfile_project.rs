//! An app folder with a Dockerfile, taken in for a rewrite.

use std::collections::BTreeMap;
use std::path::Path;

use kiln_finding::{Class, Failure};
use kiln_node::{AppFacts, PackageJson, Yarn};
use kiln_rootfs::{RootPath, Tree};

use crate::project::{self, Project, bytes};

/// The largest shell script that is looked into, in bytes.
const SCRIPT_MAX: usize = 256 << 10;

/// Reads the Dockerfile of `folder` and all that a rewrite of it must know.
pub(crate) fn collect(folder: &Path) -> Result<kiln_rewrite::Project, Failure> {
    let path = folder.join("Dockerfile");
    let dockerfile = kiln_disk::read_text(&path, kiln_disk::DOCUMENT_MAX).map_err(|error| {
        Failure::new("kiln.no_dockerfile", Class::Usage, format!("read {}", path.display()))
            .with_cause(error.to_string())
            .with_help(
                "name the folder of an app with a Dockerfile, or run `kiln plan --write` for a first one",
            )
    })?;
    let project = Project::collect_with(folder, &|tree| match yarn(tree)? {
        Some(_) => Ok(None),
        None => project::lock(tree),
    })?;
    let tree = &project.tree;
    let text = |name: &str| kiln_disk::read_text(&folder.join(name), kiln_disk::DOCUMENT_MAX).ok();
    Ok(kiln_rewrite::Project {
        dockerfile,
        dockerignore: text(".dockerignore"),
        npmrc: optional(tree, ".npmrc")?,
        manifests: manifests(tree, &project.facts)?,
        npm_lock: optional(tree, "package-lock.json")?,
        scripts: scripts(tree)?,
        facts: AppFacts { yarn: yarn(tree)?, ..project.facts },
    })
}

/// The `package.json` of the root and of each project of the workspace.
fn manifests(tree: &Tree, facts: &AppFacts) -> Result<BTreeMap<String, String>, Failure> {
    let of_projects = facts.workspace.keys().map(|folder| format!("{folder}/package.json"));
    let mut manifests = BTreeMap::new();
    for path in std::iter::once("package.json".to_owned()).chain(of_projects) {
        if let Some(text) = optional(tree, &path)? {
            manifests.insert(path, text);
        }
    }
    Ok(manifests)
}

/// What yarn 2 or newer left, if that wrote the lock file.
fn yarn(tree: &Tree) -> Result<Option<Yarn>, Failure> {
    let Some(lock) = optional(tree, "yarn.lock")? else { return Ok(None) };
    let settings = optional(tree, ".yarnrc.yml")?.unwrap_or_default();
    let package = PackageJson::read("package.json", &bytes(tree, "package.json")?)?;
    Ok(Yarn::read(lock.as_bytes(), &settings, &package))
}

fn optional(tree: &Tree, name: &str) -> Result<Option<String>, Failure> {
    if tree.get(&RootPath::normalise(name)?).is_none() {
        return Ok(None);
    }
    Ok(Some(String::from_utf8_lossy(&bytes(tree, name)?).into_owned()))
}

/// Shell scripts at the top and one folder below, where start scripts lie.
fn scripts(tree: &Tree) -> Result<BTreeMap<String, String>, Failure> {
    let mut scripts = BTreeMap::new();
    for (path, _) in tree.iter() {
        let is_near = path.parts().count() <= 2;
        if is_near
            && (path.as_str().rsplit_once('.').is_some_and(|(_, ending)| ending == "sh")
                || path.file_name() == "docker-entrypoint")
        {
            let text = bytes(tree, path.as_str())?;
            if text.len() <= SCRIPT_MAX {
                scripts.insert(path.to_string(), String::from_utf8_lossy(&text).into_owned());
            }
        }
    }
    Ok(scripts)
}
