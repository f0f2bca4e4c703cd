use crate::glob::Images;
use crate::verdict::{fail, pass};
use crate::{Check, Evidence, Judged, PolicySettings, Stage};

pub(super) static CHECK: Check = Check {
    id: "IM009",
    slug: "unapproved-base",
    title: "Base approved",
    stage: Stage::Built,
    page: include_str!("../../tests/checks/IM009.md"),
    check,
};

fn check(evidence: &Evidence, settings: &PolicySettings) -> Judged {
    let name = &evidence.base()?.name;
    if let Some(glob) = settings.approved_bases.iter().find(|glob| Images::of(glob).hold(name)) {
        return pass(format!("{name} is approved by `{glob}`"));
    }
    let approved = settings.approved_bases.join(", ");
    let reason = format!("{name} is none of the approved bases ({approved})");
    fail(reason, "build on an approved base, or add it in kiln.toml: [policy] approved-bases")
}
