use kiln_finding::{Class, Diagnose};

/// Why a project file could not be read.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<ErrorKind>);

#[derive(Debug, thiserror::Error)]
pub(crate) enum ErrorKind {
    #[error("{path}:{}:{}: this is no valid JSON", .source.line(), .source.column())]
    Json { path: String, source: serde_json::Error },
    #[error("{path} is no valid YAML")]
    Yaml { path: String, source: serde_saphyr::Error },
    #[error("{path} is larger than {limit} bytes")]
    TooLarge { path: String, limit: usize },
    #[error("the globs of the workspace have {bytes} bytes, and {most} is the most that is read")]
    Workspaces { bytes: usize, most: usize },
    #[error("read the globs of the workspace")]
    Globs { source: kiln_text::BadGlob },
    #[error("{path} {why}")]
    Unfit { path: String, why: String, help: &'static str },
}

/// A lock file in a format that came after this, of which nothing is known.
pub(crate) fn unknown_version(path: &str, version: &str) -> Error {
    let why = format!("has the version {version} of its format, which is not known");
    ErrorKind::Unfit {
        path: path.to_owned(),
        why,
        help: "write it with a release of its package manager that is known",
    }
    .into()
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self(Box::new(kind))
    }
}

impl Diagnose for Error {
    fn code(&self) -> &'static str {
        match *self.0 {
            ErrorKind::Json { .. } => "node.json",
            ErrorKind::Yaml { .. } => "node.yaml",
            ErrorKind::TooLarge { .. } => "node.too_large",
            ErrorKind::Workspaces { .. } | ErrorKind::Globs { .. } => "node.workspaces",
            ErrorKind::Unfit { .. } => "node.unfit",
        }
    }

    fn class(&self) -> Class {
        Class::Config
    }

    fn help(&self) -> Option<String> {
        match &*self.0 {
            ErrorKind::Unfit { help, .. } => Some((*help).to_owned()),
            _ => None,
        }
    }
}
