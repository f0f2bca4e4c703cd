//! What commands need to reach packages as this machine's npm does: registries, logins, certificates.

use std::path::{Path, PathBuf};

use kiln_fetch::Url;
use kiln_fetch::endpoints::Npm;
use kiln_finding::Failure;
use kiln_rootfs::RootPath;
use kiln_sandbox::Mount;
use serde_json::{Value, json};

const SYSTEM_CERTIFICATES: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];
/// Where commands of a Dockerfile see settings of this machine.
const SETTINGS: &str = "run/kiln";

/// The value of a variable that stands above settings of the project where there are logins; `nothing` is how the package manager
/// is told that there is none.
pub(crate) fn straight(npm: &Npm, variable: &str, nothing: &str) -> String {
    if variable.ends_with("strict_ssl") {
        return "true".to_owned();
    }
    let is_proxy = variable.to_lowercase().ends_with("_proxy");
    npm.proxy.clone().filter(|_| is_proxy).unwrap_or_else(|| nothing.to_owned())
}

/// Variables and mounts.
pub(crate) type Reached = (Vec<(String, String)>, Vec<Mount>);

/// What npm, pnpm and yarn need to reach packages as they do on this machine, for commands of a Dockerfile: variables, and
/// files that are mounted and reach no layer.
pub(crate) fn npm_settings(npm: &Npm, scratch: &Path) -> Result<Reached, Failure> {
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
pub(crate) fn certificates(npm: &Npm) -> Option<PathBuf> {
    let files = npm.cafile.clone().into_iter().chain(SYSTEM_CERTIFICATES.map(PathBuf::from));
    files.into_iter().find(|file| file.is_file())
}

fn bind(source: PathBuf, target: &str, read_only: bool) -> Result<Mount, Failure> {
    Ok(Mount::Bind { source, target: RootPath::normalise(target)?, read_only })
}

/// Only what says where packages come from and who asks: other settings would make builds differ by user.
pub(crate) fn npmrc_text(npm: &Npm) -> String {
    let registry = npm.registry.iter().map(|registry| format!("registry={registry}/\n"));
    let scopes = npm.scopes.iter().map(|(scope, registry)| format!("{scope}:registry={registry}/\n"));
    let proxy = npm.proxy.iter().map(|proxy| format!("https-proxy={proxy}\n"));
    registry.chain(scopes).chain(proxy).chain([npm.credentials.to_npmrc()]).collect()
}

/// The same for yarn 2 and newer, as its `.yarnrc.yml`: JSON, which is YAML, too.
pub(crate) fn yarnrc_text(npm: &Npm) -> String {
    let addresses: Vec<&str> = npm.registry.iter().chain(npm.scopes.values()).map(String::as_str).collect();
    let mut settings = serde_json::Map::new();
    if let Some(registry) = &npm.registry {
        settings.insert("npmRegistryServer".to_owned(), json!(registry));
    }
    let scopes = npm.scopes.iter().map(|(scope, registry)| {
        (scope.trim_start_matches('@').to_owned(), json!({"npmRegistryServer": registry}))
    });
    settings.insert("npmScopes".to_owned(), Value::Object(scopes.collect()));
    let logins = npm
        .credentials
        .to_yarn(&addresses)
        .into_iter()
        .map(|(place, (name, value))| (place, json!({name: value, "npmAlwaysAuth": true})));
    settings.insert("npmRegistries".to_owned(), Value::Object(logins.collect()));
    if let Some(proxy) = &npm.proxy {
        settings.insert("httpsProxy".to_owned(), json!(proxy));
        settings.insert("httpProxy".to_owned(), json!(proxy));
    }
    // What this machine's npm is told to reach so.
    let plain = addresses.iter().filter_map(|address| Url::read(address).ok().filter(|url| !url.https));
    let hosts: Vec<String> = plain
        .map(|url| url.host.rsplit_once(':').map_or(url.host.clone(), |(host, _)| host.to_owned()))
        .collect();
    settings.insert("unsafeHttpWhitelist".to_owned(), json!(hosts));
    Value::Object(settings).to_string()
}

/// The same for code that nobody has reason to trust: where packages come from, and not who asks.
pub(crate) fn public_npmrc(npm: &Npm) -> String {
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
