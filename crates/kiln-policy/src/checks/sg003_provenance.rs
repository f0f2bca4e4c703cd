use kiln_attest::predicate;

use crate::attested::one_of;
use crate::{Check, Evidence, Judged, PolicySettings, Stage};

pub(super) static CHECK: Check = Check {
    id: "SG003",
    slug: "no-provenance",
    title: "Provenance attached",
    stage: Stage::Attested,
    page: include_str!("../../tests/checks/SG003.md"),
    check,
};

fn check(evidence: &Evidence, _: &PolicySettings) -> Judged {
    one_of(evidence, &[predicate::PROVENANCE], "provenance", "build with kiln ship, which attaches it")
}
