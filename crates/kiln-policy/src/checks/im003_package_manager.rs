use kiln_pkg::IndicatorKind;

use crate::indicators::none_of;
use crate::{Check, Evidence, Judged, PolicySettings, Stage};

pub(super) static CHECK: Check = Check {
    id: "IM003",
    slug: "package-manager",
    title: "No package manager",
    stage: Stage::Built,
    page: include_str!("../../tests/checks/IM003.md"),
    check,
};

fn check(evidence: &Evidence, _: &PolicySettings) -> Judged {
    let cure = "build on a base without npm, yarn, apt and their kind: kiln/node has none";
    none_of(evidence, &[IndicatorKind::PackageManager], "package manager", cure)
}
