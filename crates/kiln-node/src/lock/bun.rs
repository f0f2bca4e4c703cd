//! `bun.lock`: JSON with comments and trailing commas. Source: bun's documentation, "Lockfile", and its `bun.lock.zig`.

use std::collections::BTreeMap;

use kiln_pkg::Elsewhere;
use serde::Deserialize;
use serde_json::Value;

use crate::error::{ErrorKind, unknown_version};
use crate::lock::places::{LONGEST, Places, Seen};
use crate::lock::{Direct, Platforms, direct, needs};
use crate::{Error, Lock, LockedPackage};

/// The newest version of the format. Source: bun's `bun.lock.zig`.
const NEWEST: u32 = 2;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    #[serde(default)]
    lockfile_version: u32,
    #[serde(default)]
    workspaces: BTreeMap<String, Workspace>,
    /// Path of names in `node_modules` to what lies there: `name@version`, where from, what it needs, hash.
    #[serde(default)]
    packages: BTreeMap<String, Vec<Value>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Workspace {
    name: String,
    dependencies: BTreeMap<String, String>,
    dev_dependencies: BTreeMap<String, String>,
    optional_dependencies: BTreeMap<String, String>,
}

pub(crate) fn read(path: &str, bytes: &[u8]) -> Result<Lock, Error> {
    let file: File = serde_json::from_slice(&plain(bytes))
        .map_err(|source| ErrorKind::Json { path: path.to_owned(), source })?;
    if file.lockfile_version > NEWEST {
        return Err(unknown_version(path, &file.lockfile_version.to_string()));
    }
    let mut lock = Lock { version: file.lockfile_version, ..Lock::default() };
    let mut places = Places::default();
    let mut at: BTreeMap<&str, usize> = BTreeMap::new();
    for (place, fields) in &file.packages {
        let identity = fields.first().and_then(Value::as_str).unwrap_or_default();
        let Some((name, version)) = parted(identity).filter(|_| place.len() <= LONGEST) else {
            lock.unread.push(place.chars().take(LONGEST).collect());
            continue;
        };
        // The project itself, where a package of its own asks for it, and projects of the workspace.
        if version.starts_with("workspace:") || version.starts_with("root:") {
            continue;
        }
        at.insert(place, lock.packages.len());
        let (above, called) = split(place);
        places.put(above, called, lock.packages.len());
        let locked = locked(name, version, fields);
        let address = fields.get(1).and_then(Value::as_str).filter(|text| !text.is_empty());
        let address = address.filter(|_| locked.elsewhere.is_none() || locked.version == version);
        lock.addresses.extend(address.map(|address| (name.to_owned(), address.to_owned())));
        lock.packages.push(locked);
    }
    let folders = file.workspaces.keys().map(String::as_str).filter(|folder| folder.len() <= LONGEST);
    places.walk(at.keys().copied().chain(folders), |place, seen| {
        if let Some(workspace) = file.workspaces.get(place) {
            lock.direct.insert(place.to_owned(), workspace.direct(seen));
        }
        if let Some(at) = at.get(place).copied() {
            let about = file.packages.get(place).into_iter().flatten().find(|value| value.is_object());
            let names = |key| keys(about, key);
            let firm = names("dependencies").chain(names("peerDependencies"));
            lock.packages[at].needs = needs(at, firm, names("optionalDependencies"), seen);
        }
    });
    let by_name: BTreeMap<&str, &String> =
        file.workspaces.iter().map(|(folder, workspace)| (workspace.name.as_str(), folder)).collect();
    for place in file.packages.keys() {
        lock.pin("", place);
        // What only one project has stands below its name.
        for (at, _) in place.match_indices('/').take(2) {
            if let Some(folder) = by_name.get(&place[..at]) {
                lock.pin(folder, &place[at + 1..]);
            }
        }
    }
    for (folder, workspace) in file.workspaces {
        let asked = workspace.dependencies.into_iter();
        let asked = asked.chain(workspace.dev_dependencies).chain(workspace.optional_dependencies);
        lock.asked.insert(folder, asked.collect());
    }
    lock.relate(&BTreeMap::new());
    Ok(lock)
}

fn locked(name: &str, version: &str, fields: &[Value]) -> LockedPackage {
    let about = fields.iter().find(|value| value.is_object());
    let names = |key: &str| -> Vec<String> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        match about.and_then(|about| about.get(key)) {
            Some(Value::Array(list)) => list.iter().filter_map(text).collect(),
            Some(one) => text(one).into_iter().collect(),
            None => Vec::new(),
        }
    };
    // Where it is from stands in place of a version.
    let elsewhere = elsewhere(version);
    let version = if elsewhere.is_some() { "" } else { version };
    // The address of the archive stands there where it is not the usual one.
    let address =
        fields.get(1).and_then(Value::as_str).filter(|text| elsewhere.is_none() && !text.is_empty());
    let hash = fields.last().and_then(Value::as_str).filter(|text| text.starts_with("sha"));
    let mut locked = LockedPackage {
        name: name.to_owned(),
        version: version.to_owned(),
        elsewhere,
        has_integrity: hash.is_some(),
        integrity: hash.map(str::to_owned),
        platforms: Platforms { os: names("os"), cpu: names("cpu"), libc: names("libc") },
        ..LockedPackage::default()
    };
    if let Some(address) = address {
        locked.fetched_from(address);
    }
    locked
}

fn elsewhere(version: &str) -> Option<Elsewhere> {
    let is_version = version.starts_with(|c: char| c.is_ascii_digit());
    let is_archive = [".tgz", ".tar.gz"].iter().any(|end| version.ends_with(end));
    Elsewhere::of_npm(version)
        .or_else(|| (!is_version || is_archive).then(|| Elsewhere::Address(version.to_owned())))
}

/// `@scope/name@1.0.0` as name and version; of an alias (`name@npm:real@1.0.0`) the real ones.
fn parted(identity: &str) -> Option<(&str, &str)> {
    let identity = identity.split_once("@npm:").map_or(identity, |(_, real)| real);
    let at = identity.char_indices().skip(1).find(|(_, c)| *c == '@')?.0;
    Some((&identity[..at], &identity[at + 1..]))
}

/// A path of names as what is above and the last name, which may have a scope.
fn split(place: &str) -> (&str, &str) {
    let (above, last) = place.rsplit_once('/').unwrap_or(("", place));
    let scope = above.rsplit('/').next().filter(|scope| scope.starts_with('@'));
    let Some(scope) = scope else { return (above, last) };
    let above = &above[..above.len() - scope.len()];
    (above.trim_end_matches('/'), &place[above.len()..])
}

/// The names below `key` of what an entry says about its package.
fn keys<'a>(about: Option<&'a Value>, key: &str) -> impl Iterator<Item = &'a str> {
    let map = about.and_then(|about| about.get(key)).and_then(Value::as_object);
    map.into_iter().flatten().map(|(name, _)| name.as_str())
}

impl Workspace {
    fn direct(&self, seen: &Seen<'_>) -> Vec<Direct> {
        direct(&self.dependencies, &self.dev_dependencies, &self.optional_dependencies, seen)
    }
}

/// The text without comments and without commas before a closing bracket.
fn plain(bytes: &[u8]) -> Vec<u8> {
    let mut found = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at).copied() {
        let rest = bytes.get(at..).unwrap_or_default();
        let skipped = match byte {
            b'"' => {
                let length = string_length(rest);
                found.extend_from_slice(rest.get(..length).unwrap_or(rest));
                length
            }
            b'/' if rest.starts_with(b"//") => {
                rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len())
            }
            b'/' if rest.starts_with(b"/*") => {
                rest.windows(2).skip(2).position(|window| window == b"*/").map_or(rest.len(), |end| end + 4)
            }
            b',' if closes(rest) => 1,
            _ => {
                found.push(byte);
                1
            }
        };
        at += skipped.max(1);
    }
    found
}

/// Whether nothing but blanks lies between this comma and a closing bracket.
fn closes(rest: &[u8]) -> bool {
    let next = rest.iter().skip(1).find(|byte| !byte.is_ascii_whitespace());
    matches!(next, Some(b'}' | b']'))
}

fn string_length(rest: &[u8]) -> usize {
    let mut escaped = false;
    for (at, byte) in rest.iter().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}
