use std::path::PathBuf;

use crate::args::{Format, Global, Output};
use crate::failure::Failure;

/// What a command may know of the world around it.
pub(crate) struct Context {
    pub(crate) format: Format,
    /// What was asked for, where a command knows more forms.
    pub(crate) output: Output,
    pub(crate) quiet: bool,
    pub(crate) offline: bool,
    /// The configuration file named on the command line.
    pub(crate) config: Option<PathBuf>,
    /// Images and keys; kept for good.
    pub(crate) data_dir: PathBuf,
    /// Downloads and build results; may be deleted at any time.
    pub(crate) cache_dir: PathBuf,
}

impl Context {
    pub(crate) fn new(global: Global) -> Result<Self, Failure> {
        Ok(Self {
            format: global.format.format(),
            output: global.format,
            quiet: global.quiet,
            offline: global.offline,
            config: global.config,
            data_dir: global.data_dir.map_or_else(|| xdg("XDG_DATA_HOME", ".local/share"), Ok)?,
            cache_dir: global.cache_dir.map_or_else(|| xdg("XDG_CACHE_HOME", ".cache"), Ok)?,
        })
    }
}

impl Context {
    /// The folder of kiln's own store, an OCI layout.
    pub(crate) fn store(&self) -> PathBuf {
        self.data_dir.join("store")
    }
}

/// kiln's folder under an XDG base folder (XDG Base Directory Specification 0.8).
fn xdg(variable: &str, below_home: &str) -> Result<PathBuf, Failure> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute(variable)
        .or_else(|| absolute("HOME").map(|home| home.join(below_home)))
        .map(|base| base.join("kiln"))
        .ok_or_else(|| {
            Failure::usage(format!("find a folder to keep things in: neither {variable} nor HOME is set"))
                .with_help("set HOME, or pass --data-dir and --cache-dir")
        })
}
