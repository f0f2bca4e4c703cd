//! How git is asked. What a repository holds is of others: nothing in it, and nothing that the user or the machine has set up for git,
//! decides what git runs or what it reaches.

use std::path::Path;

use kiln_program::Call;

/// What git would otherwise take from files of the user, of the machine or of the repository.
const SETTINGS: [&str; 9] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.attributesFile=/dev/null",
    "core.excludesFile=/dev/null",
    "init.templateDir=",
    "credential.helper=",
    "advice.detachedHead=false",
    // A server that says nothing more for a minute is given up.
    "http.lowSpeedLimit=1",
    "http.lowSpeedTime=60",
];
const ENVIRONMENT: [(&str, &str); 7] = [
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_ATTR_NOSYSTEM", "1"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_LFS_SKIP_SMUDGE", "1"),
    ("GIT_SSH_COMMAND", "ssh -oBatchMode=yes -oConnectTimeout=30 -oServerAliveInterval=30"),
    ("LC_ALL", "C"),
];
/// What git and ssh need of this process's environment.
const KEPT: [&str; 9] = [
    "PATH",
    "HOME",
    "USER",
    "SSH_AUTH_SOCK",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "https_proxy",
    "HTTPS_PROXY",
    "no_proxy",
];

/// A call of git in this folder. It reaches nothing unless `GIT_ALLOW_PROTOCOL` is set to what it may speak.
pub(crate) fn git(folder: &Path, arguments: &[&str]) -> Call {
    let settings = SETTINGS.iter().flat_map(|setting| ["-c", setting]);
    let call = Call::new("git").keeps_only(&KEPT).args(settings).args(arguments).folder(folder);
    ENVIRONMENT
        .iter()
        .fold(call, |call, (name, value)| call.env(name, value))
        .env("GIT_ALLOW_PROTOCOL", "none")
}
