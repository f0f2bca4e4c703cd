use regex_lite::Regex;
use serde::Serialize;

use crate::Error;
use crate::error::ErrorKind;

/// What a text of a certificate must be.
#[derive(Clone, Debug)]
pub enum Matcher {
    /// Exactly this.
    Exact(String),
    /// All of it matches the expression, from its first character to its last.
    Pattern(Regex),
}

impl Matcher {
    /// Exactly this text, which may not be empty.
    pub fn exact(text: &str) -> Result<Self, Error> {
        if text.is_empty() {
            return Err(
                ErrorKind::Matcher { text: String::new(), why: "nothing is asked for".to_owned() }.into()
            );
        }
        Ok(Self::Exact(text.to_owned()))
    }

    /// A regular expression for the whole text: `https://github\.com/org/.*` does not match what goes on after a
    /// `org-evil`, and neither what stands before.
    pub fn pattern(text: &str) -> Result<Self, Error> {
        let failed = |why: String| ErrorKind::Matcher { text: text.to_owned(), why };
        if text.trim_matches(['^', '$']).is_empty() {
            return Err(failed("it matches anything".to_owned()).into());
        }
        let anchored = format!("^(?:{text})$");
        Ok(Self::Pattern(Regex::new(&anchored).map_err(|error| failed(error.to_string()))?))
    }

    /// Nothing matches the empty text.
    pub(crate) fn is_match(&self, text: &str) -> bool {
        match self {
            _ if text.is_empty() => false,
            Self::Exact(wanted) => wanted == text,
            Self::Pattern(pattern) => pattern.is_match(text),
        }
    }
}

impl std::fmt::Display for Matcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exact(text) => write!(f, "{text:?}"),
            Self::Pattern(pattern) => write!(f, "/{pattern}/"),
        }
    }
}

/// Who may have signed with a certificate: who, by whose word. Both are always asked for.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Who told the certificate authority, as `https://token.actions.githubusercontent.com`.
    pub issuer: Matcher,
    /// Whom it told of: an email address, or the URI of a workflow.
    pub subject: Matcher,
    /// What else the certificate must say, by the name of the claim.
    pub claims: Vec<(Claim, Matcher)>,
}

/// What a certificate says of the CI run that it was made for. Source: fulcio, `oid-info.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Claim {
    /// Where the sources are (1.12).
    SourceRepository,
    /// Their commit (1.13).
    SourceDigest,
    /// Their branch or tag (1.14).
    SourceRef,
    /// The number of the repository, which stays when its name goes to somebody else (1.15).
    SourceRepositoryId,
    /// The number of its owner (1.17).
    OwnerId,
    /// The workflow that built (1.9).
    BuildSigner,
    /// What started the run (1.20).
    Trigger,
    /// `github-hosted` or `self-hosted` (1.11).
    Runner,
}

impl Claim {
    /// Every claim, in the order of their names.
    pub const ALL: [Self; 8] = [
        Self::BuildSigner,
        Self::OwnerId,
        Self::Runner,
        Self::SourceDigest,
        Self::SourceRef,
        Self::SourceRepository,
        Self::SourceRepositoryId,
        Self::Trigger,
    ];

    /// The name people write.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SourceRepository => "source-repository",
            Self::SourceDigest => "source-digest",
            Self::SourceRef => "source-ref",
            Self::SourceRepositoryId => "source-repository-id",
            Self::OwnerId => "owner-id",
            Self::BuildSigner => "build-signer",
            Self::Trigger => "trigger",
            Self::Runner => "runner",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_about_the_whole_text() {
        let org = Matcher::pattern("https://github.com/org/.*").unwrap();
        assert!(org.is_match("https://github.com/org/app/.github/workflows/x.yml@refs/heads/main"));
        for other in ["https://github.com/org-evil/app", "x https://github.com/org/app", ""] {
            assert!(!org.is_match(other), "{other}");
        }
        let either = Matcher::pattern("a|b").unwrap();
        assert!(either.is_match("b") && !either.is_match("ab") && !either.is_match("xb"));
    }

    #[test]
    fn what_asks_for_nothing_is_refused() {
        for text in ["", "^", "^$"] {
            assert!(Matcher::pattern(text).is_err(), "{text}");
        }
        assert!(Matcher::pattern("(").is_err() && Matcher::exact("").is_err());
        assert!(!Matcher::pattern(".*").unwrap().is_match(""), "an issuer that is empty never matches");
    }
}
