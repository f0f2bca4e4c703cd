use kiln_finding::{Class, Diagnose};

/// Why a policy cannot be used.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<ErrorKind>);

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ErrorKind {
    #[error("use the policy profile `{name}`: there is none of this name")]
    Profile { name: String },
    #[error("use the check `{id}`: there is none with this id")]
    Check { id: String },
    #[error("use the exception for `{id}`: it is neither a check nor an advisory")]
    Exception { id: String },
    #[error("use the exception for `{id}`: its {field} is empty")]
    Blank { id: String, field: &'static str },
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self(Box::new(kind))
    }
}

impl Diagnose for Error {
    fn code(&self) -> &'static str {
        match *self.0 {
            ErrorKind::Profile { .. } => "policy.profile",
            ErrorKind::Check { .. } => "policy.check",
            ErrorKind::Exception { .. } | ErrorKind::Blank { .. } => "policy.exception",
        }
    }

    fn class(&self) -> Class {
        Class::Config
    }

    fn help(&self) -> Option<String> {
        Some(match *self.0 {
            ErrorKind::Profile { .. } => "the profile is `hardened`".to_owned(),
            ErrorKind::Check { .. } | ErrorKind::Exception { .. } => {
                let ids: Vec<&str> = crate::CHECKS.iter().map(|check| check.id).collect();
                format!("checks are {}; advisories begin with CVE-, GHSA-, DSA- and the like", ids.join(", "))
            }
            ErrorKind::Blank { .. } => "every exception names a subject, a reason and an owner".to_owned(),
        })
    }
}
