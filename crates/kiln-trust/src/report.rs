use std::collections::{BTreeMap, BTreeSet};

use kiln_attest::Statement;
use kiln_attest::predicate::is_meant;
use kiln_oci::Digest;
use serde::Serialize;

use crate::reason::Reason;
use crate::requirement::Said;
use crate::{Requirement, Unseen};

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
#[derive(Clone, Debug, Default, Serialize)]
pub struct Outcome {
    /// The predicate type that is required.
    pub predicate_type: String,
    /// The name people call it by.
    pub name: String,
    /// A right statement was found that meets it, and nothing that was not looked at can change that.
    pub found: bool,
    /// What was not looked at may be the statement that counts.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub not_known: bool,
    /// Why the right statements of this type do not meet it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unmet: Vec<String>,
    /// Where the newest statement decides: what it says of the image, and of the index that holds it. Each of them has its own newest,
    /// so that nobody who signs something about the whole takes back what is said of a part.
    #[serde(skip)]
    pub(crate) newest: BTreeMap<Digest, Said>,
    /// Of several statements the newest decides, also where none of them says when it was made.
    #[serde(skip)]
    pub(crate) newest_decides: bool,
}

impl Outcome {
    /// Takes in what the newest statements say.
    fn judge(&mut self) {
        let reasons: Vec<&Reason> = self.newest.values().flat_map(|said| &said.unmet).collect();
        self.found = !self.newest.is_empty() && reasons.is_empty();
        self.not_known = !reasons.is_empty() && reasons.iter().all(|reason| reason.is_open);
        self.unmet = reasons.into_iter().map(|reason| reason.why.clone()).collect();
        self.unmet.dedup();
    }

    /// Takes in something that may be a statement of any type and was not looked at.
    fn leave(&mut self, unseen: &Unseen) {
        let kind = unseen.predicate_type.as_deref();
        let may_be_of_type = kind.is_none_or(|kind| is_meant(&self.predicate_type, kind));
        let is_open = if self.newest_decides && !self.newest.is_empty() {
            may_be_of_type && self.may_be_newest(unseen)
        } else {
            !self.found
        };
        if is_open {
            (self.found, self.not_known) = (false, true);
        }
    }

    /// Whether something may be newer than what is known of the same image or index. Where nothing is known of that, it may.
    fn may_be_newest(&self, unseen: &Unseen) -> bool {
        let is_newer = |said: &Said| match (unseen.since, said.ended) {
            (Some(since), Some(ended)) => since >= ended,
            _ => true,
        };
        match &unseen.about {
            Some(about) => self.newest.get(about).is_none_or(is_newer),
            None => self.newest.values().any(is_newer),
        }
    }

    /// What another who is trusted, too, says later, and is no yes, counts.
    fn overruled_by(&mut self, other: &Self) {
        let is_later = |about: &Digest, said: &Said| {
            self.newest.get(about).is_none_or(|mine| said.ended > mine.ended) && !said.unmet.is_empty()
        };
        let later: Vec<_> = other.newest.iter().filter(|(about, said)| is_later(about, said)).collect();
        if later.is_empty() {
            return;
        }
        self.newest.extend(later.into_iter().map(|(about, said)| (*about, said.clone())));
        self.judge();
    }
}

/// What a report comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Everything required was found.
    Met,
    /// Something required is not there, or says something else.
    Refused,
    /// What was not found may be among what was not looked at.
    NotKnown,
}

/// Something that was looked at, and what came of it.
#[derive(Clone, Debug, Serialize)]
pub struct Examined {
    /// What it must be about: the image, or the index that holds it.
    pub about: Digest,
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
            outcomes: required.iter().map(|wanted| outcome(wanted, &[], &BTreeSet::new())).collect(),
            examined: Vec::new(),
            left_out: 0,
            statements: Vec::new(),
        }
    }

    /// Whether everything required was found.
    pub fn is_satisfied(&self) -> bool {
        self.verdict() == Verdict::Met
    }

    /// What it comes to. Nothing is met by no requirement.
    pub fn verdict(&self) -> Verdict {
        let lacking: Vec<&Outcome> = self.outcomes.iter().filter(|outcome| !outcome.found).collect();
        match lacking.is_empty() {
            true if self.outcomes.is_empty() => Verdict::Refused,
            true => Verdict::Met,
            false if lacking.iter().all(|outcome| outcome.not_known) => Verdict::NotKnown,
            false => Verdict::Refused,
        }
    }

    /// The same, where something beside the image was not looked at because there was too much, or could not be read.
    pub fn leaving(mut self, left_out: &[Unseen], unread: &[Unseen]) -> Self {
        self.left_out += left_out.len();
        for unseen in left_out.iter().chain(unread) {
            self.outcomes.iter_mut().for_each(|outcome| outcome.leave(unseen));
        }
        self
    }

    /// Both, as one: what each of them asks must be there.
    pub fn and(mut self, other: Self) -> Self {
        self.outcomes.extend(other.outcomes);
        self.examined.extend(other.examined);
        self.left_out = self.left_out.max(other.left_out);
        self.statements.extend(other.statements);
        self
    }

    /// A newer statement of another who is trusted, too, that says no, says it for both.
    pub(crate) fn overruled_by(&mut self, other: &Self) {
        for (mine, theirs) in self.outcomes.iter_mut().zip(&other.outcomes) {
            mine.overruled_by(theirs);
        }
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

/// Whether the right statements meet a requirement. `abouts` are the image, and the index that holds it.
pub(crate) fn outcome(
    wanted: &Requirement,
    statements: &[Verified<Statement>],
    abouts: &BTreeSet<Digest>,
) -> Outcome {
    let all = statements.iter().map(|statement| &statement.value);
    let of_type: Vec<&Statement> =
        all.filter(|statement| is_meant(&wanted.predicate_type, &statement.predicate_type)).collect();
    let mut outcome = Outcome {
        predicate_type: wanted.predicate_type.clone(),
        name: wanted.name().to_owned(),
        newest_decides: wanted.newest_decides(),
        ..Outcome::default()
    };
    if !outcome.newest_decides {
        outcome.unmet = wanted.unmet(&of_type);
        outcome.found = !of_type.is_empty() && outcome.unmet.is_empty();
        return outcome;
    }
    for about in abouts {
        let own: Vec<&Statement> = of_type.iter().copied().filter(|one| one.is_about(about)).collect();
        if !own.is_empty() {
            outcome.newest.insert(*about, wanted.said(&own));
        }
    }
    outcome.judge();
    outcome
}

#[cfg(test)]
mod tests;
