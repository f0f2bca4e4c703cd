use serde::Serialize;
use serde_json::Value;

use crate::error::ErrorKind;
use crate::lock::is_berry;
use crate::{Error, PackageJson};

/// Yarn 2 or newer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Yarn {
    /// Its exact version, where `packageManager` or the name of the file in `.yarnrc.yml` says it.
    pub version: Option<String>,
    /// It writes `node_modules`.
    pub has_node_modules: bool,
    /// How node finds packages.
    pub linker: Linker,
    /// Loaders of modules are asked for, whatever the projects are.
    pub has_loader: bool,
}

/// How node finds the packages that yarn 2 or newer installs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Linker {
    /// In archives, by a table that is loaded first: yarn's default.
    #[default]
    Pnp,
    /// In `node_modules`, as npm does.
    NodeModules,
    /// In `node_modules`, by links as pnpm does.
    Pnpm,
}

impl Yarn {
    /// What yarn 2 or newer left; `None` where another yarn wrote the lock file. `settings` is the text of `.yarnrc.yml`.
    pub fn read(lock: &[u8], settings: &str, package: &PackageJson) -> Result<Option<Self>, Error> {
        if !is_berry(lock) {
            return Ok(None);
        }
        let unread = |source| ErrorKind::Yaml { path: ".yarnrc.yml".to_owned(), source };
        let settings: Value = if settings.trim().is_empty() {
            Value::Null
        } else {
            serde_saphyr::from_str(settings).map_err(unread)?
        };
        let pinned = package.package_manager.as_deref().and_then(|pin| pin.strip_prefix("yarn@"));
        let pinned = pinned.map(|version| version.split('+').next().unwrap_or(version).to_owned());
        let linker = match settings["nodeLinker"].as_str() {
            Some("node-modules") => Linker::NodeModules,
            Some("pnpm") => Linker::Pnpm,
            _ => Linker::Pnp,
        };
        Ok(Some(Self {
            version: pinned.or_else(|| of_release(settings["yarnPath"].as_str()?)),
            has_node_modules: linker != Linker::Pnp,
            linker,
            has_loader: settings["pnpEnableEsmLoader"] == true,
        }))
    }
}

/// `4.5.0` of `.yarn/releases/yarn-4.5.0.cjs`.
fn of_release(path: &str) -> Option<String> {
    let name = path.rsplit('/').next()?.strip_prefix("yarn-")?;
    let version = name.strip_suffix(".cjs").or_else(|| name.strip_suffix(".js"))?;
    version.starts_with(|first: char| first.is_ascii_digit()).then(|| version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_say_which_yarn_and_how_it_links() {
        let read = |settings: &str| {
            let yarn = Yarn::read(b"__metadata:\n  version: 8\n", settings, &PackageJson::default());
            let yarn = yarn.unwrap().unwrap();
            (yarn.version.unwrap_or_default(), yarn.linker, yarn.has_loader)
        };
        assert_eq!(read(""), (String::new(), Linker::Pnp, false));
        let settings = "nodeLinker: \"node-modules\"\nyarnPath: .yarn/releases/yarn-3.8.6.cjs\n";
        assert_eq!(read(settings), ("3.8.6".to_owned(), Linker::NodeModules, false));
        let settings = "{nodeLinker: pnpm, yarnPath: tools/yarn-next.cjs, pnpEnableEsmLoader: true}";
        assert_eq!(read(settings), (String::new(), Linker::Pnpm, true));
        let package = PackageJson {
            package_manager: Some("yarn@4.5.0+sha224.ab".to_owned()),
            ..PackageJson::default()
        };
        let lock = b"__metadata:\n  version: 8\n";
        let yarn = Yarn::read(lock, "yarnPath: .yarn/releases/yarn-4.4.0.cjs", &package).unwrap();
        assert_eq!(yarn.unwrap().version.as_deref(), Some("4.5.0"));
        assert!(Yarn::read(b"# yarn lockfile v1\n", "[", &package).unwrap().is_none());
        Yarn::read(lock, "a: [", &package).unwrap_err();
    }
}
