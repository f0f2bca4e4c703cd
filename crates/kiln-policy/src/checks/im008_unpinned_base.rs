use crate::verdict::{fail, pass};
use crate::{Check, Evidence, Judged, PolicySettings, Stage};

pub(super) static CHECK: Check = Check {
    id: "IM008",
    slug: "unpinned-base",
    title: "Base pinned by digest",
    stage: Stage::Built,
    page: include_str!("../../tests/checks/IM008.md"),
    check,
};

fn check(evidence: &Evidence, _: &PolicySettings) -> Judged {
    let base = evidence.base()?;
    let Some(digest) = base.digest else {
        let reason = format!("{} is a name only; tomorrow it may be another image", base.name);
        return fail(reason, "pin the digest: kiln base lock, or FROM name@sha256:…");
    };
    let locked = if base.locked { ", every input locked" } else { "" };
    pass(format!("{}@sha256:{}…{locked}", base.name, digest.short()))
}
