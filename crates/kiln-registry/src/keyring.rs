//! What people have logged in with, where docker and podman keep it.
//! Sources: docker/cli `config/configfile`; containers-auth.json(5); docker-credential-helpers README.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kiln_oci::normal_host;
use kiln_program::{Call, KEEPERS};
use serde::Deserialize;
use serde_json::Value;

use crate::error::{Error, ErrorKind};
use crate::hub;

/// How large a file of credentials, or the answer of a helper, may be.
const FILE_MAX: u64 = 1 << 20;
/// The user name under which an identity token is kept.
const TOKEN_USER: &str = "<token>";
/// What helpers say when there is nothing.
const NOTHING: &str = "credentials not found";

/// Files with credentials, the preferred one first. Nothing of it is ever shown.
#[derive(Clone, Debug, Default)]
pub struct Keyring {
    files: Vec<PathBuf>,
}

/// What to present to a registry.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Credential {
    /// A name and a password.
    Basic { name: String, password: String },
    /// To be exchanged for tokens.
    Identity(String),
    /// To be presented as it is.
    Bearer(String),
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(…)")
    }
}

impl Credential {
    /// The value of an `Authorization` header.
    pub(crate) fn basic(&self) -> Option<String> {
        match self {
            Self::Basic { name, password } => {
                Some(format!("Basic {}", STANDARD.encode(format!("{name}:{password}"))))
            }
            _ => None,
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct File {
    auths: BTreeMap<String, Entry>,
    cred_helpers: BTreeMap<String, String>,
    creds_store: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    auth: String,
    username: String,
    password: String,
    identitytoken: String,
    registrytoken: String,
}

impl Keyring {
    /// Looks in `files`, one after the other; those that are not there do not count.
    pub fn new(files: impl IntoIterator<Item = PathBuf>) -> Self {
        Self { files: files.into_iter().collect() }
    }

    /// What is kept for the repository `name` at `host`.
    pub(crate) fn find(&self, host: &str, name: &str, wait: Duration) -> Result<Option<Credential>, Error> {
        for path in &self.files {
            let Some(file) = read(path)? else { continue };
            let key = if host == hub::HOST { hub::CREDENTIALS } else { host };
            let helper = file
                .cred_helpers
                .iter()
                .find(|(kept, _)| registry_of(kept) == host)
                .map(|(_, helper)| helper);
            let helper = helper.unwrap_or(&file.creds_store);
            if !helper.is_empty()
                && let Some(credential) = ask(helper, key, wait)?
            {
                return Ok(Some(credential));
            }
            if let Some(credential) = file.entry(host, name).and_then(Entry::credential) {
                return Ok(Some(credential));
            }
        }
        Ok(None)
    }
}

impl File {
    /// The entry for the longest part of `host/name`; keys may be written as addresses.
    fn entry(&self, host: &str, name: &str) -> Option<&Entry> {
        let full = format!("{host}/{name}");
        let matches = |key: &str| {
            let key = registry_of(key);
            let key = key.as_str();
            let below = full.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
            below.then_some(key.len())
        };
        self.auths
            .iter()
            .filter_map(|(key, entry)| Some((matches(key)?, entry)))
            .max_by_key(|(length, _)| *length)
            .map(|(_, entry)| entry)
    }
}

/// The `host[/path]` that a key is for, its host in its normal form.
fn registry_of(key: &str) -> String {
    let key = bare(key);
    match key.split_once('/') {
        Some((host, path)) => format!("{}/{path}", normal_host(host)),
        None => normal_host(key),
    }
}

/// A key without scheme, version and slashes.
fn bare(key: &str) -> &str {
    let key = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    let key = key.trim_end_matches('/');
    key.strip_suffix("/v1").or_else(|| key.strip_suffix("/v2")).unwrap_or(key)
}

impl Entry {
    fn credential(&self) -> Option<Credential> {
        if !self.registrytoken.is_empty() {
            return Some(Credential::Bearer(self.registrytoken.clone()));
        }
        if !self.identitytoken.is_empty() {
            return Some(Credential::Identity(self.identitytoken.clone()));
        }
        if !self.username.is_empty() {
            return Some(named(self.username.clone(), self.password.clone()));
        }
        let decoded = STANDARD.decode(self.auth.trim()).ok()?;
        let text = String::from_utf8(decoded).ok()?;
        let (name, password) = text.split_once(':')?;
        Some(named(name.to_owned(), password.trim_end_matches('\0').to_owned()))
    }
}

fn named(name: String, password: String) -> Credential {
    if name == TOKEN_USER { Credential::Identity(password) } else { Credential::Basic { name, password } }
}

fn read(path: &Path) -> Result<Option<File>, Error> {
    let failed = |source| ErrorKind::Keyring { path: path.to_owned(), source };
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound) => return Ok(None),
        Err(error) => return Err(failed(error).into()),
    };
    let mut bytes = Vec::new();
    file.take(FILE_MAX).read_to_end(&mut bytes).map_err(failed)?;
    // The parser's own message could quote what stands there.
    let malformed = |why: &str| failed(std::io::Error::new(std::io::ErrorKind::InvalidData, why));
    let document = read_logins(&bytes).map_err(|_| malformed("it is no valid JSON"))?;
    let odd = |_| malformed("it is not of the form that docker and podman write");
    Ok(Some(serde_json::from_value(document).map_err(odd)?))
}

/// The document in which docker and podman keep logins, as they read it: what is empty or `null` is nothing, and what follows the
/// document does not count. Source: docker/cli `ConfigFile.LoadFromReader`, and `encoding/json` of Go.
pub fn read_logins(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    let first = serde_json::Deserializer::from_slice(bytes).into_iter::<Value>().next().transpose()?;
    let document = first.map(without_nulls).filter(|document| !document.is_null());
    Ok(document.unwrap_or_else(|| Value::Object(serde_json::Map::new())))
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.into_iter().filter(|(_, member)| !member.is_null());
            Value::Object(kept.map(|(name, member)| (name, without_nulls(member))).collect())
        }
        other => other,
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: String,
}

/// Asks `docker-credential-<helper>` about `key`.
fn ask(helper: &str, key: &str, wait: Duration) -> Result<Option<Credential>, Error> {
    let program = format!("docker-credential-{helper}");
    let failed = |why: &str, source| ErrorKind::Helper { program: program.clone(), why: why.into(), source };
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if !helper.bytes().all(is_name) {
        return Err(failed("its name has characters that no program has", None).into());
    }
    let call =
        Call::new(&program).args(["get"]).keeps(KEEPERS).input(key).limit(wait).most(FILE_MAX as usize);
    let ended = call.run().map_err(|error| match error {
        kiln_program::Error::Start { source, .. } => failed("", Some(source)),
        kiln_program::Error::Late { .. } => failed("it does not answer", None),
        error => failed(&error.to_string(), None),
    })?;
    if !ended.is_success() {
        let is_nothing = String::from_utf8_lossy(&ended.stdout).contains(NOTHING);
        return if is_nothing { Ok(None) } else { Err(failed(&ended.told_last(), None).into()) };
    }
    let bytes = ended.stdout;
    let answer: Answer =
        serde_json::from_slice(&bytes).map_err(|_| failed("its answer is no credential", None))?;
    Ok(Some(named(answer.username, answer.secret)))
}
