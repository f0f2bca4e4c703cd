use kiln_pkg::{Ecosystem, Inventory, Secret};

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
    let (public, private): (Vec<&Secret>, Vec<&Secret>) =
        inventory.secrets.iter().partition(|secret| is_public(secret, inventory));
    if !private.is_empty() {
        let shown: Vec<String> = private.iter().map(|secret| show(secret)).collect();
        return fail(list(&shown, 4), cure(&private));
    }
    all_seen(inventory)?;
    let mut reason =
        format!("none found in {} and the configuration", count(inventory.layers.len(), "layer"));
    if !public.is_empty() {
        let files: Vec<String> = public.iter().map(|secret| secret.place.path.clone()).collect();
        reason = format!(
            "{} of published npm packages ({}), else {reason}",
            count(files.len(), "test key"),
            list(&files, 2)
        );
    }
    pass(reason)
}

/// Whether a private key came with a package of the registry, in the layer that the package is in: anyone can download it, so it
/// guards nothing. What the app or its build put beside a package is in another layer, or in no package.
fn is_public(secret: &Secret, inventory: &Inventory) -> bool {
    secret.published
        && secret.rule == "private-key"
        && inventory.of(Ecosystem::Npm).filter(|package| package.elsewhere.is_none()).any(|package| {
            let inside = format!("node_modules/{}/", package.name);
            package.places.iter().filter(|place| place.layer == secret.place.layer).any(|place| {
                let folder =
                    place.path.strip_suffix("package.json").filter(|folder| folder.ends_with(&inside));
                folder
                    .and_then(|folder| secret.place.path.strip_prefix(folder))
                    .is_some_and(|below| !below.contains("node_modules/"))
            })
        })
}

/// Path, kind and the redacted form. The credential itself is nowhere in the evidence.
fn show(secret: &Secret) -> String {
    let deleted = if secret.deleted { ", deleted later but still in the image" } else { "" };
    format!("{} in {}: {}{deleted}", secret.rule, secret.place.path, secret.shown)
}

fn cure(secrets: &[&Secret]) -> &'static str {
    if secrets.iter().all(|secret| secret.published) {
        "it came with a published npm package: leave the file out of the image, or write an [[exception]]"
    } else {
        "revoke it, remove it from the sources or list it in .dockerignore, and pass it at run time; then build again"
    }
}
