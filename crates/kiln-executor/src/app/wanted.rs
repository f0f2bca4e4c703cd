use std::path::Path;

use kiln_oci::Arch;
use kiln_plan::Overrides;

use crate::BuildOptions;
use crate::base::BaseSettings;

/// What image is wanted.
pub struct Wanted<'a> {
    /// Folder of the app.
    pub folder: &'a Path,
    /// Name and tag; those of package.json by default.
    pub name: Option<String>,
    /// Which machines it is for; this one's by default.
    pub arch: Option<Arch>,
    /// kiln.lock must be there and fit.
    pub is_locked: bool,
    /// The file that said so, where there is one.
    pub settings: Option<&'a Path>,
    /// What somebody decided in place of the planner.
    pub overrides: Overrides,
    /// Where the base comes from.
    pub base: &'a BaseSettings,
    /// The build script may reach the network.
    pub network: bool,
    /// How it is built.
    pub options: BuildOptions,
}
