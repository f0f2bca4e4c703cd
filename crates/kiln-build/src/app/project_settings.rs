//! What an app's own settings of package managers may say where there are logins: nothing that puts anybody between a package manager
//! and the registry, and nothing that is an argument of a command.

use kiln_node::Manager;
use kiln_rootfs::{Entry, Kind, RootPath};
use serde_json::Value;

use super::settings_file::{read, replaced, unfit};
use super::yarn_settings;
use crate::Error;

/// What `.yarnrc` of yarn 1 may say. Lines that begin with `--` are arguments of commands.
const YARNRC: [&str; 12] = [
    "child-concurrency",
    "disable-self-update-check",
    "ignore-engines",
    "ignore-optional",
    "ignore-platform",
    "lastUpdateCheck",
    "network-concurrency",
    "network-timeout",
    "registry",
    "save-prefix",
    "workspaces-experimental",
    "workspaces-nohoist-experimental",
];
/// What `pnpm-workspace.yaml` may not say, without regard to case and joints. What `<<` brings would be read by others after all.
const PNPM_WORKSPACE: [&str; 16] = [
    "<<",
    "ca",
    "cafile",
    "cert",
    "certfile",
    "configdependencies",
    "globalpnpmfile",
    "httpproxy",
    "httpsproxy",
    "key",
    "keyfile",
    "localaddress",
    "noproxy",
    "pnpmfile",
    "proxy",
    "strictssl",
];

/// A file of an app as commands that fetch packages see it.
pub(super) fn harmless(path: &RootPath, entry: &Entry, manager: Manager) -> Result<Entry, Error> {
    let filter: fn(&str) -> Option<String> = match path.as_str() {
        ".yarnrc" => |text| Some(yarnrc(text)),
        yarn_settings::FILE => yarn_settings::for_fetching,
        ".npmrc" if manager == Manager::Bun => |text| Some(registries(text)),
        "pnpm-workspace.yaml" => pnpm_workspace,
        _ => return Ok(entry.clone()),
    };
    // A link would lead to what nobody looked at.
    let Kind::File(content) = &entry.kind else { return Err(unfit(path)) };
    let text = read(path, content)?.ok_or_else(|| unfit(path))?;
    let text = filter(&text).ok_or_else(|| unfit(path))?;
    Ok(replaced(entry, text))
}

/// The lines of an `.npmrc` that say where registries are, and no more: bun takes certificates there, too.
fn registries(text: &str) -> String {
    let is_registry = |line: &&str| {
        line.split_once('=').is_some_and(|(name, value)| {
            let name = name.trim();
            (name == "registry" || name.starts_with('@') && name.ends_with(":registry"))
                && !value.contains("${")
        })
    };
    let lines = text.split(['\n', '\r']).filter(is_registry);
    lines.map(|line| format!("{}\n", line.trim())).collect::<Vec<_>>().concat()
}

/// The lines that may stay, each one name and one value and written anew: yarn takes several on a line, and `\r` for its end.
fn yarnrc(text: &str) -> String {
    let may_stay = |(name, _): &(&str, &str)| {
        YARNRC.contains(name) || name.starts_with('@') && name.ends_with(":registry")
    };
    let pairs = text.split(['\n', '\r']).filter_map(|line| {
        let (name, value) = line.split_once(' ')?;
        Some((word(name)?, word(value.trim())?))
    });
    pairs
        .filter(may_stay)
        .map(|(name, value)| format!("\"{name}\" \"{value}\"\n"))
        .collect::<Vec<_>>()
        .concat()
}

/// One word, which may stand in quotes; `None` for anything that may be more.
fn word(text: &str) -> Option<&str> {
    let bare = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let is_one =
        !bare.is_empty() && !bare.contains(|char: char| char.is_whitespace() || "\"\\,".contains(char));
    is_one.then_some(bare)
}

/// The document without what may not be said; as JSON, which is YAML, too.
fn pnpm_workspace(text: &str) -> Option<String> {
    if text.trim().is_empty() {
        return Some(String::new());
    }
    let mut document: Value = serde_saphyr::from_str(text).ok()?;
    let plain = |name: &str| name.replace(['-', '_'], "").to_lowercase();
    match &mut document {
        Value::Object(settings) => settings.retain(|name, _| !PNPM_WORKSPACE.contains(&&*plain(name))),
        Value::Null => return Some(String::new()),
        _ => return None,
    }
    serde_json::to_string_pretty(&document).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(path: &str, text: &str) -> Result<String, Error> {
        seen_by(Manager::Npm, path, text)
    }

    fn seen_by(manager: Manager, path: &str, text: &str) -> Result<String, Error> {
        let mut tree = kiln_rootfs::Tree::new();
        tree.insert_file(path, 0o644, text.as_bytes()).unwrap();
        let path = RootPath::new(path).unwrap();
        let entry = harmless(&path, tree.get(&path).unwrap(), manager)?;
        let Kind::File(content) = &entry.kind else { panic!("it is a file") };
        Ok(read(&path, content)?.unwrap())
    }

    #[test]
    fn nobody_comes_between() {
        let text = "registry \"https://r.example.invalid\"\nhttps-proxy \"http://x\"\n\"proxy\" \"http://x\"\nstrict-ssl false\n\
                    --https-proxy \"http://x\"\n--install.https-proxy \"http://x\"\ncafile x\nyarn-path x\n\"@s:registry\" \"https://r.example.invalid\"\n";
        let left =
            "\"registry\" \"https://r.example.invalid\"\n\"@s:registry\" \"https://r.example.invalid\"\n";
        assert_eq!(seen(".yarnrc", text).unwrap(), left);
        let text = "packages: [.]\nhttpsProxy: http://x\n'https-proxy': http://x\nstrictSsl: false\nHTTPS_PROXY: x\ncafile: x\noverrides:\n  a: 1.0.0\n";
        let left: Value = serde_json::from_str(&seen("pnpm-workspace.yaml", text).unwrap()).unwrap();
        assert_eq!(left, serde_json::json!({"packages": ["."], "overrides": {"a": "1.0.0"}}));
        assert!(!seen("pnpm-workspace.yaml", "{packages: [a], proxy: x}").unwrap().contains("proxy"));
        seen("pnpm-workspace.yaml", "- a\n").unwrap_err();
        for hidden in [
            "registry \"https://r\"\rhttps-proxy \"http://x\"\r",
            "registry \"https://r\" https-proxy \"http://x\"\n",
            "registry, https-proxy \"http://x\"\n",
            "registry \"https://r\"\u{85}https-proxy \"http://x\"\n",
        ] {
            assert!(!seen(".yarnrc", hidden).unwrap().contains("proxy"), "{hidden:?}");
        }
        let merged = "base: &b {httpsProxy: x}\n<<: *b\npackages: [.]\n";
        let left = seen("pnpm-workspace.yaml", merged);
        let left: Value = left.map_or(Value::Null, |left| serde_json::from_str(&left).unwrap());
        assert!(left.get("<<").is_none() && left.get("httpsProxy").is_none(), "{left}");
        let text = "registry=https://r.example.invalid\ncafile=x\nca=x\n@s:registry = https://s.example.invalid\rcache=/x\n//r/:_authToken=t\n";
        let left = "registry=https://r.example.invalid\n@s:registry = https://s.example.invalid\n";
        assert_eq!(seen_by(Manager::Bun, ".npmrc", text).unwrap(), left);
        assert_eq!(seen("package.json", "{\"proxy\": 1}").unwrap(), "{\"proxy\": 1}");
    }

    #[test]
    fn a_link_is_not_followed() {
        for path in [".yarnrc", "pnpm-workspace.yaml"] {
            let path = RootPath::new(path).unwrap();
            let entry =
                Entry { attrs: kiln_rootfs::Attrs::root(0o777), kind: Kind::Symlink("patches/x".to_owned()) };
            harmless(&path, &entry, Manager::Npm).unwrap_err();
        }
    }
}
