//! What the commands of a build see of this machine: certificates, names of hosts, registry and credentials of npm.

use std::path::{Path, PathBuf};

use kiln_disk::disk_failure;
use kiln_fetch::Url;
use kiln_fetch::endpoints::Npm;
use kiln_finding::Failure;
use kiln_node::Manager;
use kiln_rootfs::RootPath;
use kiln_sandbox::{HOSTNAME, Mount};

use crate::outside::{Outside, hosts};

const SYSTEM_CERTIFICATES: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];
/// Where commands of a Dockerfile see settings of this machine.
const SETTINGS: &str = "run/kiln";
const DOWNLOADS: &str = "root/.npm";
const CERTIFICATES: &str = "etc/ssl/certs/kiln-machine.crt";

/// The environment of every command. Nothing in it differs from user to user.
pub(crate) fn environment(manager: Manager, native: bool, offline: bool) -> Vec<(String, String)> {
    let mut env = vec![
        ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
        ("HOME", "/root"),
        ("CI", "true"),
        ("LANG", "C.UTF-8"),
        ("TZ", "UTC"),
        ("NO_COLOR", "1"),
        ("NODE_EXTRA_CA_CERTS", "/etc/ssl/certs/kiln-machine.crt"),
        ("npm_config_cache", "/root/.npm"),
        // Settings of the project choose no other program for a step that has logins.
        ("npm_config_git", "git"),
        ("YARN_IGNORE_PATH", "1"),
        ("npm_config_update_notifier", "false"),
        // Times in what tools write, where they honour it.
        ("SOURCE_DATE_EPOCH", "0"),
    ];
    match manager {
        Manager::Npm => {}
        Manager::Pnpm => env.extend([
            ("PNPM_HOME", "/root/.local/share/pnpm"),
            ("npm_config_store_dir", "/root/.npm/pnpm-store"),
            ("npm_config_package_import_method", "copy"),
        ]),
        Manager::Yarn => env.push(("YARN_CACHE_FOLDER", "/root/.npm/yarn-cache")),
    }
    if native {
        // Compile addons from source, against the headers of the builder, in place of downloading binaries.
        env.extend([("npm_config_build_from_source", "true"), ("npm_config_nodedir", "/usr/local")]);
    }
    if offline {
        env.push(("npm_config_offline", "true"));
    }
    env.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// What stands above the settings of the project where there are logins, so that they put nobody between a package manager and
/// the registry.
pub(crate) fn straight(npm: &Npm) -> Vec<(String, String)> {
    let proxy = npm.proxy.as_deref().unwrap_or("null");
    let settings = [
        ("npm_config_https_proxy", proxy),
        ("npm_config_proxy", proxy),
        ("npm_config_noproxy", "null"),
        ("npm_config_strict_ssl", "true"),
        ("YARN_ENABLE_STRICT_SSL", "1"),
    ];
    settings.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// What a command of an app's build does, and so what it may see of this machine.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doing {
    /// Fetches packages, and runs no code of theirs or of the app's: has logins, and keeps downloads.
    Fetching,
    /// Installs what was fetched, with code of the app's: has a copy of the downloads, which is thrown away.
    Unpacking,
    /// Runs code of the app's or of packages, which may reach the network.
    Reaching,
    /// Runs such code.
    Running,
}

/// What commands see of this machine besides the builder and the app.
pub(crate) struct Sights<'a> {
    pub(crate) npm: &'a Npm,
    /// Takes what package managers download.
    pub(crate) downloads: &'a Path,
    pub(crate) outside: &'a Outside,
    /// Takes files that are made.
    pub(crate) scratch: &'a Path,
}

impl Sights<'_> {
    /// What a command sees.
    pub(crate) fn mounts(&self, doing: Doing) -> Result<Vec<Mount>, Failure> {
        let mut mounts = vec![
            Mount::Tmpfs { target: RootPath::normalise("tmp")?, size: None },
            Mount::Tmpfs { target: RootPath::normalise("root")?, size: None },
        ];
        match doing {
            Doing::Fetching => {
                mounts.push(bind(self.downloads.to_owned(), DOWNLOADS, false)?);
                mounts.push(self.npmrc("npmrc", &npmrc_text(self.npm))?);
            }
            Doing::Unpacking => mounts.push(self.copy_of_downloads()?),
            Doing::Reaching => mounts.push(self.npmrc("npmrc-without-logins", &public_npmrc(self.npm))?),
            Doing::Running => {}
        }
        let has_network = matches!(doing, Doing::Fetching | Doing::Reaching);
        if has_network && let Some(resolver) = self.outside.resolver(self.scratch)? {
            mounts.push(bind(resolver, "etc/resolv.conf", true)?);
        }
        mounts.push(bind(hosts(self.scratch, HOSTNAME, has_network)?, "etc/hosts", true)?);
        if let Some(file) = certificates(self.npm) {
            mounts.push(bind(file, CERTIFICATES, true)?);
        }
        Ok(mounts)
    }

    fn npmrc(&self, name: &str, text: &str) -> Result<Mount, Failure> {
        let path = self.scratch.join(name);
        write_secret(&path, text)?;
        bind(path, "root/.npmrc", true)
    }

    fn copy_of_downloads(&self) -> Result<Mount, Failure> {
        let [upper, work] = ["downloads", "downloads-work"].map(|name| self.scratch.join(name));
        for folder in [&upper, &work] {
            kiln_disk::own::folder(folder).map_err(|error| disk_failure("create", folder, &error))?;
        }
        let lower = vec![self.downloads.to_owned()];
        Ok(Mount::Overlay { lower, upper, work, target: RootPath::normalise(DOWNLOADS)? })
    }
}

/// Variables and mounts.
pub(crate) type Settings = (Vec<(String, String)>, Vec<Mount>);

/// What npm, pnpm and yarn need to reach packages as they do on this machine, for commands of a Dockerfile: variables, and
/// files that are mounted and reach no layer.
pub(crate) fn npm_settings(npm: &Npm, scratch: &Path) -> Result<Settings, Failure> {
    let npmrc = scratch.join("npmrc");
    write_secret(&npmrc, &npmrc_text(npm))?;
    let mut env = vec![("NPM_CONFIG_USERCONFIG".to_owned(), format!("/{SETTINGS}/npmrc"))];
    let mut mounts = vec![bind(npmrc, &format!("{SETTINGS}/npmrc"), true)?];
    if let Some(file) = certificates(npm) {
        env.push(("NODE_EXTRA_CA_CERTS".to_owned(), format!("/{SETTINGS}/machine.crt")));
        mounts.push(bind(file, &format!("{SETTINGS}/machine.crt"), true)?);
    }
    if let Some(registry) = &npm.registry {
        env.push(("npm_config_registry".to_owned(), format!("{registry}/")));
    }
    Ok((env, mounts))
}

/// The certificates that this machine's clients trust.
fn certificates(npm: &Npm) -> Option<PathBuf> {
    let files = npm.cafile.clone().into_iter().chain(SYSTEM_CERTIFICATES.map(PathBuf::from));
    files.into_iter().find(|file| file.is_file())
}

fn bind(source: PathBuf, target: &str, read_only: bool) -> Result<Mount, Failure> {
    Ok(Mount::Bind { source, target: RootPath::normalise(target)?, read_only })
}

/// Only what says where packages come from and who asks: other settings would make builds differ by user.
fn npmrc_text(npm: &Npm) -> String {
    let registry = npm.registry.iter().map(|registry| format!("registry={registry}/\n"));
    let scopes = npm.scopes.iter().map(|(scope, registry)| format!("{scope}:registry={registry}/\n"));
    let proxy = npm.proxy.iter().map(|proxy| format!("https-proxy={proxy}\n"));
    registry.chain(scopes).chain(proxy).chain([npm.credentials.to_npmrc()]).collect()
}

/// The same for code that nobody has reason to trust: where packages come from, and not who asks.
fn public_npmrc(npm: &Npm) -> String {
    let bare = |address: &String| Url::read(address).map(|url| url.text).ok();
    let scopes = npm.scopes.iter().filter_map(|(scope, address)| Some((scope.clone(), bare(address)?)));
    npmrc_text(&Npm {
        registry: npm.registry.as_ref().and_then(bare),
        scopes: scopes.collect(),
        // A proxy that asks for a password is out of reach.
        proxy: npm.proxy.as_ref().and_then(bare),
        ..Npm::default()
    })
}

fn write_secret(path: &Path, text: &str) -> Result<(), Failure> {
    if path.exists() {
        // An earlier step of the same run was given the same.
        return Ok(());
    }
    kiln_disk::create(path, text.as_bytes(), kiln_disk::PRIVATE).map_err(|error| {
        let what = format!("write {}", path.display());
        Failure::new("kiln.write", kiln_finding::Class::Environment, what).with_cause(error.to_string())
    })
}
