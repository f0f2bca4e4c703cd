use std::path::{Path, PathBuf};

use kiln_finding::Failure;

use crate::args::{Format, Global};
use crate::folders::InUse;

/// What a command may know of the world around it.
pub(crate) struct Context {
    pub(crate) format: Format,
    /// What was asked for, where a command knows more forms.
    pub(crate) output: &'static kiln_report::Format,
    pub(crate) quiet: bool,
    pub(crate) offline: bool,
    /// The configuration file named on the command line.
    pub(crate) config: Option<PathBuf>,
    /// Images and keys; kept for good.
    pub(crate) data_dir: PathBuf,
    /// Downloads and build results; may be deleted at any time.
    pub(crate) cache_dir: PathBuf,
    in_use: Option<InUse>,
}

impl Context {
    pub(crate) fn new(global: Global) -> Result<Self, Failure> {
        Ok(Self {
            format: Format::of(global.format),
            output: global.format,
            quiet: global.quiet,
            offline: global.offline,
            config: global.config,
            data_dir: folder(global.data_dir, "XDG_DATA_HOME", ".local/share")?,
            cache_dir: folder(global.cache_dir, "XDG_CACHE_HOME", ".cache")?,
            in_use: None,
        })
    }

    /// The same for a command that uses what is kept: until it ends, nothing of that is pruned.
    pub(crate) fn in_use(mut self) -> Result<Self, Failure> {
        let in_use = InUse::begin(&self.data_dir, &self.cache_dir, self.quiet)?;
        if let Some(stand_in) = in_use.stand_in() {
            self.cache_dir = stand_in;
        }
        self.in_use = Some(in_use);
        Ok(self)
    }

    /// The folder of kiln's own store, an OCI layout.
    pub(crate) fn store(&self) -> PathBuf {
        self.data_dir.join("store")
    }
}

/// What the user named, else kiln's folder under an XDG base folder (XDG Base Directory Specification 0.8). Steps run in other
/// folders than this process, so it is one from the root on.
fn folder(named: Option<PathBuf>, variable: &str, below_home: &str) -> Result<PathBuf, Failure> {
    if let Some(named) = named {
        return std::path::absolute(&named).map_err(|error| {
            Failure::usage(format!("find the folder `{}`", named.display())).with_cause(error.to_string())
        });
    }
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute(variable)
        .or_else(|| absolute("HOME").map(|home| home.join(Path::new(below_home))))
        .map(|base| base.join("kiln"))
        .ok_or_else(|| {
            Failure::usage(format!("find a folder to keep things in: neither {variable} nor HOME is set"))
                .with_help("set HOME, or pass --data-dir and --cache-dir")
        })
}
