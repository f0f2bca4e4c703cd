use std::collections::BTreeMap;
use std::path::PathBuf;

use kiln_image::Compression;
use kiln_oci::Arch;

/// What a build of a Dockerfile is told, as `docker build` is.
#[derive(Default)]
pub struct Options {
    /// The Dockerfile (`-`: standard input); by default that of the folder.
    pub file: Option<PathBuf>,
    /// The stage to build; the last one by default.
    pub target: Option<String>,
    /// Which machines the image is for; this one's by default.
    pub arch: Option<Arch>,
    /// Values of `ARG`.
    pub build_args: BTreeMap<String, String>,
    /// Folders and images under a name, as `NAME=PLACE`.
    pub contexts: Vec<String>,
    /// Secrets by id. They reach no layer and no key.
    pub secrets: BTreeMap<String, Vec<u8>>,
    /// Sockets of SSH agents by id.
    pub agents: BTreeMap<String, PathBuf>,
    /// npm, pnpm and yarn in `RUN` use this machine's npm settings.
    pub npm_settings: bool,
    /// Labels of the image.
    pub labels: Vec<(String, String)>,
    /// Every command runs again.
    pub no_cache: bool,
    /// Which input changed is said of each step that is not in the cache.
    pub why: bool,
    /// Every line that a command prints stays.
    pub plain: bool,
    /// Seconds that one command may take.
    pub timeout: Option<u64>,
    /// How layers are compressed.
    pub compression: Compression,
    /// Places that results of steps are taken from.
    pub cache_from: Vec<String>,
    /// Places that results of steps are put in.
    pub cache_to: Vec<String>,
}
