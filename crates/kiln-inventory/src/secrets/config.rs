use kiln_oci::ImageConfig;
use kiln_pkg::{Place, Secret};

use super::{Search, files};

/// Credentials in an image's configuration: its environment, its labels and the history of its build, all of which anyone who
/// pulls the image can read.
pub fn in_config(config: &ImageConfig) -> Vec<Secret> {
    let mut found = Vec::new();
    for (at, entry) in config.config.env.iter().enumerate() {
        let (name, value) = entry.split_once('=').unwrap_or((entry, ""));
        look(&mut found, &format!("config.Env[{at}]"), entry, std::iter::once((name, value)));
    }
    for (name, value) in &config.config.labels {
        look(&mut found, &format!("config.Labels.{name}"), value, std::iter::empty());
    }
    for (at, entry) in config.history.iter().enumerate() {
        let text = entry.created_by.as_deref().unwrap_or_default();
        // `ENV NAME=value`, `ARG NAME=value`, and BuildKit's `|1 NAME=value /bin/sh -c …`.
        let pairs = text.split_whitespace().filter_map(|word| word.split_once('='));
        let pairs =
            pairs.filter(|(name, _)| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'));
        look(&mut found, &format!("history[{at}].created_by"), text, pairs);
    }
    found
}

fn look<'a>(
    found: &mut Vec<Secret>,
    path: &str,
    text: &str,
    pairs: impl Iterator<Item = (&'a str, &'a str)>,
) {
    let mut search = Search::new();
    search.feed(text.as_bytes());
    let tokens = search.finish(path);
    let place = Place { path: path.to_owned(), layer: None };
    if tokens.is_empty() {
        found.extend(pairs.filter_map(|(name, value)| files::credential(name, value)).map(|shown| Secret {
            rule: "config-credential".to_owned(),
            place: place.clone(),
            shown,
            deleted: false,
            published: false,
        }));
    }
    found.extend(tokens);
}

/// `text` without the values of its credentials: nothing that is shown may hold one.
pub(crate) fn without(text: &str) -> String {
    let mut search = Search::new();
    search.feed(text.as_bytes());
    if !search.finish("").is_empty() {
        return "(not shown: it holds a credential)".to_owned();
    }
    let shown = |word: &str| match word.split_once('=') {
        Some((name, value)) if files::credential(name.trim_start_matches(['"', '\'']), value).is_some() => {
            format!("{name}=…")
        }
        _ => word.to_owned(),
    };
    text.split(' ').map(shown).collect::<Vec<_>>().join(" ")
}
