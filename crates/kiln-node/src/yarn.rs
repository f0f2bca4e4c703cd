use crate::PackageJson;
use crate::lock::is_berry;

/// Yarn 2 or newer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Yarn {
    /// Its exact version, where `packageManager` or `.yarnrc.yml` says it.
    pub version: Option<String>,
    /// It writes `node_modules`.
    pub has_node_modules: bool,
}

impl Yarn {
    /// What yarn 2 or newer left; `None` where another yarn wrote the lock file. `settings` is the text of `.yarnrc.yml`.
    pub fn read(lock: &[u8], settings: &str, package: &PackageJson) -> Option<Self> {
        if !is_berry(lock) {
            return None;
        }
        let pinned = package.package_manager.as_deref().and_then(|pin| pin.strip_prefix("yarn@"));
        let pinned = pinned.map(|version| version.split('+').next().unwrap_or(version).to_owned());
        let of_path =
            settings.split("yarn-").nth(1).and_then(|rest| rest.split(".cjs").next()).map(str::to_owned);
        Some(Self {
            version: pinned.or(of_path),
            has_node_modules: settings.contains("nodeLinker: node-modules"),
        })
    }
}
