use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::closed::Closed;
use crate::credentials::Credentials;
use crate::pace::Pace;
use crate::retry::Retry;

/// How to download.
pub struct Options {
    /// The folder that holds `downloads`.
    pub cache_dir: PathBuf,
    /// Ask no server.
    pub offline: bool,
    /// Certificates to trust besides those of the machine.
    pub ca_files: Vec<PathBuf>,
    /// A proxy for when the environment names none.
    pub proxy: Option<String>,
    /// What to present to which host.
    pub credentials: Credentials,
    /// What is not connected to.
    pub closed: Closed,
    /// When an address is tried again.
    pub retry: Retry,
    /// How long a silent connection is waited for.
    pub stall: Duration,
    /// How fast what is downloaded must come.
    pub pace: Pace,
    /// When all of it must have come; without that, only its pace counts.
    pub until: Option<Instant>,
    /// Downloads at the same time.
    pub threads: usize,
}

impl Options {
    /// What fits most machines.
    pub fn new(cache_dir: impl Into<PathBuf>) -> Self {
        Self {
            cache_dir: cache_dir.into(),
            offline: false,
            ca_files: Vec::new(),
            proxy: None,
            credentials: Credentials::default(),
            closed: Closed::default(),
            retry: Retry::default(),
            stall: Duration::from_secs(45),
            pace: Pace::default(),
            until: None,
            threads: 6,
        }
    }
}
