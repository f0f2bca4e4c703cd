use std::ffi::OsString;

use kiln_text::Glob;

/// What programs need to find files, to speak a language and to reach the network. Globs.
pub const COMMON: &[&str] = &[
    "HOME",
    "LANG",
    "LC_*",
    "LOGNAME",
    "PATH",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TMPDIR",
    "TZ",
    "USER",
    "all_proxy",
    "ALL_PROXY",
    "http_proxy",
    "HTTP_PROXY",
    "https_proxy",
    "HTTPS_PROXY",
    "no_proxy",
    "NO_PROXY",
];

/// What keepers of credentials and keys are set up with: clouds, vaults, rings of the desktop, hardware modules. Globs.
pub const KEEPERS: &[&str] = &[
    "ACR_*",
    "AWS_*",
    "AZURE_*",
    "BAO_*",
    "CLOUDSDK_*",
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "DOCKER_*",
    "ECR_*",
    "GCP_*",
    "GNUPGHOME",
    "GOOGLE_*",
    "GPG_*",
    "KUBERNETES_*",
    "OPENSC_*",
    "P11_KIT_*",
    "PASSWORD_STORE_*",
    "PINENTRY_*",
    "PKCS11_*",
    "SOFTHSM2_CONF",
    "SSH_AUTH_SOCK",
    "VAULT_*",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "XDG_*",
];

/// Names more variables for programs, with commas between them; globs.
const MORE: &str = "KILN_HELPER_ENV";

/// The variables of this process that the user names for programs.
pub(crate) fn named() -> Vec<(OsString, OsString)> {
    let more = std::env::var(MORE).unwrap_or_default();
    let names: Vec<&str> = more.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    kept(&names)
}

/// The variables of this process that one of these globs names.
pub(crate) fn kept(names: &[&str]) -> Vec<(OsString, OsString)> {
    let globs: Vec<Glob> = names.iter().map(|name| Glob::or_literal(name)).collect();
    let is_kept =
        |name: &OsString| name.to_str().is_some_and(|name| globs.iter().any(|glob| glob.is_match(name)));
    std::env::vars_os().filter(|(name, _)| is_kept(name)).collect()
}
