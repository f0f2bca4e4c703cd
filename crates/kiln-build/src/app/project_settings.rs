//! What an app's own settings of package managers may say where there are logins: nothing that puts anybody between a package manager
//! and the registry, and nothing that is an argument of a command.

use std::io::Read;

use kiln_rootfs::{Content, Entry, Kind, RootPath};
use serde_json::Value;

use crate::Error;
use crate::error::ErrorKind;

/// The largest file of settings that is read, in bytes.
const SETTINGS_MAX: u64 = 1 << 20;
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
pub(super) fn harmless(path: &RootPath, entry: &Entry) -> Result<Entry, Error> {
    let filter: fn(&str) -> Option<String> = match path.as_str() {
        ".yarnrc" => |text| Some(yarnrc(text)),
        "pnpm-workspace.yaml" => pnpm_workspace,
        _ => return Ok(entry.clone()),
    };
    let unfit = || {
        let help = format!("`{path}` is a file, and a small text in its format");
        Error::refused(format!("the settings of the app in `{path}` cannot be read"), Some(help))
    };
    // A link would lead to what nobody looked at.
    let Kind::File(content) = &entry.kind else { return Err(unfit()) };
    let text = read(path, content)?.ok_or_else(unfit)?;
    let text = filter(&text).ok_or_else(unfit)?;
    Ok(Entry { attrs: entry.attrs.clone(), kind: Kind::File(Content::Bytes(text.into_bytes().into())) })
}

fn read(path: &RootPath, content: &Content) -> Result<Option<String>, Error> {
    let mut bytes = Vec::new();
    let read = content.open().and_then(|file| file.take(SETTINGS_MAX + 1).read_to_end(&mut bytes));
    read.map_err(|source| Error::from(ErrorKind::Read { path: path.to_string(), source }))?;
    Ok(if bytes.len() as u64 > SETTINGS_MAX { None } else { String::from_utf8(bytes).ok() })
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
        let mut tree = kiln_rootfs::Tree::new();
        tree.insert_file(path, 0o644, text.as_bytes()).unwrap();
        let path = RootPath::new(path).unwrap();
        let entry = harmless(&path, tree.get(&path).unwrap())?;
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
        assert_eq!(seen("package.json", "{\"proxy\": 1}").unwrap(), "{\"proxy\": 1}");
    }

    #[test]
    fn a_link_is_not_followed() {
        for path in [".yarnrc", "pnpm-workspace.yaml"] {
            let path = RootPath::new(path).unwrap();
            let entry =
                Entry { attrs: kiln_rootfs::Attrs::root(0o777), kind: Kind::Symlink("patches/x".to_owned()) };
            harmless(&path, &entry).unwrap_err();
        }
    }
}
