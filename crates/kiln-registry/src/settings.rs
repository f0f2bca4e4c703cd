use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use kiln_fetch::Retry;
use kiln_fetch::http::Pace;
use serde::Deserialize;

/// `[registry]` of kiln.toml.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct RegistrySettings {
    /// By host: where to ask first when pulling, as `host[/prefix]`. Pushes never go there.
    pub mirrors: BTreeMap<String, Vec<String>>,
    /// Hosts that may be asked without TLS. This machine itself always may.
    pub insecure: Vec<String>,
    /// Files with certificates to trust besides those of the machine.
    pub ca_files: Vec<PathBuf>,
    /// Uploads blobs in parts of this many bytes; without it, each in one request.
    pub chunk: Option<u64>,
}

/// How patient the client is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// A proxy for when the environment names none.
    pub proxy: Option<String>,
    /// When a request is sent again.
    pub retry: Retry,
    /// How long a silent connection is waited for.
    pub stall: Duration,
    /// How fast a body must come.
    pub pace: Pace,
    /// How long a credential helper may take.
    pub helper: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            proxy: None,
            // A registry that is not there is not waited for; one that fails is.
            retry: Retry { waits_for_hosts: false, ..Retry::default() },
            stall: Duration::from_secs(45),
            pace: Pace::default(),
            helper: Duration::from_secs(30),
        }
    }
}
