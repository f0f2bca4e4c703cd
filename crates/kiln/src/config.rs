//! `kiln.toml`: where a default must change. Unknown keys are errors.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use kiln_executor::base::BaseSettings;
use kiln_finding::{Class, Failure};
use kiln_plan::{HealthSetting, Overrides};
use kiln_policy::Exception;
use serde::Deserialize;

const FILE: &str = "kiln.toml";

/// The whole file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    pub(crate) image: ImageConfig,
    pub(crate) base: BaseSettings,
    pub(crate) database: kiln_proof::advisories::AdvisorySettings,
    pub(crate) build: BuildConfig,
    pub(crate) policy: kiln_policy::Overrides,
    pub(crate) registry: kiln_registry::RegistrySettings,
    pub(crate) exception: Vec<Exception>,
    pub(crate) lint: crate::lint::Choice,
    pub(crate) scan: crate::vex::VexSettings,
    pub(crate) signing: crate::signing::SigningSettings,
    pub(crate) trust: kiln_proof::trust::TrustSettings,
    /// The file, where there is one.
    #[serde(skip)]
    pub(crate) file: Option<PathBuf>,
    /// The folder of the file.
    #[serde(skip)]
    pub(crate) folder: PathBuf,
}

/// `[image]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct ImageConfig {
    /// Name of the image, without a tag.
    name: Option<String>,
    /// Folder of the workspace project that is the app.
    app: Option<String>,
    /// Arguments of `node` that start the app.
    entry: Option<Vec<String>>,
    /// Port it listens on.
    port: Option<u16>,
    /// Globs of files that are shipped, whatever is usual.
    include: Vec<String>,
    /// Globs of files that are not.
    exclude: Vec<String>,
    /// Path that answers when the app is well, or `false`.
    health: Option<Health>,
}

/// `health = "/healthz"` or `health = false`.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Health {
    Path(String),
    Switch(bool),
}

/// The most seconds that one command may be given: 30 days.
pub(crate) const TIMEOUT_MAX: u64 = 30 * 24 * 60 * 60;
/// The largest kiln.toml, in bytes.
const CONFIG_MAX: u64 = 1 << 20;

/// `[build]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct BuildConfig {
    /// Packages that may run their install scripts, besides those that are known to need it; none may where it is empty.
    allow_scripts: Option<Vec<String>>,
    /// Packages and own scripts that do not run when packages are installed.
    skip_scripts: Vec<String>,
    /// The build script may reach the network.
    pub(crate) network: bool,
    /// Seconds one command may take.
    pub(crate) timeout: Option<u64>,
}

impl Config {
    /// Reads the file named on the command line, or `kiln.toml` in `project`; without one, nothing is set.
    pub(crate) fn read(named: Option<&Path>, project: &Path) -> Result<Self, Failure> {
        let path = named.map_or_else(|| project.join(FILE), Path::to_owned);
        let text = match kiln_disk::read_text(&path, CONFIG_MAX) {
            Err(error)
                if named.is_none()
                    && matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                return Ok(Self::default());
            }
            text => text.map_err(|error| failed(&path, &error))?,
        };
        let mut config: Self = toml::from_str(&text).map_err(|error| failed(&path, &error))?;
        if config.build.timeout.is_some_and(|timeout| !(1..=TIMEOUT_MAX).contains(&timeout)) {
            let why = format!("[build] timeout is a number of seconds from 1 to {TIMEOUT_MAX}");
            return Err(failed(&path, &why));
        }
        let folder = path.parent().unwrap_or(Path::new(""));
        // What is shown starts as the user would write it.
        folder.strip_prefix(".").unwrap_or(folder).clone_into(&mut config.folder);
        config.folder.clone_into(&mut config.trust.folder);
        config.file = Some(path.clone());
        for file in &mut config.registry.ca_files {
            *file = config.folder.join(&*file);
        }
        Ok(config)
    }

    /// What builds of Dockerfiles are told.
    pub(crate) fn of_builds(&self) -> kiln_executor::dockerfile::DockerfileSettings<'_> {
        kiln_executor::dockerfile::DockerfileSettings { base: &self.base, trust: &self.trust }
    }

    /// What a gate asks, and what is let pass.
    pub(crate) fn policy(&self) -> Result<kiln_policy::PolicySettings, Failure> {
        Ok(kiln_policy::PolicySettings::new(&self.policy, self.exception.clone())?)
    }

    /// What the user decided in place of the planner.
    pub(crate) fn overrides(&self) -> Result<Overrides, Failure> {
        let health = match &self.image.health {
            None | Some(Health::Switch(true)) => None,
            Some(Health::Switch(false)) => Some(HealthSetting::Off),
            Some(Health::Path(path)) if path.starts_with('/') => Some(HealthSetting::Path(path.clone())),
            Some(Health::Path(path)) => {
                let what = format!("use [image] health: `{path}` does not start with a slash");
                return Err(Failure::new("kiln.config", Class::Config, what));
            }
        };
        Ok(Overrides {
            name: self.image.name.clone(),
            entry: self.image.entry.clone(),
            app: self.image.app.clone(),
            port: self.image.port,
            health,
            node: self.base.node,
            include: self.image.include.clone(),
            exclude: self.image.exclude.clone(),
            allow_scripts: self.build.allow_scripts.clone(),
            skip_scripts: self.build.skip_scripts.clone(),
        })
    }
}

fn failed(path: &Path, cause: &dyn std::fmt::Display) -> Failure {
    Failure::new("kiln.config", Class::Config, format!("read {}", path.display()))
        .with_cause(cause.to_string().trim_end())
}
