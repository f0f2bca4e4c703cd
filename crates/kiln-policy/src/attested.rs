use crate::verdict::{fail, pass};
use crate::wording::list;
use crate::{Attested, Evidence, Judged};

/// Passes where a verified statement of one of these types is with the image. Others' statements never count, and never
/// harm.
pub(crate) fn one_of(evidence: &Evidence, types: &[&str], noun: &str, cure: &str) -> Judged {
    let all = evidence.attestations()?;
    let of_type = |attested: &&Attested| types.contains(&attested.predicate_type.as_str());
    if let Some(found) = all.iter().filter(of_type).find(|attested| attested.verified) {
        let name = kiln_attest::predicate::short_name(&found.predicate_type);
        return pass(format!("{name} verified, {}", found.detail));
    }
    let rejected: Vec<&str> = all
        .iter()
        .filter(|attested| !attested.verified && (of_type(attested) || attested.predicate_type.is_empty()))
        .map(|attested| attested.detail.as_str())
        .collect();
    if rejected.is_empty() {
        return fail(format!("no {noun} is with the image"), cure);
    }
    fail(format!("no {noun} counts: {}", list(&rejected, 2)), cure)
}
