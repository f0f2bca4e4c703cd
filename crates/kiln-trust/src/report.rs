use kiln_attest::Statement;
use kiln_attest::predicate::is_meant;
use kiln_oci::Digest;
use serde::Serialize;

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
    /// Where the newest statement decides, when it says that it was made.
    #[serde(skip)]
    pub(crate) decided_by: Option<i64>,
    /// Of several statements the newest decides, also where none of them says when it was made.
    #[serde(skip)]
    pub(crate) newest_decides: bool,
}

impl Outcome {
    /// Takes in something that may be a statement of any type and was not looked at.
    fn leave(&mut self, unseen: &Unseen) {
        let kind = unseen.predicate_type.as_deref();
        let may_be_of_type = kind.is_none_or(|kind| is_meant(&self.predicate_type, kind));
        let is_open = match self.decided_by {
            // An older one would not count.
            Some(time) => may_be_of_type && unseen.since.is_none_or(|since| since >= time),
            None => !self.found || self.newest_decides && may_be_of_type,
        };
        if is_open {
            (self.found, self.not_known) = (false, true);
        }
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
            outcomes: required.iter().map(|wanted| outcome(wanted, &[])).collect(),
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
            if theirs.decided_by > mine.decided_by && !theirs.found {
                mine.clone_from(theirs);
            }
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

/// Whether the right statements meet a requirement.
pub(crate) fn outcome(wanted: &Requirement, statements: &[Verified<Statement>]) -> Outcome {
    let all = statements.iter().map(|statement| &statement.value);
    let of_type: Vec<&Statement> =
        all.filter(|statement| is_meant(&wanted.predicate_type, &statement.predicate_type)).collect();
    let (unmet, decided_by) = wanted.unmet(&of_type);
    Outcome {
        predicate_type: wanted.predicate_type.clone(),
        name: wanted.name().to_owned(),
        found: !of_type.is_empty() && unmet.is_empty(),
        not_known: false,
        unmet,
        decided_by,
        newest_decides: wanted.newest_decides(),
    }
}

#[cfg(test)]
mod tests {
    use kiln_attest::predicate::{SIGNATURE, VULNERABILITIES};
    use serde_json::json;

    use super::*;
    use crate::Rule;

    /// A report about statements of these types and times, by whom it must be.
    fn report(required: &[Requirement], said: &[(&str, &str)]) -> TrustReport {
        let image = Digest::of(b"image");
        let statements = said.iter().map(|(predicate_type, ended)| {
            let predicate = json!({
                "scanner": { "result": { "matches": [] } }, "metadata": { "scanFinishedOn": ended },
            });
            let value = Statement::about(&image, predicate_type, predicate);
            Verified { value, signer: Signer::Key { hint: String::new() } }
        });
        let mut report = TrustReport::nothing(image, &[]);
        report.statements = statements.collect();
        report.outcomes = required.iter().map(|wanted| outcome(wanted, &report.statements)).collect();
        report
    }

    fn unseen(predicate_type: Option<&str>, since: Option<i64>) -> Unseen {
        Unseen { predicate_type: predicate_type.map(str::to_owned), since }
    }

    #[test]
    fn what_was_not_looked_at_is_never_missing() {
        let required = [Requirement::of(SIGNATURE)];
        assert_eq!(report(&required, &[]).verdict(), Verdict::Refused);
        // Whatever its list says it is: that is a hint only.
        for other in [unseen(None, None), unseen(Some(SIGNATURE), Some(1)), unseen(Some("other"), Some(1))] {
            let one = [other];
            assert_eq!(report(&required, &[]).leaving(&one, &[]).verdict(), Verdict::NotKnown);
            assert_eq!(report(&required, &[]).leaving(&[], &one).verdict(), Verdict::NotKnown);
            assert_eq!(report(&required, &[(SIGNATURE, "")]).leaving(&one, &[]).verdict(), Verdict::Met);
        }
        assert_eq!(report(&[], &[]).leaving(&[unseen(None, None)], &[]).verdict(), Verdict::Refused);
    }

    /// A scan every day must not block an image, and an old clean one must not hide a new one.
    #[test]
    fn a_scan_decides_unless_what_was_not_looked_at_may_be_newer() {
        let required =
            [Requirement { rules: vec![Rule::NoCritical { now: 2000 }], ..Requirement::of(VULNERABILITIES) }];
        let scan = [(VULNERABILITIES, "1970-01-01T00:16:40Z")];
        let verdict = |one: Unseen| report(&required, &scan).leaving(&[one], &[]).verdict();
        assert_eq!(verdict(unseen(Some(VULNERABILITIES), Some(999))), Verdict::Met);
        assert_eq!(verdict(unseen(Some(SIGNATURE), Some(2000))), Verdict::Met);
        for newer in [
            unseen(Some(VULNERABILITIES), Some(1000)),
            unseen(Some(VULNERABILITIES), None),
            unseen(None, Some(1500)),
        ] {
            assert_eq!(verdict(newer), Verdict::NotKnown);
        }
    }

    #[test]
    fn where_no_scan_says_when_it_ended_each_may_be_the_newest() {
        let required =
            [Requirement { rules: vec![Rule::NoCritical { now: 2000 }], ..Requirement::of(VULNERABILITIES) }];
        let verdict =
            |one: Unseen| report(&required, &[(VULNERABILITIES, "")]).leaving(&[one], &[]).verdict();
        assert_eq!(verdict(unseen(Some(SIGNATURE), None)), Verdict::Met);
        for other in [unseen(Some(VULNERABILITIES), Some(1)), unseen(None, None)] {
            assert_eq!(verdict(other), Verdict::NotKnown);
        }
    }

    #[test]
    fn what_is_not_there_is_refused_whatever_else_is_not_known() {
        let rules = vec![Rule::MaxAge { seconds: 1, now: 2000 }];
        let required =
            [Requirement { rules, ..Requirement::of(VULNERABILITIES) }, Requirement::of(SIGNATURE)];
        let scan = [(VULNERABILITIES, "1970-01-01T00:16:40Z")];
        let old = unseen(Some(VULNERABILITIES), Some(1));
        assert_eq!(report(&required, &scan).leaving(&[old], &[]).verdict(), Verdict::Refused);
    }
}
