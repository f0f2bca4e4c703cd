use kiln_attest::predicate;

use crate::attested::one_of;
use crate::{Check, Evidence, Judged, PolicySettings, Stage};

pub(super) static CHECK: Check = Check {
    id: "SG001",
    slug: "unsigned",
    title: "Signature valid",
    stage: Stage::Attested,
    page: include_str!("../../tests/checks/SG001.md"),
    check,
};

fn check(evidence: &Evidence, _: &PolicySettings) -> Judged {
    one_of(evidence, &[predicate::SIGNATURE], "signature", "kiln sign IMAGE with the trusted key")
}
