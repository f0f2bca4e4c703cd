use kiln_finding::{Class, Diagnose};

/// Why no plan can be made for an app.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<ErrorKind>);

#[derive(Debug, thiserror::Error)]
pub(crate) enum ErrorKind {
    #[error("the app has no lock file, so nobody knows what would be installed")]
    NoLock,
    #[error("the lock file of the app is `bun.lockb`, whose form is bun's own")]
    BinaryLock,
    #[error("{why}")]
    Yarn { why: String, help: String },
    #[error("`{file}` starts the app and needs {what}, which only bun has: the image has node")]
    NeedsBun { file: String, what: String },
    #[error("{lock} is out of step with {package}: {}", .lines.join("; "))]
    OutOfStep { lock: &'static str, package: String, lines: Vec<String>, help: &'static str },
    #[error("packageManager asks for {asked}, but the lock file is {lock}")]
    WrongManager { asked: &'static str, lock: &'static str },
    #[error("packageManager asks for npm {version}, which may run code of the app while it has logins")]
    OldNpm { version: String },
    #[error("packageManager asks for bun {version}, which does not read bun.lock")]
    OldBun { version: String },
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
            ErrorKind::BinaryLock => "plan.binary_lock",
            ErrorKind::Yarn { .. } => "plan.yarn",
            ErrorKind::NeedsBun { .. } => "plan.needs_bun",
            ErrorKind::OutOfStep { .. } => "plan.lock_out_of_step",
            ErrorKind::WrongManager { .. } => "plan.wrong_manager",
            ErrorKind::OldNpm { .. } => "plan.old_npm",
            ErrorKind::OldBun { .. } => "plan.old_bun",
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
                "run `npm install --package-lock-only` (or `pnpm install --lockfile-only`, `yarn install`, `bun install`) and \
                 commit the lock file"
                    .to_owned()
            }
            ErrorKind::OldNpm { .. } => "ask for npm 7 or newer: `npm pkg set packageManager=npm@10.9.4`".to_owned(),
            ErrorKind::BinaryLock => {
                "run `bun install --save-text-lockfile --frozen-lockfile --lockfile-only`, which writes bun.lock, and commit that"
                    .to_owned()
            }
            ErrorKind::OldBun { .. } => "ask for bun 1.2 or newer: `npm pkg set packageManager=bun@1.3.10`".to_owned(),
            ErrorKind::Yarn { help, .. } => help.clone(),
            ErrorKind::NeedsBun { .. } => {
                "use what node has (node:http, node:sqlite, process.env), or compile for it: `bun build --target=node` in the build script"
                    .to_owned()
            }
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
