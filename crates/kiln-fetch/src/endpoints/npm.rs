use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kiln_disk::Dir;
use kiln_program::Call;
use kiln_rootfs::RootPath;

use crate::credentials::Credentials;
use crate::endpoints::{Machine, npmrc};
use crate::error::{Error, ErrorKind};

/// How long npm may take to say one word.
const NPM_MAX: Duration = Duration::from_secs(30);

/// npm's configuration as far as downloads go.
#[derive(Clone, Debug, Default)]
pub struct Npm {
    /// Address of the registry for packages without a scope; no slash at the end.
    pub registry: Option<String>,
    /// Addresses for scopes (`@scope`).
    pub scopes: BTreeMap<String, String>,
    /// A file of certificates to trust.
    pub cafile: Option<PathBuf>,
    /// Proxy for https.
    pub proxy: Option<String>,
    /// What to present to which registry.
    pub credentials: Credentials,
}

impl Npm {
    /// What npm would use here: environment, then the `.npmrc` of project, user, machine and npm itself; and
    /// where none names a registry, what an installed npm answers.
    pub fn collect(machine: &Machine) -> Self {
        Self::collect_from(machine, None)
    }

    /// The same with packages from `registry`, which the app's kiln.toml names. Where an app names one that this machine has neither a
    /// setting nor a login for, there are no logins but the app's own.
    pub fn collect_from(machine: &Machine, registry: Option<&str>) -> Self {
        let (environment, project, others) = levels(machine);
        let mut own = merged([environment.clone()].into_iter().chain(others.clone()));
        let named =
            registry.or_else(|| project.as_ref()?.get("registry").map(String::as_str)).map(str::to_owned);
        if named.is_some() && !own.contains_key("registry") {
            own.extend(ask_npm(machine).map(|registry| ("registry".to_owned(), registry)));
        }
        let mut settings = merged([environment].into_iter().chain(project).chain(others));
        settings.extend(registry.map(|registry| ("registry".to_owned(), registry.to_owned())));
        if named.is_some_and(|named| is_strange(&named, &own)) {
            settings.retain(|key, value| !(key.starts_with("//") && own.get(key) == Some(value)));
        }
        if !settings.contains_key("registry")
            && let Some(registry) = ask_npm(machine)
        {
            settings.insert("registry".to_owned(), registry);
        }
        from_settings(&settings)
    }

    /// The registry, or the error that shows what to write into kiln.toml.
    pub fn registry(&self) -> Result<&str, Error> {
        let help = "add to kiln.toml, with the address of an npm registry:\n    [base]\n    \
                    registry = \"https://<registry>/\"\nor set registry=... in .npmrc";
        self.registry.as_deref().ok_or_else(|| {
            ErrorKind::NotConfigured { what: "npm packages".to_owned(), help: help.to_owned() }.into()
        })
    }
}

fn from_settings(settings: &BTreeMap<String, String>) -> Npm {
    let setting =
        |key: &str| settings.get(key).filter(|value| !value.is_empty() && *value != "null").cloned();
    let address = |text: &str| text.trim_end_matches('/').to_owned();
    let scopes = settings
        .iter()
        .filter_map(|(key, value)| Some((key.strip_suffix(":registry")?.to_owned(), address(value))))
        .filter(|(scope, _)| scope.starts_with('@'))
        .collect();
    Npm {
        registry: setting("registry").map(|text| address(&text)),
        scopes,
        cafile: setting("cafile").map(PathBuf::from),
        proxy: setting("https-proxy").or_else(|| setting("proxy")),
        credentials: credentials(settings),
    }
}

/// `//place/:_authToken`, `//place/:_auth`, and `//place/:username` with `:_password` (in base64).
fn credentials(settings: &BTreeMap<String, String>) -> Credentials {
    let mut credentials = Credentials::default();
    for (key, value) in settings.iter().filter(|(key, _)| key.starts_with("//")) {
        if let Some(place) = key.strip_suffix(":_authToken") {
            credentials.bearer(place, value);
        } else if let Some(place) = key.strip_suffix(":_auth") {
            credentials.basic_encoded(place, value);
        } else if let Some(place) = key.strip_suffix(":username")
            && let Some(password) = settings.get(&format!("{place}:_password"))
            && let Ok(password) = STANDARD.decode(password)
        {
            credentials.basic(place, &format!("{value}:{}", String::from_utf8_lossy(&password)));
        }
    }
    credentials
}

type Settings = BTreeMap<String, String>;

/// The first level that has a key decides.
fn merged(levels: impl Iterator<Item = Settings>) -> Settings {
    let mut settings = Settings::new();
    for (key, value) in levels.flatten() {
        settings.entry(key).or_insert(value);
    }
    settings
}

/// Whether this machine has neither a setting nor a login for a registry. Where an app names such a one, Node.js and the package manager
/// come from there, too, and would see the machine's logins.
fn is_strange(registry: &str, own: &Settings) -> bool {
    let place = |address: &str| {
        let address = address.split_once("://").map_or(address, |(_, rest)| rest);
        format!("//{}/", address.trim_end_matches('/'))
    };
    let named = place(registry);
    let is_registry = |key: &str| key == "registry" || key.ends_with(":registry");
    let is_named = own.iter().any(|(key, address)| is_registry(key) && place(address) == named);
    // A login for `//host/` is one for all that lies below it.
    let has_login = own
        .keys()
        .filter(|key| key.starts_with("//"))
        .any(|key| key.split_once("/:").is_some_and(|(above, _)| named.starts_with(&format!("{above}/"))));
    !is_named && !has_login
}

/// Settings by rising distance from the project: the environment's, the project's, the others.
fn levels(machine: &Machine) -> (Settings, Option<Settings>, Vec<Settings>) {
    let environment = from_environment(machine);
    let named = |key: &str| environment.get(key).map(PathBuf::from);
    let user = named("userconfig").or_else(|| Some(machine.home.as_ref()?.join(".npmrc")));
    let global = named("globalconfig").or_else(|| Some(prefix(machine, &environment)?.join("etc/npmrc")));
    let own = machine.program("npm").and_then(|npm| own_npmrc(&npm));
    let read = |path: PathBuf| {
        let text = kiln_disk::read_text(&path, kiln_disk::DOCUMENT_MAX).ok()?;
        Some(npmrc::parse(&text, &machine.vars))
    };
    let project = read(machine.project.join(".npmrc")).map(|settings| of_project(settings, &machine.project));
    let others = [user, global, own].into_iter().flatten().filter_map(read).collect();
    (environment, project, others)
}

/// What would take the machine's logins to somebody else: who stands between, and whether it is believed.
const OF_THE_MACHINE: [&str; 7] = ["https-proxy", "proxy", "noproxy", "strict-ssl", "ca", "cert", "key"];

/// What an app may say for itself: its certificates are files of its own, not files of the machine, which would be shown to
/// every command of its build; and no proxy, through which the machine's logins would go.
fn of_project(mut settings: BTreeMap<String, String>, project: &Path) -> BTreeMap<String, String> {
    settings.retain(|key, _| !OF_THE_MACHINE.contains(&key.as_str()));
    if let Some(named) = settings.remove("cafile") {
        let own = RootPath::normalise(&named).ok().filter(|_| !named.starts_with('/'));
        let is_own = |path: &RootPath| Dir::open(project).and_then(|folder| folder.file(path)).is_ok();
        if let Some(path) = own.filter(is_own) {
            settings.insert("cafile".to_owned(), project.join(path.as_str()).display().to_string());
        }
    }
    settings
}

/// `npm_config_KEY`, in any case, with `_` for `-`; a key that starts with `//` is taken as it is.
fn from_environment(machine: &Machine) -> BTreeMap<String, String> {
    const PREFIX: &str = "npm_config_";
    let mut settings = BTreeMap::new();
    for (name, value) in &machine.vars {
        let is_setting = name.get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX));
        if !is_setting || value.is_empty() {
            continue;
        }
        let key = &name[PREFIX.len()..];
        let key = if key.starts_with("//") || key.starts_with('@') {
            key.to_owned()
        } else {
            key.to_ascii_lowercase().replace('_', "-")
        };
        settings.insert(key, value.clone());
    }
    settings
}

/// The folder above the `bin` that node is in, unless `prefix` is set.
fn prefix(machine: &Machine, environment: &BTreeMap<String, String>) -> Option<PathBuf> {
    if let Some(prefix) = environment.get("prefix").map(String::as_str).or_else(|| machine.var("PREFIX")) {
        return Some(PathBuf::from(prefix));
    }
    let node = machine.program("node")?;
    Some(node.parent()?.parent()?.to_owned())
}

/// The `npmrc` beside the npm program's own package: `<npm>/bin/npm-cli.js` lies in it.
fn own_npmrc(npm: &Path) -> Option<PathBuf> {
    let program = std::fs::canonicalize(npm).ok()?;
    Some(program.parent()?.parent()?.join("npmrc"))
}

/// What an installed npm calls its registry; run only when nothing else says.
fn ask_npm(machine: &Machine) -> Option<String> {
    let npm = machine.program("npm")?;
    let call = Call::new(npm).args(["config", "get", "registry"]).keeps(&["npm_config_*", "NPM_CONFIG_*"]);
    let answer = call.folder(&machine.root).limit(NPM_MAX).run().ok()?;
    let text = std::str::from_utf8(&answer.stdout).ok()?;
    let registry = text.trim();
    (answer.is_success() && registry.starts_with("http")).then(|| registry.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn machine(files: &[(&str, &str)], vars: &[(&str, &str)]) -> (tempfile::TempDir, Machine) {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let vars = vars.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        let machine = Machine {
            root: folder.path().to_owned(),
            home: Some(folder.path().join("home")),
            project: folder.path().join("app"),
            vars,
        };
        (folder, machine)
    }

    #[test]
    fn an_app_puts_nobody_between() {
        let text = "https-proxy=http://evil.invalid\nproxy=http://evil.invalid\nstrict-ssl=false\nregistry=https://r.invalid";
        let (_folder, machine) = machine(&[("app/.npmrc", text)], &[]);
        let npm = Npm::collect(&machine);
        assert_eq!((npm.proxy.as_deref(), npm.registry().unwrap()), (None, "https://r.invalid"));
    }

    #[test]
    fn an_app_names_no_file_of_the_machine() {
        let cafile = |named: &str| {
            let files = [("app/.npmrc", &*format!("cafile={named}")), ("app/ca.pem", ""), ("secret", "")];
            let (folder, machine) = machine(&files, &[]);
            std::os::unix::fs::symlink(folder.path().join("secret"), folder.path().join("app/link")).unwrap();
            let found = Npm::collect(&machine).cafile;
            found.map(|path| path.strip_prefix(folder.path()).unwrap().to_owned())
        };
        assert_eq!(cafile("ca.pem"), Some(PathBuf::from("app/ca.pem")));
        for named in ["/etc/passwd", "../secret", "link", "missing", ".", ""] {
            assert_eq!(cafile(named), None, "{named}");
        }
    }

    #[test]
    fn nearer_levels_win() {
        let files = [
            ("app/.npmrc", "registry=https://project.invalid/"),
            ("home/.npmrc", "registry=https://user.invalid/\n@x:registry=https://x.invalid/\ncafile=/ca.pem"),
            ("usr/bin/node", ""),
            ("usr/etc/npmrc", "registry=https://machine.invalid\nhttps-proxy=http://proxy.invalid:1"),
        ];
        let (_folder, mut machine) = machine(&files, &[("PATH", "/usr/bin")]);
        let npm = Npm::collect(&machine);
        assert_eq!(npm.registry().unwrap(), "https://project.invalid");
        assert_eq!(npm.scopes["@x"], "https://x.invalid");
        assert_eq!(npm.cafile, Some(PathBuf::from("/ca.pem")));
        assert_eq!(npm.proxy.as_deref(), Some("http://proxy.invalid:1"));
        machine.vars.insert("NPM_CONFIG_REGISTRY".into(), "https://env.invalid".into());
        assert_eq!(Npm::collect(&machine).registry().unwrap(), "https://env.invalid");
    }

    /// Node.js and the package manager of a build would come from there, and see them.
    #[test]
    fn an_app_that_names_an_unknown_registry_gets_no_logins() {
        let user = "registry=https://corp.invalid/npm/\n//corp.invalid/npm/:_authToken=s3cret\n//known.invalid/:_authToken=t\n\
                    @x:registry=https://x.invalid";
        let places = |project: &str| {
            let (_folder, machine) =
                super::tests::machine(&[("app/.npmrc", project), ("home/.npmrc", user)], &[]);
            format!("{:?}", Npm::collect(&machine).credentials).matches("2 places").count()
        };
        let (_folder, machine) = machine(&[("home/.npmrc", user)], &[]);
        let named = |registry| format!("{:?}", Npm::collect_from(&machine, Some(registry)).credentials);
        assert!(named("https://known.invalid/").contains("2 places"));
        assert!(!named("https://evil.invalid/").contains("2 places"));
        for known in [
            "",
            "registry=https://corp.invalid/npm",
            "registry=https://known.invalid/some/npm/",
            "registry=https://x.invalid/",
            "@y:registry=https://evil.invalid/",
        ] {
            assert_eq!(places(known), 1, "{known}");
        }
        for unknown in [
            "registry=https://evil.invalid/",
            "registry=https://known.invalid.evil.invalid/",
            "registry=https://corp.invalid:8443/npm/",
        ] {
            assert_eq!(places(unknown), 0, "{unknown}");
        }
    }

    #[test]
    fn an_installed_npm_is_asked_last() {
        use std::os::unix::fs::PermissionsExt as _;
        let script = "#!/bin/sh\n[ \"$*\" = 'config get registry' ] && echo https://default.invalid/\n";
        let (folder, machine) = machine(&[("usr/bin/npm", script)], &[("PATH", "/usr/bin")]);
        let program = folder.path().join("usr/bin/npm");
        fs::set_permissions(program, fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(Npm::collect(&machine).registry().unwrap(), "https://default.invalid");
    }

    #[test]
    fn nothing_configured_shows_the_line_to_add() {
        use kiln_finding::Diagnose as _;
        let (_folder, machine) = machine(&[], &[]);
        let npm = Npm::collect(&machine);
        assert!(npm.registry().unwrap_err().help().unwrap().contains("registry = "));
    }

    #[test]
    fn credentials_are_collected_and_not_shown() {
        let rc = "//a.invalid/:_authToken=s3cret\n//b.invalid/:username=me\n//b.invalid/:_password=cHc=\n";
        let (_folder, machine) = machine(&[("home/.npmrc", rc)], &[]);
        let npm = Npm::collect(&machine);
        let shown = format!("{npm:?}");
        assert!(shown.contains("2 places") && !shown.contains("s3cret") && !shown.contains("cHc="));
    }
}
