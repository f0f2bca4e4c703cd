use kiln_attest::predicate;

use crate::attested::one_of;
use crate::{Check, Evidence, Judged, PolicySettings, Stage};

pub(super) static CHECK: Check = Check {
    id: "SG002",
    slug: "no-sbom",
    title: "SBOM signed and attached",
    stage: Stage::Attested,
    page: include_str!("../../tests/checks/SG002.md"),
    check,
};

fn check(evidence: &Evidence, _: &PolicySettings) -> Judged {
    one_of(
        evidence,
        &[predicate::SPDX, predicate::CYCLONEDX],
        "SBOM",
        "kiln attest IMAGE, or kiln ship, which attaches one",
    )
}
