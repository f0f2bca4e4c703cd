use kiln_finding::{Cause, Class, Diagnose};
use kiln_oci::Arch;

use crate::engine::Origin;

/// How much of an instruction is shown, in characters.
const INSTRUCTION_SHOWN: usize = 200;

/// Why an image could not be built.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<ErrorKind>);

#[derive(Debug, thiserror::Error)]
pub(crate) enum ErrorKind {
    #[error("{what}")]
    Port { what: &'static str, source: Cause },
    #[error("the app starts with `{entry}`, which is not there after the build")]
    EntryMissing { entry: String, near: Vec<String> },
    #[error("`{package}` has no native part for linux/{arch} in the image, and does not work without")]
    NoAddon { package: String, arch: Arch },
    #[error("the build changed `{folder}`, and production has that package in another folder")]
    ModuleElsewhere { folder: String },
    #[error("`{folder}` has {} after the install, and the lock file has {locked}", .found.as_deref().unwrap_or("no package"))]
    NotAsLocked { folder: String, locked: String, found: Option<String> },
    #[error("read `{path}`")]
    Read { path: String, source: std::io::Error },
    #[error("put the layers together")]
    Tree { source: kiln_rootfs::Error },
    #[error("{} (stage {stage})", step(what, *.line))]
    At { what: String, line: u32, stage: String, source: Box<Error> },
    #[error("`{path}` is not there to be copied")]
    NotFound { path: String },
    #[error("the pattern `{pattern}`: {why}")]
    Pattern { pattern: String, why: String },
    #[error("`{path}` leads in a circle of links")]
    Circle { path: String },
    #[error("`{path}` is another name of a file that is not there")]
    LooseLink { path: String },
    #[error("`{path}` is there already and is {}", if *.is_dir { "a folder" } else { "no folder" })]
    InTheWay { path: String, is_dir: bool },
    #[error("there is no {what} `{name}` in {file} of the image")]
    NoUser { what: &'static str, name: String, file: &'static str },
    #[error("the build was stopped")]
    Stopped,
    #[error("{what}")]
    Refused { what: String, help: Option<String> },
    #[error("{what}")]
    Variables { what: &'static str, source: kiln_dockerfile::Error },
    #[error("the build cache holds a record that makes no sense")]
    Record { source: serde_json::Error },
}

/// A step as messages name it: the instruction of a Dockerfile, or what is done for an app.
fn step(what: &str, line: u32) -> String {
    if line == 0 { format!("the step `{what}` failed") } else { what.to_owned() }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self(Box::new(kind))
    }
}

impl Error {
    /// An error of a port, which keeps what the port said of itself.
    pub(crate) fn port<E: Diagnose + Send + Sync + 'static>(what: &'static str) -> impl FnOnce(E) -> Self {
        move |source| ErrorKind::Port { what, source: Cause::new(source) }.into()
    }
}

impl Error {
    /// An instruction that no builder can follow.
    pub(crate) fn refused(what: impl Into<String>, help: Option<String>) -> Self {
        ErrorKind::Refused { what: what.into(), help }.into()
    }

    /// Where in the Dockerfile it happened. What happened in another stage stays there.
    pub(crate) fn at(self, origin: &Origin) -> Self {
        if matches!(*self.0, ErrorKind::At { .. }) {
            return self;
        }
        let what = origin.text.chars().take(INSTRUCTION_SHOWN).collect();
        ErrorKind::At { what, line: origin.line, stage: origin.stage.clone(), source: Box::new(self) }.into()
    }

    /// The line of the Dockerfile, from 1, where it is known.
    pub fn line(&self) -> Option<u32> {
        match &*self.0 {
            ErrorKind::At { line, .. } => Some(*line).filter(|&line| line > 0),
            _ => None,
        }
    }
}

impl Error {
    /// Whether work was only given up because other work failed.
    pub(crate) fn is_stopped(&self) -> bool {
        match &*self.0 {
            ErrorKind::Stopped => true,
            ErrorKind::At { source, .. } => source.is_stopped(),
            _ => false,
        }
    }
}

impl Diagnose for Error {
    fn code(&self) -> &'static str {
        match &*self.0 {
            ErrorKind::Port { source, .. } => source.code(),
            ErrorKind::At { source, .. } => source.code(),
            ErrorKind::NotFound { .. } => "build.not_found",
            ErrorKind::Pattern { .. } | ErrorKind::Refused { .. } => "build.refused",
            ErrorKind::Variables { .. } => "build.variables",
            ErrorKind::Circle { .. } | ErrorKind::LooseLink { .. } | ErrorKind::InTheWay { .. } => {
                "build.path"
            }
            ErrorKind::NoUser { .. } => "build.user",
            ErrorKind::Stopped => "build.stopped",
            ErrorKind::EntryMissing { .. } => "build.entry_missing",
            ErrorKind::NoAddon { .. } => "build.no_addon",
            ErrorKind::ModuleElsewhere { .. } => "build.module_elsewhere",
            ErrorKind::NotAsLocked { .. } => "build.not_as_locked",
            ErrorKind::Read { .. } => "build.read",
            ErrorKind::Tree { .. } => "build.tree",
            ErrorKind::Record { .. } => "build.record",
        }
    }

    fn class(&self) -> Class {
        match &*self.0 {
            ErrorKind::Port { source, .. } => source.class(),
            ErrorKind::At { source, .. } => source.class(),
            ErrorKind::NotFound { .. }
            | ErrorKind::Pattern { .. }
            | ErrorKind::Refused { .. }
            | ErrorKind::Variables { .. }
            | ErrorKind::NoUser { .. }
            | ErrorKind::Circle { .. }
            | ErrorKind::LooseLink { .. }
            | ErrorKind::InTheWay { .. }
            | ErrorKind::ModuleElsewhere { .. }
            | ErrorKind::NotAsLocked { .. }
            | ErrorKind::NoAddon { .. }
            | ErrorKind::EntryMissing { .. } => Class::Config,
            ErrorKind::Stopped => Class::Command,
            ErrorKind::Read { .. } => Class::Environment,
            ErrorKind::Tree { .. } | ErrorKind::Record { .. } => Class::Content,
        }
    }

    fn help(&self) -> Option<String> {
        match &*self.0 {
            ErrorKind::Port { source, .. } => source.help(),
            ErrorKind::At { source, .. } => source.help(),
            ErrorKind::Refused { help, .. } => help.clone(),
            ErrorKind::NotFound { .. } => Some(
                "is the path right, and does .dockerignore let it through? paths start at the context"
                    .to_owned(),
            ),
            ErrorKind::NoUser { what, .. } => {
                Some(format!("make the {what} in an earlier instruction, or name it by number"))
            }
            ErrorKind::EntryMissing { near, .. } if near.is_empty() => {
                Some("does the build script write it? is it left out by .dockerignore?".to_owned())
            }
            ErrorKind::EntryMissing { near, .. } => Some(format!(
                "the build made {}; correct the start script, or set `entry` under [image] in kiln.toml",
                near.join(", ")
            )),
            ErrorKind::NoAddon { package, .. } => Some(format!(
                "its install script left none; pnpm 10.0 to 10.8 runs it only where `onlyBuiltDependencies` names it. \
                 `skip-scripts = [\"{package}\"]` under [build] in kiln.toml says that the app works without"
            )),
            ErrorKind::ModuleElsewhere { .. } => Some(
                "the package manager places it differently without the packages for development: ask for it in \
                 `dependencies` of package.json, so that it lies at the top in both"
                    .to_owned(),
            ),
            ErrorKind::NotAsLocked { .. } => {
                Some("run `npm install --package-lock-only`, which writes the lock file anew, and commit it".to_owned())
            }
            ErrorKind::Record { .. } => Some("delete the cache folder; it is made again".to_owned()),
            _ => None,
        }
    }
}
