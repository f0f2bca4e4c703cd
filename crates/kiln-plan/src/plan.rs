use kiln_node::{Linker, Manager};
use kiln_rootfs::RootPath;
use serde::Serialize;

use crate::start::Aside;
use crate::{Reason, Shipping};

/// Everything that is needed to build the image of an app.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// Name of the image, without a tag.
    pub name: String,
    /// Version of the app, which becomes the tag.
    pub version: Option<String>,
    /// Node.js line.
    pub node: u32,
    /// Package manager.
    pub manager: Manager,
    /// Exact version of it, where the project pins one.
    pub manager_version: Option<String>,
    /// The hash that the project gives for it, as corepack writes it: `sha512.c0ffee`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manager_hash: Option<String>,
    /// How node finds packages, where yarn 2 or newer installs them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub linker: Option<Linker>,
    /// Files that decide what is installed.
    pub manifests: Vec<RootPath>,
    /// Installs everything, devDependencies too.
    pub install: Vec<Step>,
    /// The app's own scripts that an install runs, over the installed packages.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub own_scripts: Vec<Step>,
    /// Builds the app.
    pub build: Vec<Step>,
    /// Installs what production needs.
    pub production: Vec<Step>,
    /// What must lie in which folder once it is done: name and version of each package, and whether it may be missing. Empty where the
    /// package manager itself takes nothing but what is locked.
    #[serde(skip)]
    pub locked: Vec<LockedPlace>,
    /// Packages whose install scripts run because they compile an addon.
    pub natives: Vec<String>,
    /// Packages that are known not to work without their native part, compiled here or carried along.
    pub addons: Vec<String>,
    /// Folder below `/app` in which the app starts; empty for `/app` itself.
    pub folder: String,
    /// Arguments of `node`.
    pub entry: Vec<String>,
    /// Environment, beyond `NODE_ENV`.
    pub env: Vec<(String, String)>,
    /// What the start script does besides, and the image does not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub aside: Vec<Aside>,
    /// Which of its files reach the image.
    #[serde(skip)]
    pub shipping: Shipping,
    /// Port it listens on.
    pub port: Option<u16>,
    /// How its health is asked for.
    pub health: Option<Health>,
    /// Why all this.
    pub reasons: Vec<Reason>,
}

impl Plan {
    /// What the image is called, with its tag: `orders-api:1.4.0`. What no tag may hold becomes `-`.
    pub fn image(&self) -> String {
        let version = self.version.as_deref().unwrap_or("latest");
        let fits = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
        let tag: String = version.chars().map(|c| if fits(c) { c } else { '-' }).collect();
        format!("{}:{tag}", self.name)
    }

    /// Everything that runs over the app and its packages, in order.
    pub fn scripts(&self) -> Vec<Step> {
        [self.own_scripts.as_slice(), &self.build].concat()
    }

    /// Makes the production install one for another CPU (in npm's names: `arm64`), which this machine need not
    /// have: packages that differ by CPU are chosen for that one. The error says why that cannot be.
    pub fn production_for(&mut self, cpu: &str) -> Result<(), String> {
        if !self.natives.is_empty() {
            return Err(format!("{} must be compiled there", self.natives.join(", ")));
        }
        if self.manager != Manager::Npm {
            return Err(format!("{} installs for the machine it runs on only", self.manager.as_str()));
        }
        for step in &mut self.production {
            step.argv.extend(["--os=linux", "--libc=glibc"].map(str::to_owned));
            step.argv.push(format!("--cpu={cpu}"));
        }
        Ok(())
    }
}

/// A package that the lock file puts into a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedPlace {
    /// The folder, below the app.
    pub folder: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// It need not be there.
    pub is_optional: bool,
}

/// One command of a build stage, run in `/app`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Program and arguments.
    pub argv: Vec<String>,
    /// It downloads packages, and runs no code of theirs or of the app's.
    pub network: bool,
    /// It works on what a step before it downloaded, and may run code of the app's.
    pub downloads: bool,
}

impl Step {
    /// Without anything from outside.
    pub(crate) fn new(words: &str) -> Self {
        Self { argv: words.split(' ').map(str::to_owned).collect(), network: false, downloads: false }
    }

    pub(crate) fn downloading(words: &str) -> Self {
        Self { network: true, ..Self::new(words) }
    }

    pub(crate) fn unpacking(words: &str) -> Self {
        Self { downloads: true, ..Self::new(words) }
    }
}

/// How health is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Health {
    /// `GET` this path on the port; any 2xx answer is fine.
    Http {
        /// The path, from `/`.
        path: String,
    },
    /// The port takes connections.
    Tcp,
}
