use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use kiln_image::Compression;

/// How an image is built, whatever it is built from.
#[derive(Default)]
pub struct BuildOptions {
    /// Secrets by id. They reach no layer and no key.
    pub secrets: BTreeMap<String, Vec<u8>>,
    /// Sockets of SSH agents by id.
    pub agents: BTreeMap<String, PathBuf>,
    /// Every command runs again.
    pub no_cache: bool,
    /// Which input changed is said of each step that is not in the cache.
    pub why: bool,
    /// Every line that a command prints stays.
    pub plain: bool,
    /// Seconds that one command, or one download of `ADD`, may take.
    pub timeout: Option<u64>,
    /// How layers are compressed.
    pub compression: Compression,
    /// Places that results of steps are taken from.
    pub cache_from: Vec<String>,
    /// Places that results of steps are put in.
    pub cache_to: Vec<String>,
}

impl BuildOptions {
    /// How long one command, or one download of `ADD`, may take.
    pub(crate) fn limit(&self) -> Duration {
        self.timeout.map_or(Duration::from_hours(2), Duration::from_secs)
    }
}
