use std::collections::BTreeMap;
use std::io::Read;

use kiln_node::from_json;
use kiln_pkg::{Ecosystem, Elsewhere, Licence, Package, Place};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::cataloger::{Candidate, Cataloger, read_whole};
use crate::facts::{FileFacts, Reading};

/// Installed npm packages: the `package.json` of a folder that Node.js resolves by name. Other manifests are kept as
/// candidates for the app itself. Source: Node.js docs, "Loading from node_modules folders".
pub(super) static CATALOGER: Cataloger = Cataloger {
    name: "npm-package",
    examples: &["app/package.json", "app/node_modules/a/package.json"],
    wants,
    read,
};

/// Real manifests stay below 200 KiB; their nesting is capped by the JSON reader (128).
const MAX_SIZE: u64 = 4 << 20;
/// The longest name the registry takes.
const MAX_NAME: usize = 214;
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
    Other(IgnoredAny),
}

fn wants(candidate: &Candidate<'_>) -> bool {
    let Some(folder) = candidate.path.strip_suffix("package.json") else { return false };
    match folder.trim_end_matches('/') {
        _ if !folder.is_empty() && !folder.ends_with('/') => false,
        folder if is_package_folder(folder) => true,
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
    let installed = candidate.path.strip_suffix("/package.json").is_some_and(is_package_folder);
    let manifest: Manifest = match from_json(&bytes) {
        Ok(manifest) => manifest,
        Err(error) if installed => return Err(error.to_string()),
        // A fixture or a template: nothing that is installed.
        Err(_) => return Ok(()),
    };
    if !installed {
        let declared = declared(&manifest);
        if declared.len() > MAX_REQUIRES {
            return Err("it declares too many dependencies".to_owned());
        }
        file.readings.extend((!declared.is_empty()).then_some(Reading::Declares(declared)));
    }
    let text = |value: &Option<Value>| value.as_ref().and_then(Value::as_str).map(str::to_owned);
    let Some(name) = text(&manifest.name).filter(|name| is_name(name)) else {
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
        package.elsewhere = elsewhere(candidate.path, &manifest);
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

/// What must be installed for the app to run; folders of its own need not be.
fn declared(manifest: &Manifest) -> Vec<String> {
    let (Lax::Map(map), optional) = (&manifest.dependencies, &manifest.optional_dependencies) else {
        return Vec::new();
    };
    let is_optional = |name: &String| matches!(optional, Lax::Map(map) if map.contains_key(name));
    let is_own = |spec: &Value| {
        let starts = ["workspace:", "link:", "file:", "portal:"];
        spec.as_str().is_some_and(|spec| starts.iter().any(|start| spec.starts_with(start)))
    };
    map.iter()
        .filter(|(name, spec)| is_name(name) && !is_optional(name) && !is_own(spec))
        .map(|(name, _)| name.clone())
        .collect()
}

/// What an installed package came from, where its own manifest or its folder says that it was no registry.
fn elsewhere(path: &str, manifest: &Manifest) -> Option<Elsewhere> {
    let resolved = manifest.resolved.as_ref().and_then(Value::as_str);
    if let Some(from) = resolved.and_then(Elsewhere::of_npm).or_else(|| of_pnpm(path)) {
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

/// Names that can be installed: optional scope, then letters, digits, `-._~` (old names have capitals).
fn is_name(name: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
    };
    match name.strip_prefix('@') {
        _ if name.len() > MAX_NAME => false,
        Some(scoped) => scoped.split_once('/').is_some_and(|(scope, name)| plain(scope) && plain(name)),
        None => plain(name),
    }
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
