//! What an app's own settings may say to yarn 2 and newer.

use kiln_rootfs::{Entry, Kind, RootPath, Tree};
use serde_json::{Map, Value};

use super::modules::tree_error;
use super::settings_file::{read, replaced, unfit};
use crate::Error;

/// Where they lie.
pub(super) const FILE: &str = ".yarnrc.yml";
/// What they may say to a yarn that has logins: how packages are laid and which are wanted, and where the registry is. Plugins and
/// other programs, proxies, certificates, logins and folders are not among it.
const MAY_SAY: [&str; 17] = [
    "catalog",
    "catalogs",
    "compressionLevel",
    "defaultSemverRangePrefix",
    "enableTransparentWorkspaces",
    "nmHoistingLimits",
    "nmMode",
    "nmSelfReferences",
    "nodeLinker",
    "npmRegistryServer",
    "npmScopes",
    "packageExtensions",
    "pnpEnableEsmLoader",
    "pnpFallbackMode",
    "pnpIgnorePatterns",
    "pnpMode",
    "supportedArchitectures",
];
/// What yarn made on the desk, by the start of its path: the build makes it anew, from the registry and by the lock file.
const MADE: [&str; 8] = [
    ".pnp.cjs",
    ".pnp.data.json",
    ".pnp.js",
    ".pnp.loader.mjs",
    ".yarn/build-state.yml",
    ".yarn/cache/",
    ".yarn/install-state.gz",
    ".yarn/unplugged/",
];

/// The document without what may not be said; as JSON, which is YAML, too.
pub(super) fn for_fetching(text: &str) -> Option<String> {
    let mut settings = settings(text)?;
    settings.retain(|name, value| MAY_SAY.contains(&name.as_str()) && !names_variable(value));
    if let Some(Value::Object(scopes)) = settings.get_mut("npmScopes") {
        for scope in scopes.values_mut().filter_map(Value::as_object_mut) {
            scope.retain(|name, _| name == "npmRegistryServer");
        }
    }
    serde_json::to_string_pretty(&settings).ok()
}

/// The sources as commands of the app see them: without what yarn made elsewhere, and with settings that need no variable, which
/// nobody sets here.
pub(super) fn for_scripts(source: &Tree) -> Result<Tree, Error> {
    let mut tree = source.clone();
    let is_made = |path: &RootPath| MADE.iter().any(|made| path.as_str().starts_with(made));
    let made: Vec<RootPath> = source.iter().map(|(path, _)| path.clone()).filter(is_made).collect();
    for path in made {
        tree.remove(&path);
    }
    let path = RootPath::normalise(FILE).map_err(tree_error)?;
    if let Some(entry) = source.get(&path).filter(|entry| matches!(entry.kind, Kind::File(_))) {
        tree.insert(path.clone(), without_variables(&path, entry)?).map_err(tree_error)?;
    }
    Ok(tree)
}

fn without_variables(path: &RootPath, entry: &Entry) -> Result<Entry, Error> {
    let Kind::File(content) = &entry.kind else { return Ok(entry.clone()) };
    let text = read(path, content)?.ok_or_else(|| unfit(path))?;
    let mut settings = settings(&text).ok_or_else(|| unfit(path))?;
    settings.retain(|_, value| !names_variable(value));
    let text = serde_json::to_string_pretty(&settings).map_err(|_| unfit(path))?;
    Ok(replaced(entry, text))
}

fn settings(text: &str) -> Option<Map<String, Value>> {
    if text.trim().is_empty() {
        return Some(Map::new());
    }
    match serde_saphyr::from_str(text).ok()? {
        Value::Object(settings) => Some(settings),
        Value::Null => Some(Map::new()),
        _ => None,
    }
}

/// Whether something in it is a variable of the environment.
fn names_variable(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains("${"),
        Value::Array(list) => list.iter().any(names_variable),
        Value::Object(map) => map.iter().any(|(name, value)| name.contains("${") || names_variable(value)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_comes_between_yarn_and_the_registry() {
        let text = "nodeLinker: pnpm\nyarnPath: x.cjs\nplugins: [{path: x.cjs}]\nhttpsProxy: http://x\nhttpsCaFilePath: x\n\
                    enableStrictSsl: false\nnpmAuthToken: t\nnetworkSettings: {'*': {httpsProxy: x}}\ncacheFolder: /root\n\
                    checksumBehavior: ignore\nenableScripts: true\nenableConstraintsChecks: true\nunsafeHttpWhitelist: ['*']\n\
                    npmRegistryServer: https://r.example.invalid\nnpmRegistries: {'//r': {npmAuthToken: t}}\n\
                    npmScopes: {s: {npmRegistryServer: 'https://s.example.invalid', npmAuthToken: t}}\n";
        let left: Value = serde_json::from_str(&for_fetching(text).unwrap()).unwrap();
        let expected = serde_json::json!({
            "nodeLinker": "pnpm",
            "npmRegistryServer": "https://r.example.invalid",
            "npmScopes": {"s": {"npmRegistryServer": "https://s.example.invalid"}},
        });
        assert_eq!(left, expected);
        let merged = for_fetching("base: &b {httpsProxy: x}\n<<: *b\nnodeLinker: pnp\n");
        assert!(merged.is_none_or(|left| !left.contains("Proxy")));
        assert_eq!(for_fetching("npmRegistryServer: \"${HOME}\"\n").unwrap(), "{}");
        assert!(for_fetching("- a\n").is_none() && for_fetching("").is_some());
    }

    #[test]
    fn what_a_desk_made_is_made_anew() {
        let mut tree = Tree::new();
        for (path, text) in [
            (".pnp.cjs", ""),
            (".yarn/cache/ms.zip", ""),
            (".yarn/unplugged/a/node_modules/a/index.js", ""),
            (".yarn/install-state.gz", ""),
            (".yarn/patches/a.patch", ""),
            (".yarn/plugins/p.cjs", ""),
            (".yarnrc.yml", "npmAuthToken: \"${TOKEN}\"\nplugins: [.yarn/plugins/p.cjs]\n"),
        ] {
            tree.insert_file(path, 0o644, text.as_bytes()).unwrap();
        }
        let left = for_scripts(&tree).unwrap();
        let files: Vec<&str> = left
            .iter()
            .filter(|(_, entry)| matches!(entry.kind, Kind::File(_)))
            .map(|(path, _)| path.as_str())
            .collect();
        assert_eq!(files, [".yarn/patches/a.patch", ".yarn/plugins/p.cjs", ".yarnrc.yml"]);
        let path = RootPath::new(".yarnrc.yml").unwrap();
        let Kind::File(content) = &left.get(&path).unwrap().kind else { panic!("it is a file") };
        let text = read(&path, content).unwrap().unwrap();
        assert!(text.contains("plugins") && !text.contains("TOKEN"), "{text}");
    }
}
