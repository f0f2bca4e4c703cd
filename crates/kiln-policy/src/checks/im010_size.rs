use crate::verdict::{fail, need, pass};
use crate::wording::{count, megabytes};
use crate::{Check, Evidence, Judged, PolicySettings, Stage};

pub(super) static CHECK: Check = Check {
    id: "IM010",
    slug: "size",
    title: "Size within budget",
    stage: Stage::Built,
    page: include_str!("../../tests/checks/IM010.md"),
    check,
};

const MEGABYTE: u64 = 1_000_000;

fn check(evidence: &Evidence, settings: &PolicySettings) -> Judged {
    let size = need(&evidence.size, "name an image whose manifest kiln can read")?;
    let text = format!(
        "{} compressed in {}, of {} MB",
        megabytes(size.compressed),
        count(size.layers, "layer"),
        settings.size_budget
    );
    if size.compressed <= settings.size_budget.saturating_mul(MEGABYTE) {
        return pass(text);
    }
    fail(text, "leave out what the app does not load, or raise [policy] size-budget in kiln.toml")
}
