use kiln_finding::{Class, Diagnose};

/// Why the variables of a word cannot be replaced.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<ErrorKind>);

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ErrorKind {
    #[error("`{word}`: the {quote} has no end")]
    Quote { word: String, quote: &'static str },
    #[error("`{word}`: `${{` has no `}}`")]
    Brace { word: String },
    #[error("`{word}`: `${{{name}/` needs a second `/` before what replaces the pattern")]
    Slash { word: String, name: String },
    #[error("`{word}`: there is no variable after `${{`")]
    Name { word: String },
    #[error("`{word}`: `{modifier}` means nothing inside `${{{name}…}}`")]
    Modifier { word: String, name: String, modifier: String },
    #[error("`{word}`: the pattern `{pattern}` escapes `{escaped}`; only `*`, `?` and `\\` can be escaped")]
    Pattern { word: String, pattern: String, escaped: String },
    #[error("{name}: {message}")]
    Required { name: String, message: String },
    #[error("`{word}`: variables are nested more than {limit} deep")]
    Deep { word: String, limit: usize },
    #[error("`{word}`: more than {limit} bytes come out of it")]
    Long { word: String, limit: usize },
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self(Box::new(kind))
    }
}

impl Diagnose for Error {
    fn code(&self) -> &'static str {
        match *self.0 {
            ErrorKind::Quote { .. } => "dockerfile.expand.quote",
            ErrorKind::Brace { .. } => "dockerfile.expand.brace",
            ErrorKind::Slash { .. } => "dockerfile.expand.slash",
            ErrorKind::Name { .. } => "dockerfile.expand.name",
            ErrorKind::Modifier { .. } => "dockerfile.expand.modifier",
            ErrorKind::Pattern { .. } => "dockerfile.expand.pattern",
            ErrorKind::Required { .. } => "dockerfile.expand.required",
            ErrorKind::Deep { .. } => "dockerfile.expand.deep",
            ErrorKind::Long { .. } => "dockerfile.expand.long",
        }
    }

    fn class(&self) -> Class {
        Class::Config
    }

    fn help(&self) -> Option<String> {
        match &*self.0 {
            ErrorKind::Modifier { modifier, .. }
                if modifier.starts_with(":=") || modifier.starts_with('=') =>
            {
                Some("give the variable a default with ARG; `:-` only uses one".to_owned())
            }
            ErrorKind::Modifier { .. } => {
                Some("use `:-`, `-`, `:+`, `+`, `:?`, `?`, `#`, `##`, `%`, `%%`, `/` or `//`".to_owned())
            }
            ErrorKind::Required { name, .. } => {
                Some(format!("pass --build-arg {name}=…, or set it with ARG or ENV"))
            }
            _ => None,
        }
    }
}
