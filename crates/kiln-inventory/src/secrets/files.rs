use std::io::Read;

use kiln_pkg::{Place, Secret};

use super::redact;
use crate::catalogers::cataloger::{Candidate, Cataloger, read_whole};
use crate::facts::FileFacts;

/// Files that exist to hold credentials.
pub(crate) static FILES: Cataloger =
    Cataloger { name: "credentials", examples: &["app/.env", "app/.npmrc"], wants, read };

const MAX_SIZE: u64 = 1 << 20;
/// Endings of `.env` files that are templates.
const TEMPLATES: &[&str] = &[".example", ".sample", ".template", ".dist", ".defaults", ".schema"];
/// Parts of names that hold credentials.
const NAMES: &[&str] = &[
    "SECRET",
    "TOKEN",
    "PASSWORD",
    "PASSWD",
    "PRIVATE_KEY",
    "API_KEY",
    "APIKEY",
    "ACCESS_KEY",
    "CREDENTIAL",
    "ENCRYPTION_KEY",
];
/// Parts of values that are no credentials.
const PLACEHOLDERS: &[&str] =
    &["changeme", "change_me", "example", "your_", "your-", "placeholder", "xxxx", "todo", "dummy"];

fn wants(candidate: &Candidate<'_>) -> bool {
    let name = candidate.path.rsplit('/').next().unwrap_or_default();
    let env = name == ".env" || name.starts_with(".env.") && !TEMPLATES.iter().any(|end| name.ends_with(end));
    let published = candidate.path.split('/').any(|part| part == "node_modules");
    !published
        && (env
            || matches!(name, ".npmrc" | ".yarnrc.yml" | ".netrc" | ".git-credentials")
            || is_config(candidate.path))
}

fn is_config(path: &str) -> bool {
    path.ends_with(".docker/config.json") || path.ends_with(".aws/credentials")
}

fn read(candidate: &Candidate<'_>, content: &mut dyn Read, file: &mut FileFacts) -> Result<(), String> {
    let bytes = read_whole(content, MAX_SIZE)?;
    let text = String::from_utf8_lossy(&bytes);
    let name = candidate.path.rsplit('/').next().unwrap_or_default();
    let rule = match name {
        ".npmrc" | ".yarnrc.yml" => "npmrc-token",
        ".netrc" => "netrc-password",
        ".git-credentials" => "git-credentials",
        "config.json" => "docker-credentials",
        "credentials" => "aws-credentials",
        _ => "env-file",
    };
    let place = Place { path: candidate.path.to_owned(), layer: None };
    for shown in text.lines().filter_map(|line| shown(rule, line.trim())) {
        let secret =
            Secret { rule: rule.to_owned(), place: place.clone(), shown, deleted: false, published: false };
        if !file.secrets.contains(&secret) {
            file.secrets.push(secret);
        }
    }
    Ok(())
}

/// What to show of a line that holds a credential.
fn shown(rule: &str, line: &str) -> Option<String> {
    if line.starts_with(['#', ';']) {
        return None;
    }
    match rule {
        "env-file" => {
            let line = line.strip_prefix("export ").unwrap_or(line);
            let (name, value) = line.split_once('=')?;
            credential(name.trim(), value)
        }
        "npmrc-token" => {
            let (name, value) = line.split_once('=').or_else(|| line.split_once(": "))?;
            let name = name.trim();
            let holds = ["_authToken", "_password", "_auth", "npmAuthToken", "npmAuthIdent"]
                .iter()
                .any(|end| name.ends_with(end));
            (holds && is_value(value)).then(|| named(name, value))
        }
        "netrc-password" => {
            let value = line.split_once("password ")?.1;
            Some(named("password", value))
        }
        "git-credentials" => line.contains("://").then(|| redact("https://", line.len())),
        "docker-credentials" => {
            let value = line.split_once("\"auth\"")?.1.trim_start_matches([':', ' ', '"']);
            is_value(value).then(|| named("auth", value))
        }
        "aws-credentials" => {
            let value = line.strip_prefix("aws_secret_access_key")?.trim_start_matches([' ', '=']);
            is_value(value).then(|| named("aws_secret_access_key", value))
        }
        _ => None,
    }
}

/// What to show of `name=value` where the name says credential and the value looks like one.
pub(super) fn credential(name: &str, value: &str) -> Option<String> {
    let upper = name.to_ascii_uppercase();
    let url_password =
        value.split_once("://").and_then(|(_, rest)| rest.split_once('@')).is_some_and(|(user, _)| {
            user.split_once(':').is_some_and(|(_, password)| is_value(password) && !user.contains('/'))
        });
    let named_so = NAMES.iter().any(|part| upper.contains(part))
        && !upper.ends_with("_FILE")
        && !upper.ends_with("_PATH");
    ((named_so && is_value(value)) || url_password).then(|| named(name, value))
}

fn named(name: &str, value: &str) -> String {
    let name: String = name.chars().take(64).collect();
    format!("{name}=… ({} characters)", value.trim().trim_matches(['"', '\'']).chars().count())
}

/// Not empty, not a reference to another variable, not a placeholder, not a switch.
fn is_value(value: &str) -> bool {
    let value = value.trim().trim_matches(['"', '\'']);
    let lower = value.to_ascii_lowercase();
    value.len() >= 4
        && !value.starts_with(['$', '<', '{', '/'])
        && !matches!(lower.as_str(), "true" | "false" | "null" | "none" | "undefined")
        && !PLACEHOLDERS.iter().any(|part| lower.contains(part))
}
