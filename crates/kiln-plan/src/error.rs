use kiln_finding::{Class, Diagnose};

/// Why no plan can be made for an app.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<ErrorKind>);

#[derive(Debug, thiserror::Error)]
pub(crate) enum ErrorKind {
    #[error("the app has no lock file, so nobody knows what would be installed")]
    NoLock,
    #[error("`yarn.lock` was written by yarn 2 or newer, which kiln cannot run yet")]
    ModernYarn,
    #[error("{lock} is out of step with {package}: {}", .lines.join("; "))]
    OutOfStep { lock: &'static str, package: String, lines: Vec<String>, help: &'static str },
    #[error("packageManager asks for {asked}, but the lock file is {lock}")]
    WrongManager { asked: &'static str, lock: &'static str },
    #[error("packageManager asks for npm {version}, which may run code of the app while it has logins")]
    OldNpm { version: String },
    #[error("cannot tell how the app starts: {why}")]
    NoEntry { why: String },
    #[error("no Node.js line that kiln composes fits `engines.node`: {range}")]
    NoNode { range: String },
    #[error("use [image] include and exclude: `{pattern}` is no pattern: {why}")]
    Pattern { pattern: String, why: String },
    #[error("`{package}` would not work in the image: {why}")]
    NeedsScript { package: String, why: String },
    #[error("read the project")]
    Project { source: kiln_node::Error },
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self(Box::new(kind))
    }
}

impl Diagnose for Error {
    fn code(&self) -> &'static str {
        match *self.0 {
            ErrorKind::NoLock => "plan.no_lock",
            ErrorKind::ModernYarn => "plan.modern_yarn",
            ErrorKind::OutOfStep { .. } => "plan.lock_out_of_step",
            ErrorKind::WrongManager { .. } => "plan.wrong_manager",
            ErrorKind::OldNpm { .. } => "plan.old_npm",
            ErrorKind::NoEntry { .. } => "plan.no_entry",
            ErrorKind::NoNode { .. } => "plan.no_node",
            ErrorKind::Pattern { .. } => "plan.pattern",
            ErrorKind::NeedsScript { .. } => "plan.needs_script",
            ErrorKind::Project { .. } => "plan.project",
        }
    }

    fn class(&self) -> Class {
        Class::Config
    }

    fn help(&self) -> Option<String> {
        Some(match &*self.0 {
            ErrorKind::NoLock => {
                "run `npm install --package-lock-only` (or `pnpm install --lockfile-only`, `yarn install`) and \
                 commit the lock file"
                    .to_owned()
            }
            ErrorKind::OldNpm { .. } => "ask for npm 7 or newer: `npm pkg set packageManager=npm@10.9.4`".to_owned(),
            ErrorKind::ModernYarn => "use npm, pnpm or yarn 1 for this project".to_owned(),
            ErrorKind::OutOfStep { help, .. } => (*help).to_owned(),
            ErrorKind::WrongManager { asked, .. } => {
                format!("delete the lock file of the other package manager and run `{asked} install`")
            }
            ErrorKind::NoEntry { .. } => {
                "write a start script of the form `node dist/server.js` in package.json, or set \
                 `entry = [\"dist/server.js\"]` under [image] in kiln.toml"
                    .to_owned()
            }
            ErrorKind::NoNode { .. } => {
                "kiln composes Node.js 20, 22, 24 and 26; widen `engines.node` in package.json".to_owned()
            }
            ErrorKind::Pattern { .. } => {
                "write paths from the top of the app: `*` within a name, `**` for any folders".to_owned()
            }
            ErrorKind::NeedsScript { package, .. } => format!(
                "name it in kiln.toml under [build]: `allow-scripts = [\"{package}\"]` runs its script without network, \
                 `skip-scripts = [\"{package}\"]` says that the app works without what it makes"
            ),
            ErrorKind::Project { source } => return source.help(),
        })
    }
}
