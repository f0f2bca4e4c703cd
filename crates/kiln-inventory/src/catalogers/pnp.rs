use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use kiln_pkg::{Ecosystem, Package, Place, Unread};
use kiln_text::percent;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::cataloger::{Candidate, Cataloger, read_whole};
use crate::depends::follow;
use crate::facts::{FileFacts, Reading};

/// What yarn installed where there is no `node_modules`: its table of packages, in the loader or beside it. Source: yarn's
/// documentation, "PnP specification".
pub(super) static CATALOGER: Cataloger =
    Cataloger { name: "yarn-pnp", examples: &["app/.pnp.cjs", "app/.pnp.data.json"], wants, read };

const DATA: &str = ".pnp.data.json";
const LOADERS: [&str; 2] = [".pnp.cjs", ".pnp.js"];
/// Why a loader cannot be read by itself.
const ELSEWHERE: &str = "its table is in .pnp.data.json, which is not beside it";
/// A table of 10,000 packages has 10 MiB.
const MAX_SIZE: u64 = 64 << 20;
const MAX_PACKAGES: usize = 100_000;
const MAX_TEXT: usize = 512;
/// Packages without a version that are named.
const NAMED: usize = 3;

fn wants(candidate: &Candidate<'_>) -> bool {
    is_table(candidate.path) && !candidate.path.split('/').any(|part| part == "node_modules")
}

/// Whether packages that are read from `path` are those of such a table.
pub(crate) fn is_table(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    name == DATA || LOADERS.contains(&name)
}

/// The file that answers for a loader which could not be read for this reason.
pub(crate) fn answered_by(unread: &Unread) -> Option<String> {
    let folder = unread.path.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
    (unread.why == ELSEWHERE).then(|| folder + DATA)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Table {
    package_registry_data: Vec<(Option<String>, Vec<Version>)>,
}

/// A reference, and what it stands for.
type Version = (Option<String>, Info);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Info {
    #[serde(default)]
    package_location: String,
    #[serde(default)]
    package_dependencies: Vec<(String, Target)>,
}

/// What a name means for a package: a version of that name, of another name, or nothing.
#[derive(Deserialize)]
#[serde(untagged)]
enum Target {
    Same(String),
    Other(String, String),
    None(IgnoredAny),
}

fn read(candidate: &Candidate<'_>, content: &mut dyn Read, file: &mut FileFacts) -> Result<(), String> {
    let bytes = read_whole(content, MAX_SIZE)?;
    let table = if candidate.path.ends_with(DATA) {
        serde_json::from_slice(&bytes).map_err(|error| error.to_string())?
    } else {
        let text = std::str::from_utf8(&bytes).map_err(|_| "it is no UTF-8".to_owned())?;
        match inlined(text)? {
            Some(table) => table,
            None => return Err(ELSEWHERE.to_owned()),
        }
    };
    let place = vec![Place { path: candidate.path.to_owned(), layer: None }];
    let mut packages = Packages::default();
    for (name, versions) in &table.package_registry_data {
        for (reference, info) in versions {
            if let (Some(name), Some(reference)) = (name, reference) {
                packages.add(name, reference, info)?;
            }
        }
    }
    let Packages { installed, apps, unversioned, locations } = packages;
    let located = |(own, location): (String, String)| Some((own, marker(candidate.path, &location)?));
    let locations: Vec<(String, String)> = locations.into_iter().filter_map(located).collect();
    file.readings.extend((!locations.is_empty()).then_some(Reading::Locations(locations)));
    let with_place = |package: Package| Box::new(Package { places: place.clone(), ..package });
    file.readings.extend(installed.into_values().map(|package| Reading::Package(with_place(package))));
    file.readings.extend(apps.into_iter().map(|package| Reading::Manifest(with_place(package))));
    if unversioned.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = unversioned.iter().take(NAMED).map(String::as_str).collect();
    Err(format!(
        "{} of its packages come from no registry and have no version there: {}",
        unversioned.len(),
        names.join(", ")
    ))
}

/// The table inside a loader; `None` where the loader says that it lies in a file of its own.
fn inlined(text: &str) -> Result<Option<Table>, String> {
    let broken = |error: serde_json::Error| error.to_string();
    if let Some((_, rest)) = text.split_once("RAW_RUNTIME_STATE =") {
        let literal = rest.trim_start().strip_prefix('\'').ok_or("its table is no text")?;
        return serde_json::from_str(&unquoted(literal)?).map(Some).map_err(broken);
    }
    // Before yarn 4 it is an object of the program.
    if let Some((_, rest)) = text.split_once("hydrateRuntimeState({") {
        let object = format!("{{{rest}");
        let mut values = serde_json::Deserializer::from_str(&object).into_iter();
        return values.next().unwrap_or(Ok(None)).map_err(broken);
    }
    if text.contains(DATA) { Ok(None) } else { Err("it has no table of packages that kiln knows".to_owned()) }
}

/// The value of a JavaScript text whose first quote is read: a backslash keeps the next character, or takes away a line end.
fn unquoted(literal: &str) -> Result<String, String> {
    let mut value = String::with_capacity(literal.len());
    let mut rest = literal;
    loop {
        let at = rest.find(['\\', '\'']).ok_or("its table has no end")?;
        let (plain, special) = rest.split_at(at);
        value.push_str(plain);
        if special.starts_with('\'') {
            return Ok(value);
        }
        let mut after = special.chars();
        after.next();
        match after.next() {
            Some('\n') => {}
            Some('\r') => drop(after.as_str().starts_with('\n').then(|| after.next())),
            Some('n') => value.push('\n'),
            Some(kept) => value.push(kept),
            None => return Err("its table has no end".to_owned()),
        }
        rest = after.as_str();
    }
}

#[derive(Default)]
struct Packages {
    /// By `name@version`.
    installed: BTreeMap<String, Package>,
    /// Projects of the workspace.
    apps: Vec<Package>,
    unversioned: BTreeSet<String>,
    /// By `name@version`, where it lies, from the folder of the table.
    locations: BTreeMap<String, String>,
}

/// The file that is there where a package is: the archive that it lies in, or its own manifest. `None` where that is outside.
fn marker(table: &str, location: &str) -> Option<String> {
    let file = match location.split_once(".zip/") {
        Some((archive, _)) => format!("{archive}.zip"),
        None => format!("{}/package.json", location.trim_end_matches('/')),
    };
    let depth = table.split('/').count() - 1;
    let up =
        file.split('/').take_while(|part| matches!(*part, "." | "..")).filter(|part| *part == "..").count();
    if up > depth { None } else { follow(table, &file) }
}

impl Packages {
    fn add(&mut self, name: &str, reference: &str, info: &Info) -> Result<(), String> {
        if name.len() > MAX_TEXT || reference.len() > MAX_TEXT {
            return Err("a name in it is too long".to_owned());
        }
        if self.installed.len() + self.apps.len() > MAX_PACKAGES {
            return Err(format!("it lists more than {MAX_PACKAGES} packages"));
        }
        let needs = info.package_dependencies.iter().filter_map(|(name, target)| match target {
            Target::Same(reference) => identity(name, reference),
            Target::Other(name, reference) => identity(name, reference),
            Target::None(_) => None,
        });
        let mut needs: Vec<String> = needs.map(|(name, version)| format!("{name}@{version}")).collect();
        if is_workspace(reference) {
            let own = format!("{name}@{reference}");
            let mut app = Package::new(Ecosystem::Npm, name, "");
            app.requires = sorted(needs);
            app.provides = vec![own];
            self.apps.push(app);
            return Ok(());
        }
        let Some((name, version)) = identity(name, reference) else {
            self.unversioned.insert(name.to_owned());
            return Ok(());
        };
        let own = format!("{name}@{version}");
        if !reference.starts_with("virtual:") && !info.package_location.is_empty() {
            self.locations.insert(own.clone(), info.package_location.clone());
        }
        // A package that is asked to use its user's packages is there once for each of them; it needs itself in some.
        needs.retain(|need| *need != own);
        let package = self.installed.entry(own.clone()).or_insert_with(|| Package {
            provides: vec![own],
            ..Package::new(Ecosystem::Npm, name, version)
        });
        needs.append(&mut package.requires);
        package.requires = sorted(needs);
        Ok(())
    }
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names.dedup();
    names
}

/// Without the part that makes one package many: `virtual:0123…#npm:1.2.3`.
fn real(reference: &str) -> &str {
    reference
        .strip_prefix("virtual:")
        .and_then(|rest| rest.split_once('#'))
        .map_or(reference, |(_, real)| real)
}

fn is_workspace(reference: &str) -> bool {
    real(reference).starts_with("workspace:")
}

/// The name and version of what a reference means for `name`: `npm:1.2.3`, `npm:other@1.2.3`, or a patch of one of these
/// (`patch:other@npm%3A1.2.3#…`).
fn identity(name: &str, reference: &str) -> Option<(String, String)> {
    let real = real(reference);
    if let Some(patched) = real.strip_prefix("patch:") {
        let locator = String::from_utf8(percent::decode_loosely(patched.split('#').next()?)).ok()?;
        let (inner, reference) = locator.rsplit_once("@npm:")?;
        return identity(inner, &format!("npm:{reference}"));
    }
    let version = real.strip_prefix("npm:")?;
    let (name, version) = match version.rsplit_once('@') {
        Some((other, version)) if !other.is_empty() => (other, version),
        _ => (name, version),
    };
    // Registries give archives other addresses than the usual: `npm:1.2.3::__archiveUrl=…`.
    let version = version.split("::").next()?;
    version.starts_with(|c: char| c.is_ascii_digit()).then(|| (name.to_owned(), version.to_owned()))
}
