/// What the user decided in place of kiln.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// Name of the image.
    pub name: Option<String>,
    /// Arguments of `node` that start the app.
    pub entry: Option<Vec<String>>,
    /// Folder of the workspace project that is the app.
    pub app: Option<String>,
    /// Port it listens on.
    pub port: Option<u16>,
    /// How its health is asked for.
    pub health: Option<HealthSetting>,
    /// Node.js line.
    pub node: Option<u32>,
    /// Globs of files that are shipped, whatever is usual.
    pub include: Vec<String>,
    /// Globs of files that are not.
    pub exclude: Vec<String>,
    /// Packages that may run their install scripts, besides those that are known to need it; none may where the list is empty.
    pub allow_scripts: Option<Vec<String>>,
    /// Packages, and scripts of the app that an install runs, which do not run: the app works without.
    pub skip_scripts: Vec<String>,
}

/// How health is asked for, where the user decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HealthSetting {
    /// `GET` this path.
    Path(String),
    /// Not at all: a job, or a worker without a port.
    Off,
}
