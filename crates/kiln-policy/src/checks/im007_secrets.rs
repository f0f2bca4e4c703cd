use kiln_pkg::Secret;

use crate::indicators::all_seen;
use crate::verdict::{fail, pass};
use crate::wording::{count, list};
use crate::{Check, Evidence, Judged, PolicySettings, Stage};

pub(super) static CHECK: Check = Check {
    id: "IM007",
    slug: "secrets",
    title: "No credentials in any layer",
    stage: Stage::Built,
    page: include_str!("../../tests/checks/IM007.md"),
    check,
};

fn check(evidence: &Evidence, _: &PolicySettings) -> Judged {
    let inventory = evidence.inventory()?;
    if !inventory.secrets.is_empty() {
        let shown: Vec<String> = inventory.secrets.iter().map(show).collect();
        return fail(list(&shown, 4), cure(&inventory.secrets));
    }
    all_seen(inventory)?;
    pass(format!("none found in {} and the configuration", count(inventory.layers.len(), "layer")))
}

/// Path, kind and the redacted form. The credential itself is nowhere in the evidence.
fn show(secret: &Secret) -> String {
    let deleted = if secret.deleted { ", deleted later but still in the image" } else { "" };
    format!("{} in {}: {}{deleted}", secret.rule, secret.place.path, secret.shown)
}

fn cure(secrets: &[Secret]) -> &'static str {
    if secrets.iter().all(|secret| secret.published) {
        "it came with a published npm package: leave the file out of the image, or write an [[exception]]"
    } else {
        "revoke it, remove it from the sources or list it in .dockerignore, and pass it at run time; then build again"
    }
}
