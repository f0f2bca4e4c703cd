use std::collections::BTreeMap;
use std::path::PathBuf;

use kiln_oci::Arch;

use crate::BuildOptions;

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
    /// npm, pnpm and yarn in `RUN` use this machine's npm settings.
    pub npm_settings: bool,
    /// Labels of the image.
    pub labels: Vec<(String, String)>,
    /// How it is built.
    pub build: BuildOptions,
}
