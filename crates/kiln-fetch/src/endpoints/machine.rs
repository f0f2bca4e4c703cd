use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The largest file of settings of this machine, in bytes.
pub(crate) const SETTINGS_MAX: u64 = 4 << 20;

/// The machine as far as its clients' configuration goes.
#[derive(Clone, Debug, Default)]
pub struct Machine {
    /// The root of the file system.
    pub root: PathBuf,
    /// The home folder of the user.
    pub home: Option<PathBuf>,
    /// The folder of the app, whose `.npmrc` counts first.
    pub project: PathBuf,
    /// Environment variables.
    pub vars: BTreeMap<String, String>,
}

impl Machine {
    /// This machine, for the app in `project`.
    pub fn here(project: &Path) -> Self {
        let vars: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self {
            root: PathBuf::from("/"),
            home: vars.get("HOME").map(PathBuf::from),
            project: project.to_owned(),
            vars,
        }
    }

    pub(crate) fn var(&self, name: &str) -> Option<&str> {
        self.vars.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The first program called `name` on the search path.
    pub(crate) fn program(&self, name: &str) -> Option<PathBuf> {
        let path = self.var("PATH")?;
        path.split(':')
            .filter(|folder| folder.starts_with('/'))
            .map(|folder| self.root.join(folder.trim_start_matches('/')).join(name))
            .find(|file| file.is_file())
    }

    /// The text of the file at an absolute `path`, if it can be read.
    pub(crate) fn text(&self, path: &str) -> Option<String> {
        kiln_disk::read_text(&self.root.join(path.trim_start_matches('/')), SETTINGS_MAX).ok()
    }
}
