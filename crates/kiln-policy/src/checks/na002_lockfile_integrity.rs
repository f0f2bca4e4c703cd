use crate::verdict::{fail, not_applicable, pass};
use crate::wording::list;
use crate::{Check, Evidence, Judged, PolicySettings, Stage};

pub(super) static CHECK: Check = Check {
    id: "NA002",
    slug: "lockfile-integrity",
    title: "Lock file pins hashes",
    stage: Stage::Built,
    page: include_str!("../../tests/checks/NA002.md"),
    check,
};

fn check(evidence: &Evidence, _: &PolicySettings) -> Judged {
    let lock = evidence.lock()?;
    if !lock.without_integrity.is_empty() {
        let (number, named) = (lock.without_integrity.len(), list(&lock.without_integrity, 4));
        let reason = format!("{} pins {number} without a hash: {named}", lock.file);
        return fail(
            reason,
            "npm install --package-lock-only with the registry in reach, and commit the lock file",
        );
    }
    if lock.file.is_empty() {
        return not_applicable("the app has no dependencies");
    }
    pass(format!("every package of {} has a hash", lock.file))
}
