use crate::verdict::{fail, pass};
use crate::{Check, Evidence, Judged, PolicySettings, Stage};

pub(super) static CHECK: Check = Check {
    id: "IM005",
    slug: "node-env",
    title: "Production mode",
    stage: Stage::Built,
    page: include_str!("../../tests/checks/IM005.md"),
    check,
};

fn check(evidence: &Evidence, _: &PolicySettings) -> Judged {
    let reason = match evidence.config()?.config.env_value("NODE_ENV") {
        Some("production") => return pass("NODE_ENV=production"),
        Some(other) => format!("NODE_ENV is `{other}`"),
        None => "NODE_ENV is not set".to_owned(),
    };
    fail(reason, "ENV NODE_ENV=production, or build with kiln, which sets it")
}
