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

const OF_NPM: &str = "npm install --package-lock-only with the registry in reach, and commit the lock file";
const OF_YARN: &str = "yarn 1: yarn install, and commit the lock file; yarn 2 and newer write no hash for packages of one kind of machine: \
                       an exception for NA002 in kiln.toml says who trusts the registry with them";

fn check(evidence: &Evidence, _: &PolicySettings) -> Judged {
    let lock = evidence.lock()?;
    if !lock.without_integrity.is_empty() {
        let (number, named) = (lock.without_integrity.len(), list(&lock.without_integrity, 4));
        let reason = format!("{} pins {number} without a hash: {named}", lock.file);
        return fail(reason, if lock.file == "yarn.lock" { OF_YARN } else { OF_NPM });
    }
    if lock.file.is_empty() {
        return not_applicable("the app has no dependencies");
    }
    pass(format!("every package of {} has a hash", lock.file))
}
