use std::path::PathBuf;

use kiln_executor::BuildOptions;
use kiln_executor::app::Wanted;
use kiln_finding::Failure;
use kiln_oci::{Arch, Reference};

use crate::config::Config;

/// Which image of an app is wanted.
#[derive(clap::Args)]
pub(crate) struct AppOptions {
    /// Folder of the app
    #[arg(default_value = ".")]
    pub(crate) app: PathBuf,
    /// Name and tag of the image; those of package.json by default
    #[arg(long, short, value_name = "NAME[:TAG]")]
    pub(crate) tag: Option<Reference>,
    /// Platform: linux/amd64 or linux/arm64; this machine's by default
    #[arg(long)]
    pub(crate) platform: Option<Arch>,
    /// Refuse to write or change kiln.lock
    #[arg(long)]
    locked: bool,
}

impl AppOptions {
    /// The same as values, with what kiln.toml says.
    pub(crate) fn wanted<'a>(
        &'a self,
        config: &'a Config,
        options: BuildOptions,
    ) -> Result<Wanted<'a>, Failure> {
        Ok(Wanted {
            folder: &self.app,
            name: self.tag.as_ref().map(Reference::name_and_tag),
            arch: self.platform,
            is_locked: self.locked,
            settings: config.file.as_deref(),
            overrides: config.overrides()?,
            base: &config.base,
            network: config.build.network,
            options: BuildOptions { timeout: options.timeout.or(config.build.timeout), ..options },
        })
    }
}
