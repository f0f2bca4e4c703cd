use kiln_pkg::IndicatorKind;

use crate::indicators::none_of;
use crate::{Check, Evidence, Judged, PolicySettings, Stage};

pub(super) static CHECK: Check = Check {
    id: "IM002",
    slug: "shell",
    title: "No shell",
    stage: Stage::Built,
    page: include_str!("../../tests/checks/IM002.md"),
    check,
};

fn check(evidence: &Evidence, _: &PolicySettings) -> Judged {
    none_of(evidence, &[IndicatorKind::Shell], "shell", "build on a base without a shell: kiln/node has none")
}
