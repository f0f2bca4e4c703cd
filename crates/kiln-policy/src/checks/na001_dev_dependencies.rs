use std::collections::BTreeSet;

use kiln_pkg::Ecosystem;

use crate::verdict::{fail, pass};
use crate::wording::{count, list};
use crate::{Check, Evidence, Judged, PolicySettings, Stage};

pub(super) static CHECK: Check = Check {
    id: "NA001",
    slug: "dev-dependencies",
    title: "No devDependencies",
    stage: Stage::Built,
    page: include_str!("../../tests/checks/NA001.md"),
    check,
};

fn check(evidence: &Evidence, _: &PolicySettings) -> Judged {
    let (lock, inventory) = (evidence.lock()?, evidence.inventory()?);
    let dev: BTreeSet<&str> = lock.dev_packages.iter().map(String::as_str).collect();
    let mut found = Vec::new();
    for package in inventory.of(Ecosystem::Npm) {
        let name = format!("{}@{}", package.name, package.version);
        if package.dev || dev.contains(name.as_str()) {
            found.push(name);
        }
    }
    if !found.is_empty() {
        let cure =
            "install with npm ci --omit=dev, or build with kiln; what the app loads belongs in dependencies";
        return fail(format!("{} installed: {}", found.len(), list(&found, 4)), cure);
    }
    evidence.packages()?;
    let installed = count(inventory.of(Ecosystem::Npm).count(), "npm package");
    pass(format!("none of the {} that only development needs is among the {installed}", dev.len()))
}
