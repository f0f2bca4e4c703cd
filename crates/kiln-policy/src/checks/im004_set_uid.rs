use kiln_pkg::IndicatorKind;

use crate::indicators::none_of;
use crate::{Check, Evidence, Judged, PolicySettings, Stage};

pub(super) static CHECK: Check = Check {
    id: "IM004",
    slug: "set-uid",
    title: "No set-uid programs",
    stage: Stage::Built,
    page: include_str!("../../tests/checks/IM004.md"),
    check,
};

const KINDS: &[IndicatorKind] =
    &[IndicatorKind::SetUid, IndicatorKind::SetGid, IndicatorKind::FileCapabilities];

fn check(evidence: &Evidence, _: &PolicySettings) -> Judged {
    let cure =
        "remove the program, or its set-uid bit, set-gid bit or file capabilities, where it is installed";
    none_of(evidence, KINDS, "set-uid, set-gid or file capabilities", cure)
}
