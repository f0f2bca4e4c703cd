//! `package.json`: scripts that would break an install without the packages for development. `--ignore-scripts` keeps them
//! out of the image that is written here, but not out of other installs: yarn 2 runs a project's own scripts in any case, and
//! so does whoever installs for production by hand.

use std::collections::BTreeMap;
use std::ops::Range;

use kiln_lint::facts::development_tool;
use kiln_node::{PackageJson, is_for_desk};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::Project;

/// The scripts that a package manager runs by itself.
const LIFECYCLE: [&str; 4] = ["preinstall", "install", "postinstall", "prepare"];
/// Lets a script fail. Every package manager's shell knows it, also on Windows.
const GUARD: &str = " || true";

/// A `package.json` with scripts that may fail now.
pub(crate) struct Guarded {
    pub(crate) path: String,
    pub(crate) text: String,
    scripts: Vec<&'static str>,
}

impl Guarded {
    pub(crate) fn note(&self) -> String {
        let names = self.scripts.join(" and ");
        format!("{}: {names} may fail where packages for development are missing", self.path)
    }
}

#[derive(Deserialize)]
struct Raw<'a> {
    #[serde(borrow, default)]
    scripts: BTreeMap<String, &'a RawValue>,
}

/// The manifests that change.
pub(crate) fn guarded(project: &Project) -> Vec<Guarded> {
    let guarded = project.manifests.iter().filter_map(|(path, text)| {
        let folder = path.strip_suffix("package.json")?.trim_end_matches('/');
        let (text, scripts) = guard(text, &with_root_tools(project, folder))?;
        Some(Guarded { path: path.clone(), text, scripts })
    });
    guarded.collect()
}

/// A project of a workspace uses the tools of the root, too.
fn with_root_tools(project: &Project, folder: &str) -> PackageJson {
    let mut package = project.package(folder).clone();
    for (name, range) in &project.facts.package.dev_dependencies {
        package.dev_dependencies.entry(name.clone()).or_insert_with(|| range.clone());
    }
    package
}

/// The text with guarded scripts, and their names; `None` where none needs it.
fn guard(text: &str, package: &PackageJson) -> Option<(String, Vec<&'static str>)> {
    let raw: Raw<'_> = serde_json::from_str(text).ok()?;
    let mut ends: Vec<(usize, &'static str)> = Vec::new();
    for name in LIFECYCLE {
        let Some(script) = package.scripts.get(name) else { continue };
        if !is_for_desk(script) || !is_one_wish(script) || development_tool(script, package).is_none() {
            continue;
        }
        let literal = range_of(raw.scripts.get(name)?.get(), text)?;
        // Before the closing quote.
        ends.push((literal.end.checked_sub(1)?, name));
    }
    ends.sort_unstable();
    let mut new = text.to_owned();
    for (end, _) in ends.iter().rev() {
        new.insert_str(*end, GUARD);
    }
    (!ends.is_empty()).then(|| (new, ends.into_iter().map(|(_, name)| name).collect()))
}

/// Nothing is done after the tool, so nothing is hidden by letting it fail.
fn is_one_wish(script: &str) -> bool {
    !script.contains("&&") && !script.contains([';', '|', '&']) || {
        let parts = script.split("||");
        parts.clone().count() > 1 && parts.into_iter().all(|part| !part.contains([';', '|', '&']))
    }
}

/// Where a part that was borrowed from `text` lies in it.
fn range_of(part: &str, text: &str) -> Option<Range<usize>> {
    let start = part.as_ptr().addr().checked_sub(text.as_ptr().addr())?;
    let range = start..start + part.len();
    (text.get(range.clone()) == Some(part)).then_some(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guarded(scripts: &str) -> Option<String> {
        let text = format!(
            "{{\n  \"scripts\": {scripts},\n  \"devDependencies\": {{\"husky\": \"9\", \"is-ci\": \"4\"}}\n}}\n"
        );
        let package = PackageJson::read("package.json", text.as_bytes()).unwrap();
        let (new, _) = guard(&text, &package)?;
        let again = PackageJson::read("package.json", new.as_bytes()).unwrap();
        assert!(guard(&new, &again).is_none(), "guarded twice: {new}");
        Some(new)
    }

    #[test]
    fn only_the_script_changes() {
        let new = guarded(r#"{ "prepare" : "husky install",  "start":"node ." }"#).unwrap();
        let expected = r#"{ "prepare" : "husky install || true",  "start":"node ." }"#;
        assert!(new.starts_with(&format!("{{\n  \"scripts\": {expected},\n")), "{new}");
        let new = guarded(r#"{"postinstall": "is-ci || husky", "prepare": "husky"}"#).unwrap();
        assert!(new.contains(r#"{"postinstall": "is-ci || husky || true", "prepare": "husky || true"}"#));
    }

    #[test]
    fn what_does_something_stays() {
        for scripts in [
            r#"{"prepare": "husky || true"}"#,
            r#"{"prepare": "husky && npm run build"}"#,
            r#"{"prepare": "npm run build"}"#,
            r#"{"start": "husky"}"#,
            r#"{"prepare": "lefthook install"}"#,
        ] {
            assert_eq!(guarded(scripts), None, "{scripts}");
        }
    }
}
