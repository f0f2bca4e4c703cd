use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::ErrorKind;
use crate::{Error, from_json};

/// The largest `package.json` that is read, in bytes.
const SIZE_MAX: usize = 4 << 20;

/// What kiln needs of a `package.json`. Fields it does not need are not looked at, so an oddity there is no error.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PackageJson {
    /// Name of the package.
    pub name: Option<String>,
    /// Version of the package.
    pub version: Option<String>,
    /// One line about it.
    pub description: Option<Value>,
    /// Licence, usually an SPDX expression.
    pub license: Option<Value>,
    /// The file that `require` loads.
    pub main: Option<String>,
    /// Scripts by name.
    pub scripts: BTreeMap<String, String>,
    /// Packages needed to run.
    pub dependencies: BTreeMap<String, String>,
    /// Packages needed to build and test.
    pub dev_dependencies: BTreeMap<String, String>,
    /// Packages that may be missing.
    pub optional_dependencies: BTreeMap<String, String>,
    /// Packages that whoever uses this one brings.
    pub peer_dependencies: Option<Value>,
    /// What npm takes in place of packages.
    pub overrides: Option<Value>,
    /// Versions of Node and of package managers this project takes.
    pub engines: Option<Value>,
    /// What whoever works on this project runs it with.
    pub dev_engines: Option<Value>,
    /// What Volta runs it with.
    pub volta: Option<Value>,
    /// `name@version[+hash]` of the package manager.
    pub package_manager: Option<String>,
    /// Globs of workspace folders: an array, or yarn's object with `packages`.
    pub workspaces: Option<Value>,
    /// pnpm's settings, up to version 10.
    pub pnpm: Option<Value>,
    /// Packages whose scripts bun runs.
    pub trusted_dependencies: Option<Value>,
    /// Packages whose scripts npm runs, from version 12 on.
    pub allow_scripts: Option<Value>,
    /// Which modules its files are: `module`, or `commonjs`.
    #[serde(rename = "type")]
    pub module_type: Option<Value>,
    /// What yarn 2 and newer take in place of packages.
    pub resolutions: Option<Value>,
    /// What yarn 2 and newer are told of packages.
    pub dependencies_meta: Option<Value>,
}

/// A package manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Manager {
    /// npm.
    Npm,
    /// pnpm.
    Pnpm,
    /// yarn, of any version.
    Yarn,
    /// bun.
    Bun,
}

impl Manager {
    /// The name of its program.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Npm => "npm",
            Self::Pnpm => "pnpm",
            Self::Yarn => "yarn",
            Self::Bun => "bun",
        }
    }
}

/// A package manager at an exact version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManagerPin {
    /// Which.
    pub manager: Manager,
    /// `1.2.3`, without a hash.
    pub version: String,
    /// The hash behind it, as corepack writes it: `sha512.c0ffee`.
    pub hash: Option<String>,
}

impl PackageJson {
    /// Reads the text of the file at `path`, which is used in messages only.
    pub fn read(path: &str, bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > SIZE_MAX {
            return Err(ErrorKind::TooLarge { path: path.to_owned(), limit: SIZE_MAX }.into());
        }
        from_json(bytes).map_err(|source| ErrorKind::Json { path: path.to_owned(), source }.into())
    }

    /// The range of Node versions this project takes.
    pub fn node_range(&self) -> Option<&str> {
        self.engines.as_ref()?.get("node")?.as_str()
    }

    /// The folders that `workspaces` names, as globs.
    pub fn workspace_globs(&self) -> Vec<String> {
        let Some(workspaces) = &self.workspaces else { return Vec::new() };
        let list = workspaces.get("packages").unwrap_or(workspaces).as_array();
        list.into_iter().flatten().filter_map(|glob| Some(glob.as_str()?.to_owned())).collect()
    }

    /// The package manager that `packageManager` pins; `None` where the field is missing.
    pub fn manager_pin(&self) -> Result<Option<ManagerPin>, Error> {
        let Some(field) = &self.package_manager else { return Ok(None) };
        let unfit = |why: String| ErrorKind::Unfit {
            path: "package.json".to_owned(),
            why,
            help: "kiln runs npm, pnpm, yarn and bun; write for instance \"packageManager\": \"pnpm@10.18.0\"",
        };
        let (name, version) = field.split_once('@').unwrap_or((field, ""));
        let (version, hash) = version.split_once('+').unwrap_or((version, ""));
        let (version, hash) = (version.to_owned(), Some(hash.to_owned()).filter(|hash| !hash.is_empty()));
        let manager = match name {
            "npm" => Manager::Npm,
            "pnpm" => Manager::Pnpm,
            "yarn" => Manager::Yarn,
            "bun" => Manager::Bun,
            _ => return Err(unfit(format!("asks for the package manager `{field}`")).into()),
        };
        let is_exact = version.split('.').count() >= 3 && version.starts_with(|c: char| c.is_ascii_digit());
        if !is_exact {
            return Err(
                unfit(format!("pins the package manager `{field}`, which is no exact version")).into()
            );
        }
        Ok(Some(ManagerPin { manager, version, hash }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_file_is_shown_with_line_and_column() {
        let error = PackageJson::read("app/package.json", b"{\n  \"name\": \"a\",\n}").unwrap_err();
        assert_eq!(error.to_string(), "app/package.json:3:1: this is no valid JSON");
    }

    #[test]
    fn odd_fields_elsewhere_do_not_matter() {
        let text = br#"{"author": 3, "engines": ["x"], "workspaces": {"packages": ["a/*"]}, "files": null}"#;
        let package = PackageJson::read("package.json", text).unwrap();
        assert_eq!(package.node_range(), None);
        assert_eq!(package.workspace_globs(), ["a/*"]);
    }

    #[test]
    fn pins_are_exact() {
        let pin = |text: &str| {
            let package = PackageJson { package_manager: Some(text.to_owned()), ..PackageJson::default() };
            package.manager_pin().map(|pin| pin.map(|pin| (pin.manager, pin.version)))
        };
        assert_eq!(pin("pnpm@10.18.0+sha512.ab").unwrap(), Some((Manager::Pnpm, "10.18.0".to_owned())));
        assert_eq!(pin("yarn@1.22.22").unwrap(), Some((Manager::Yarn, "1.22.22".to_owned())));
        assert_eq!(pin("yarn@4.5.0").unwrap(), Some((Manager::Yarn, "4.5.0".to_owned())));
        for bad in ["deno@2.0.0", "bun@1.2", "pnpm@latest", "pnpm", "npm@11"] {
            assert!(pin(bad).is_err(), "{bad}");
        }
    }
}
