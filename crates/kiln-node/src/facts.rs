use std::collections::BTreeMap;

use kiln_rootfs::RootPath;

use crate::{Lock, LockKind, PackageJson, ScriptAllowances, Yarn};

/// What is known of an app folder. Nothing in it depends on where the folder lies.
#[derive(Clone, Debug, Default)]
pub struct AppFacts {
    /// The `package.json` of the folder.
    pub package: PackageJson,
    /// The `package.json` of each project of its workspace, by folder.
    pub workspace: BTreeMap<String, PackageJson>,
    /// Links in the place of projects, and their targets as they are written. Each leads to a folder of `workspace`.
    pub links: BTreeMap<RootPath, String>,
    /// Its lock file, where kiln can install from it.
    pub lock: Option<(LockKind, Lock)>,
    /// Yarn 2 or newer, where that wrote the lock file.
    pub yarn: Option<Yarn>,
    /// The names of all lock files at its top, of whatever package manager, sorted.
    pub lock_files: Vec<String>,
    /// The versions of Node that files of it ask for.
    pub node_requests: Vec<NodeRequest>,
    /// Which packages may run their install scripts, as its package manager is told.
    pub scripts: ScriptAllowances,
    /// What says how it is built and run as a container.
    pub beside: Beside,
    /// How files beside it start it, the one that counts first.
    pub commands: Vec<StartCommand>,
    /// All its files, without those that whoever asks leaves out.
    pub files: Vec<RootPath>,
    /// The text of its own JavaScript and TypeScript, by path.
    pub sources: BTreeMap<RootPath, String>,
}

impl AppFacts {
    /// The folder and the `package.json` of every project: the root, whose folder is empty, and then those of its workspace.
    pub fn projects(&self) -> impl Iterator<Item = (&str, &PackageJson)> {
        let below = self.workspace.iter().map(|(folder, package)| (folder.as_str(), package));
        std::iter::once(("", &self.package)).chain(below)
    }
}

/// Files at the top of an app and one folder below that say how it is built and run as a container. They are found
/// whether or not they are left out of builds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beside {
    /// Dockerfiles.
    pub dockerfiles: Vec<RootPath>,
    /// Files of Docker Compose.
    pub compose: Vec<RootPath>,
    /// Manifests for Kubernetes.
    pub manifests: Vec<RootPath>,
}

/// A command that starts the app, as a file beside it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartCommand {
    /// The name of the file.
    pub by: &'static str,
    /// The command as a shell would read it.
    pub command: String,
}

/// A version or a range of Node that something asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeRequest {
    /// What asks: the name of a file, or `engines.node` and others of `package.json`.
    pub by: &'static str,
    /// As it is written: `>=22`, `v24.1.0`, `lts/jod`.
    pub range: String,
}

/// Files that ask for a version of Node and hold nothing else, or a tool on each line.
pub const NODE_VERSION_FILES: [&str; 3] = [".nvmrc", ".node-version", ".tool-versions"];

impl NodeRequest {
    /// What `package.json` asks for, and what the files of [`NODE_VERSION_FILES`] whose texts are given do.
    pub fn all(package: &PackageJson, files: &[(&'static str, String)]) -> Vec<Self> {
        let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
        let runtime = || {
            let runtime = package.dev_engines.as_ref()?.get("runtime")?;
            // One, or a list of several.
            let all = runtime.as_array().map_or(std::slice::from_ref(runtime), Vec::as_slice);
            text(all.iter().find(|one| one["name"] == "node")?.get("version")?)
        };
        let of_package = [
            ("engines.node", package.node_range().map(str::to_owned)),
            ("devEngines.runtime", runtime()),
            ("volta.node", package.volta.as_ref().and_then(|volta| text(volta.get("node")?))),
        ];
        let of_files = files.iter().map(|(name, text)| (*name, in_file(name, text)));
        let asked = of_package.into_iter().chain(of_files);
        asked.filter_map(|(by, range)| Some(Self { by, range: range? })).collect()
    }
}

fn in_file(name: &str, text: &str) -> Option<String> {
    let mut lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    if name != ".tool-versions" {
        return lines.find(|line| !line.is_empty()).map(str::to_owned);
    }
    lines.find_map(|line| {
        let mut words = line.split_whitespace();
        matches!(words.next(), Some("nodejs" | "node")).then(|| words.next().map(str::to_owned))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_that_asks_for_node_is_heard() {
        let package = br#"{"engines": {"node": ">=22"}, "volta": {"node": "24.1.0"},
            "devEngines": {"runtime": [{"name": "bun"}, {"name": "node", "version": "^24"}]}}"#;
        let package = PackageJson::read("package.json", package).unwrap();
        let files = [
            (".nvmrc", "# the line\nlts/jod # for now\n".to_owned()),
            (".node-version", "\n".to_owned()),
            (".tool-versions", "python 3.13\nnodejs 24.2.0 system\n".to_owned()),
        ];
        let asked: Vec<(&str, String)> =
            NodeRequest::all(&package, &files).into_iter().map(|one| (one.by, one.range)).collect();
        let expected = [
            ("engines.node", ">=22"),
            ("devEngines.runtime", "^24"),
            ("volta.node", "24.1.0"),
            (".nvmrc", "lts/jod"),
            (".tool-versions", "24.2.0"),
        ];
        assert_eq!(asked, expected.map(|(by, range)| (by, range.to_owned())));
    }
}
