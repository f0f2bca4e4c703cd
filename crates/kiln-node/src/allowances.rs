use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use crate::error::ErrorKind;
use crate::{Error, PackageJson};

/// Packages whose install scripts the project's own settings of package managers allow or deny, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScriptAllowances {
    /// May run: `onlyBuiltDependencies` and `allowBuilds` of pnpm, `trustedDependencies` of bun, `allowScripts` of npm,
    /// `dependenciesMeta` of yarn.
    pub allowed: BTreeSet<String>,
    /// May not: `false` in those, and pnpm's `ignoredBuiltDependencies` and `neverBuiltDependencies`.
    pub denied: BTreeSet<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Pnpm {
    only_built_dependencies: Value,
    ignored_built_dependencies: Value,
    never_built_dependencies: Value,
    allow_builds: Value,
}

impl ScriptAllowances {
    /// What `package.json` and the text of `pnpm-workspace.yaml` say.
    pub fn read(package: &PackageJson, pnpm_workspace: Option<&str>) -> Result<Self, Error> {
        let mut read = Self::default();
        if let Some(settings) = &package.pnpm {
            // What is no such setting is none of kiln's business.
            read.add_pnpm(&serde_json::from_value(settings.clone()).unwrap_or_default());
        }
        if let Some(text) = pnpm_workspace.filter(|text| !text.trim().is_empty()) {
            let path = "pnpm-workspace.yaml".to_owned();
            read.add_pnpm(&serde_saphyr::from_str(text).map_err(|source| ErrorKind::Yaml { path, source })?);
        }
        for setting in [&package.trusted_dependencies, &package.allow_scripts].into_iter().flatten() {
            read.add(setting);
        }
        let meta = package.dependencies_meta.as_ref().and_then(Value::as_object);
        for (name, about) in meta.into_iter().flatten() {
            if let Some(is_allowed) = about["built"].as_bool() {
                read.say(name, is_allowed);
            }
        }
        Ok(read)
    }

    fn add_pnpm(&mut self, pnpm: &Pnpm) {
        self.add(&pnpm.only_built_dependencies);
        self.add(&pnpm.allow_builds);
        let denied = [&pnpm.ignored_built_dependencies, &pnpm.never_built_dependencies];
        for name in denied.into_iter().filter_map(Value::as_array).flatten().filter_map(Value::as_str) {
            self.say(name, false);
        }
    }

    /// A list of names that may, or whether each may by its name.
    fn add(&mut self, setting: &Value) {
        for name in setting.as_array().into_iter().flatten().filter_map(Value::as_str) {
            self.say(name, true);
        }
        for (name, is_allowed) in setting.as_object().into_iter().flatten() {
            if let Some(is_allowed) = is_allowed.as_bool() {
                self.say(name, is_allowed);
            }
        }
    }

    /// `name` may have a version behind it.
    fn say(&mut self, name: &str, is_allowed: bool) {
        let at = name.char_indices().skip(1).find(|(_, c)| *c == '@');
        let name = at.map_or(name, |(at, _)| &name[..at]).to_owned();
        if is_allowed { &mut self.allowed } else { &mut self.denied }.insert(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(set: &BTreeSet<String>) -> Vec<&str> {
        set.iter().map(String::as_str).collect()
    }

    #[test]
    fn every_package_manager_is_heard() {
        let package = br#"{"pnpm": {"onlyBuiltDependencies": ["a"], "ignoredBuiltDependencies": ["b"], "overrides": {"x": "1"}},
            "trustedDependencies": ["@s/c"], "allowScripts": {"@s/d@1.2.3": true, "e": false, "f": "odd"},
            "dependenciesMeta": {"g": {"built": true}, "h": {"optional": true}}}"#;
        let package = PackageJson::read("package.json", package).unwrap();
        let read =
            ScriptAllowances::read(&package, Some("packages: [a]\nallowBuilds:\n  i: true\n  j: false\n"));
        let read = read.unwrap();
        assert_eq!(names(&read.allowed), ["@s/c", "@s/d", "a", "g", "i"]);
        assert_eq!(names(&read.denied), ["b", "e", "j"]);
    }

    #[test]
    fn odd_settings_allow_nothing() {
        let package = br#"{"pnpm": {"onlyBuiltDependencies": "a", "allowBuilds": [3]}, "trustedDependencies": {"x": 1}}"#;
        let package = PackageJson::read("package.json", package).unwrap();
        assert_eq!(ScriptAllowances::read(&package, None).unwrap(), ScriptAllowances::default());
        assert!(ScriptAllowances::read(&package, Some("a: [")).is_err());
    }
}
