use std::collections::BTreeMap;

use kiln_node::{AppFacts, LockKind, Manager, PackageJson};

/// What is known of an app folder with a Dockerfile.
#[derive(Clone, Debug, Default)]
pub struct Project {
    /// The text of the Dockerfile.
    pub dockerfile: String,
    /// The text of `.dockerignore`, where there is one.
    pub dockerignore: Option<String>,
    /// The text of the app's own `.npmrc`.
    pub npmrc: Option<String>,
    /// The text of every `package.json` of the app, by path.
    pub manifests: BTreeMap<String, String>,
    /// The text of `package-lock.json`, which shows where packages lie.
    pub npm_lock: Option<String>,
    /// The app.
    pub facts: AppFacts,
    /// The text of its shell scripts, by path.
    pub scripts: BTreeMap<String, String>,
}

impl Project {
    /// The lock file that is there.
    pub(crate) fn lock_name(&self) -> Option<&'static str> {
        match (&self.facts.yarn, &self.facts.lock) {
            (Some(_), _) => Some(LockKind::Yarn.file_name()),
            (None, Some((LockKind::Bun, _)) | None) => None,
            (None, Some((kind, _))) => Some(kind.file_name()),
        }
    }

    /// The package manager that wrote it; `None` for bun, whose installs are not rewritten.
    pub(crate) fn manager(&self) -> Option<Manager> {
        match (&self.facts.yarn, &self.facts.lock) {
            (Some(_), _) => Some(Manager::Yarn),
            (None, Some((LockKind::Bun, _)) | None) => None,
            (None, Some((kind, _))) => Some(kind.manager()),
        }
    }

    /// Whether a file lies at `path` in the app folder.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.facts.files.iter().any(|file| file.as_str() == path)
    }

    /// Whether anything lies in the folder `path`.
    pub(crate) fn has_folder(&self, path: &str) -> bool {
        let below = format!("{path}/");
        self.facts.files.iter().any(|file| file.as_str().starts_with(&below))
    }

    /// The `package.json` of the project in `folder`; empty for the root.
    pub(crate) fn package(&self, folder: &str) -> &PackageJson {
        self.facts.workspace.get(folder).unwrap_or(&self.facts.package)
    }

    /// Whether any source mentions `text`.
    pub(crate) fn mentions(&self, text: &str) -> bool {
        self.facts.sources.values().any(|source| source.contains(text))
    }

    /// Whether a package is among the dependencies of the root or of any project.
    pub(crate) fn depends_on(&self, name: &str) -> bool {
        let packages = std::iter::once(&self.facts.package).chain(self.facts.workspace.values());
        packages.into_iter().any(|package| {
            package.dependencies.contains_key(name)
                || package.dev_dependencies.contains_key(name)
                || package.optional_dependencies.contains_key(name)
        })
    }
}
