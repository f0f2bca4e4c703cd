use kiln_attest::Statement;
use kiln_attest::predicate::is_meant;
use kiln_oci::Digest;
use serde::Serialize;

use crate::Requirement;

/// A value whose signature was checked. Only this crate makes one.
#[derive(Clone, Debug)]
pub struct Verified<T> {
    pub(crate) value: T,
    pub(crate) signer: Signer,
}

impl<T> Verified<T> {
    /// The value.
    pub fn get(&self) -> &T {
        &self.value
    }

    /// Who signed it.
    pub fn signer(&self) -> &Signer {
        &self.signer
    }
}

/// Who signed something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "by")]
pub enum Signer {
    /// Whoever has the other half of a key.
    Key {
        /// The key, as bundles name it.
        hint: String,
    },
    /// Somebody with a certificate.
    Certificate {
        /// Who told the authority.
        issuer: String,
        /// Whom it told of.
        subject: String,
        /// When, RFC 3339: the earliest of the times that were proven.
        #[serde(skip_serializing_if = "Option::is_none")]
        signed_at: Option<String>,
    },
}

impl std::fmt::Display for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Key { hint } => write!(f, "key {hint}"),
            Self::Certificate { subject, issuer, signed_at } => {
                write!(f, "{subject} ({issuer})")?;
                signed_at.as_ref().map_or(Ok(()), |time| write!(f, " at {time}"))
            }
        }
    }
}

/// What is true of one requirement.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// The predicate type that is required.
    pub predicate_type: String,
    /// The name people call it by.
    pub name: String,
    /// A right statement was found that meets it.
    pub found: bool,
    /// Why the right statements of this type do not meet it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unmet: Vec<String>,
}

/// Something that was looked at, and what came of it.
#[derive(Clone, Debug, Serialize)]
pub struct Examined {
    /// Where it was found.
    pub place: String,
    /// In which form.
    pub form: &'static str,
    /// What kind of statement it makes, where its signature is right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub predicate_type: Option<String>,
    /// Who signed it, where its signature is right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signer: Option<Signer>,
    /// Why it counts for nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejected: Option<Rejection>,
}

/// Why something counts for nothing.
#[derive(Clone, Debug, Serialize)]
pub struct Rejection {
    /// Stable code of the error.
    pub code: &'static str,
    /// The error with its causes.
    pub why: String,
}

/// What was asked of an image, and what was found.
#[derive(Clone, Debug)]
pub struct TrustReport {
    /// The image.
    pub image: Digest,
    /// One for each requirement.
    pub outcomes: Vec<Outcome>,
    /// Everything that was looked at, in the order in which it was given.
    pub examined: Vec<Examined>,
    /// How much was not looked at, because there was too much.
    pub left_out: usize,
    /// The right statements, of any type.
    pub statements: Vec<Verified<Statement>>,
}

impl TrustReport {
    /// Nothing was found of what is required.
    pub(crate) fn nothing(image: Digest, required: &[Requirement]) -> Self {
        Self {
            image,
            outcomes: required.iter().map(|wanted| outcome(wanted, &[])).collect(),
            examined: Vec::new(),
            left_out: 0,
            statements: Vec::new(),
        }
    }

    /// Whether everything required was found.
    pub fn is_satisfied(&self) -> bool {
        !self.outcomes.is_empty() && self.outcomes.iter().all(|outcome| outcome.found)
    }

    /// Both, as one: what each of them asks must be there.
    pub fn and(mut self, other: Self) -> Self {
        self.outcomes.extend(other.outcomes);
        self.examined.extend(other.examined);
        self.left_out = self.left_out.max(other.left_out);
        self.statements.extend(other.statements);
        self
    }

    /// Both, of two names for what was asked about: an index, and the image in it. What either finds is found.
    pub fn or(mut self, other: Self) -> Self {
        for (mine, theirs) in self.outcomes.iter_mut().zip(other.outcomes) {
            mine.found |= theirs.found;
            mine.unmet.extend(theirs.unmet);
            if mine.found {
                mine.unmet.clear();
            }
        }
        self.examined.extend(other.examined);
        self.left_out += other.left_out;
        self.statements.extend(other.statements);
        self
    }

    /// The right statement of this type.
    pub fn statement(&self, predicate_type: &str) -> Option<&Verified<Statement>> {
        self.statements.iter().find(|statement| is_meant(predicate_type, &statement.value.predicate_type))
    }

    /// What counts for nothing.
    pub fn rejected(&self) -> impl Iterator<Item = (&Examined, &Rejection)> {
        self.examined.iter().filter_map(|examined| Some((examined, examined.rejected.as_ref()?)))
    }
}

/// Whether one of the statements meets a requirement.
pub(crate) fn outcome(wanted: &Requirement, statements: &[Verified<Statement>]) -> Outcome {
    let mut unmet = Vec::new();
    let mut found = false;
    let of_type =
        |statement: &&Verified<Statement>| is_meant(&wanted.predicate_type, &statement.value.predicate_type);
    for statement in statements.iter().filter(of_type) {
        match wanted.unmet(&statement.value) {
            None => found = true,
            Some(why) => unmet.push(why),
        }
    }
    if found {
        unmet.clear();
    }
    Outcome { predicate_type: wanted.predicate_type.clone(), name: wanted.name().to_owned(), found, unmet }
}
