use std::collections::BTreeMap;
use std::io::Read;

use kiln_node::{PackageJson, from_json, is_bundler, pnpm_workspace_globs};
use kiln_pkg::{Ecosystem, Elsewhere, Licence, Package, Place, is_npm_name};
use serde::Deserialize;
use serde_json::Value;

use super::cataloger::{Candidate, Cataloger, read_whole};
use crate::facts::{FileFacts, Reading};

/// Installed npm packages: the `package.json` of a folder that Node.js resolves by name. Other manifests are kept as
/// candidates for the app itself. Source: Node.js docs, "Loading from node_modules folders".
pub(super) static CATALOGER: Cataloger = Cataloger {
    name: "npm-package",
    examples: &["app/package.json", "app/pnpm-workspace.yaml", "app/node_modules/a/package.json"],
    wants,
    read,
};

/// Where pnpm is told which folders are projects of the workspace.
const PNPM_WORKSPACE: &str = "pnpm-workspace.yaml";
/// Real manifests stay below 200 KiB; their nesting is capped by the JSON reader (128).
const MAX_SIZE: u64 = 4 << 20;
/// The longest version node-semver takes.
const MAX_VERSION: usize = 256;
/// Dependencies one package may declare.
const MAX_REQUIRES: usize = 4096;
/// Folder levels above a manifest that may be the app's.
const MAX_APP_DEPTH: usize = 8;

#[derive(Deserialize)]
struct Manifest {
    name: Option<Value>,
    version: Option<Value>,
    license: Option<Value>,
    licenses: Option<Value>,
    private: Option<Value>,
    workspaces: Option<Value>,
    /// npm before 7 writes here what it took the package from.
    #[serde(rename = "_resolved")]
    resolved: Option<Value>,
    #[serde(default)]
    dependencies: Lax,
    #[serde(rename = "optionalDependencies", default)]
    optional_dependencies: Lax,
    #[serde(rename = "peerDependencies", default)]
    peer_dependencies: Lax,
    #[serde(rename = "devDependencies", default)]
    dev_dependencies: Lax,
}

/// A map of dependencies, or something else that counts as none.
#[derive(Default, Deserialize)]
#[serde(untagged)]
enum Lax {
    Map(BTreeMap<String, Value>),
    #[default]
    None,
    Other(Value),
}

fn wants(candidate: &Candidate<'_>) -> bool {
    let path = candidate.path.strip_suffix(PNPM_WORKSPACE).map(|folder| format!("{folder}package.json"));
    let Some(folder) = path.as_deref().unwrap_or(candidate.path).strip_suffix("package.json") else {
        return false;
    };
    match folder.trim_end_matches('/') {
        _ if !folder.is_empty() && !folder.ends_with('/') => false,
        folder if is_package_folder(folder) => path.is_none(),
        folder => {
            !folder.split('/').any(|part| part == "node_modules")
                && folder.split('/').count() <= MAX_APP_DEPTH
        }
    }
}

/// `node_modules/name` or `node_modules/@scope/name`, at any depth.
pub(crate) fn is_package_folder(folder: &str) -> bool {
    let mut parts = folder.rsplit('/');
    let (name, above, further) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
    let scoped = above.is_some_and(|scope| scope.starts_with('@')) && further == Some("node_modules");
    !name.starts_with(['.', '@']) && (scoped || above == Some("node_modules"))
}

fn read(candidate: &Candidate<'_>, content: &mut dyn Read, file: &mut FileFacts) -> Result<(), String> {
    let bytes = read_whole(content, MAX_SIZE)?;
    if candidate.path.ends_with(PNPM_WORKSPACE) {
        let globs = pnpm_workspace_globs(candidate.path, &bytes).map_err(|error| error.to_string())?;
        file.readings.push(Reading::Projects(globs));
        return Ok(());
    }
    let installed = candidate.path.strip_suffix("/package.json").is_some_and(is_package_folder);
    let manifest: Manifest = match from_json(&bytes) {
        Ok(manifest) => manifest,
        Err(error) => return Err(error.to_string()),
    };
    if !installed {
        check(&manifest)?;
        let projects = projects(&manifest);
        file.readings.extend((!projects.is_empty()).then_some(Reading::Projects(projects)));
        let (declared, wishes) = (declared(&manifest), wishes(&manifest));
        if declared.len() + wishes.len() > MAX_REQUIRES {
            return Err("it declares too many dependencies".to_owned());
        }
        file.readings.extend((!declared.is_empty()).then_some(Reading::Declares(declared)));
        file.readings.extend((!wishes.is_empty()).then_some(Reading::Wishes(wishes)));
        file.readings.extend(asks_for_bundler(&manifest).then_some(Reading::Bundler));
    }
    let text = |value: &Option<Value>| value.as_ref().and_then(Value::as_str).map(str::to_owned);
    let Some(name) = text(&manifest.name).filter(|name| is_npm_name(name)) else {
        // What a registry has always has a name and a version; an app often has not.
        return if installed { Err("it has no name".to_owned()) } else { Ok(()) };
    };
    let version = text(&manifest.version).filter(|version| !version.is_empty());
    if installed && version.is_none() {
        return Err("it has no version".to_owned());
    }
    let mut package = Package::new(Ecosystem::Npm, name, version.unwrap_or_default());
    package.licence = licence(&manifest).map(|declared| Licence::declared(&declared));
    if installed {
        package.elsewhere = elsewhere(candidate.path, &manifest, &package);
    }
    // Nobody installs what others needed to build; an app's own may be there.
    let dev = if installed { Lax::None } else { manifest.dev_dependencies };
    for map in [manifest.dependencies, manifest.optional_dependencies, manifest.peer_dependencies, dev] {
        if let Lax::Map(map) = map {
            package.requires.extend(map.into_keys());
        }
    }
    if package.version.len() > MAX_VERSION || package.requires.len() > MAX_REQUIRES {
        return Err("its version is too long, or it declares too many dependencies".to_owned());
    }
    package.requires.sort();
    package.requires.dedup();
    package.places = vec![Place { path: candidate.path.to_owned(), layer: None }];
    let package = Box::new(package);
    file.readings.push(if installed { Reading::Package(package) } else { Reading::Manifest(package) });
    Ok(())
}

/// An app whose dependencies are no object asks for something that nobody can read; nothing in their place is nothing.
fn check(manifest: &Manifest) -> Result<(), String> {
    let is_nothing = |value: &Value| match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(list) => list.is_empty(),
        Value::String(text) => text.is_empty(),
        _ => false,
    };
    let all = [&manifest.dependencies, &manifest.optional_dependencies, &manifest.dev_dependencies];
    let strange = all.into_iter().any(|map| matches!(map, Lax::Other(value) if !is_nothing(value)));
    if strange { Err("its dependencies are no object".to_owned()) } else { Ok(()) }
}

/// The folders that are projects of the workspace, as globs, and as `workspace:NAME` the projects that this one asks for.
fn projects(manifest: &Manifest) -> Vec<String> {
    let package = PackageJson { workspaces: manifest.workspaces.clone(), ..PackageJson::default() };
    let maps = [&manifest.dependencies, &manifest.optional_dependencies, &manifest.dev_dependencies];
    let of = |map: &Lax| -> Vec<String> {
        let Lax::Map(map) = map else { return Vec::new() };
        let own =
            map.iter().filter(|(_, spec)| spec.as_str().is_some_and(|spec| spec.starts_with("workspace:")));
        own.map(|(name, _)| format!("workspace:{name}")).collect()
    };
    package.workspace_globs().into_iter().chain(maps.into_iter().flat_map(of)).collect()
}

fn asks_for_bundler(manifest: &Manifest) -> bool {
    let maps = [&manifest.dependencies, &manifest.dev_dependencies, &manifest.optional_dependencies];
    maps.into_iter().any(|map| matches!(map, Lax::Map(map) if map.keys().any(|name| is_bundler(name))))
}

/// What must be installed for the app to run; projects of its workspace need not be.
fn declared(manifest: &Manifest) -> Vec<String> {
    let Lax::Map(optional) = &manifest.optional_dependencies else { return asked(&manifest.dependencies) };
    let mut names = asked(&manifest.dependencies);
    names.retain(|name| !optional.contains_key(name));
    names
}

/// What is installed where it can be.
fn wishes(manifest: &Manifest) -> Vec<String> {
    asked(&manifest.optional_dependencies)
}

fn asked(map: &Lax) -> Vec<String> {
    let Lax::Map(map) = map else { return Vec::new() };
    let is_own = |spec: &Value| spec.as_str().is_some_and(|spec| spec.starts_with("workspace:"));
    map.iter()
        .filter(|(name, spec)| is_npm_name(name) && !is_own(spec))
        .map(|(name, _)| name.clone())
        .collect()
}

/// What an installed package came from, where its own manifest or its folder says that it was no registry.
fn elsewhere(path: &str, manifest: &Manifest, package: &Package) -> Option<Elsewhere> {
    let resolved = manifest.resolved.as_ref().and_then(Value::as_str);
    let came_from = |text: &str| {
        Elsewhere::of_npm(text).and_then(|_| Elsewhere::of_fetched(text, &package.name, &package.version))
    };
    if let Some(from) = resolved.and_then(came_from).or_else(|| of_pnpm(path)) {
        return Some(from);
    }
    // No registry takes what is marked so.
    (resolved.is_none() && manifest.private == Some(Value::Bool(true))).then_some(Elsewhere::Unsaid)
}

/// pnpm names the folder of a package in its store by what it came from: `.pnpm/name@git+https+++host+path+commit/node_modules/name`,
/// before pnpm 9 `.pnpm/host+path@commit/…`. Source: pnpm, `depPathToFilename`.
fn of_pnpm(path: &str) -> Option<Elsewhere> {
    let (_, rest) = path.split_once(".pnpm/")?;
    let (store, inner) = rest.split_once("/node_modules/")?;
    let name = inner.strip_suffix("/package.json")?.replace('/', "+");
    let of_name = store.strip_prefix(name.as_str()).and_then(|rest| rest.strip_prefix('@'));
    let place = of_name.unwrap_or(store);
    let version = place.rsplit('@').next().unwrap_or_default();
    // A commit, which old versions put there, may begin with a digit, too.
    let begins = version.starts_with(|c: char| c.is_ascii_digit());
    let is_version = begins && (of_name.is_some() || version.contains('.'));
    let is_path = place.starts_with("file+");
    // Without the name in front there is a host, or this is the folder of another package.
    let is_place =
        of_name.is_some() || is_path || place.split('+').next().is_some_and(|host| host.contains('.'));
    if is_version && !is_path || !is_place {
        return None;
    }
    let place = place.split(['(', '_']).next().unwrap_or(place);
    let (scheme, rest) = place.strip_prefix("git+").map_or(("", place), |rest| ("git+", rest));
    let text = scheme.to_owned() + &rest.replacen("+++", "://", 1).replace('+', "/");
    Some(if is_path { Elsewhere::Address(text.replacen('/', ":", 1)) } else { Elsewhere::Repository(text) })
}

/// `license` as text or `{type}`, or the older `licenses`, a list or one of either; alternatives are joined by OR.
fn licence(manifest: &Manifest) -> Option<String> {
    fn one(value: &Value) -> Option<String> {
        value.as_str().or_else(|| value.get("type")?.as_str()).map(str::to_owned)
    }
    let value = manifest.license.as_ref().or(manifest.licenses.as_ref())?;
    let found: Vec<String> = match value {
        Value::Array(list) => list.iter().filter_map(one).collect(),
        value => one(value).into_iter().collect(),
    };
    if found.len() > 1 { Some(format!("({})", found.join(" OR "))) } else { found.into_iter().next() }
}
