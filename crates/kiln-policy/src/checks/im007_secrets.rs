use kiln_pkg::{Ecosystem, Inventory, Package, Secret};

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

/// Folders of what tests work on.
const OF_TESTS: [&str; 7] = ["__tests__", "example", "examples", "fixture", "fixtures", "test", "tests"];

/// Whether a private key is what the tests of a published package work on, in the layer that the package is in: anyone can download
/// it, so it guards nothing. Packages with a scope may be of a registry that is not public, and what the app or its build put beside a
/// package is in another layer, or in no package.
fn is_public(secret: &Secret, inventory: &Inventory) -> bool {
    let is_of = |package: &Package| {
        let inside = format!("app/node_modules/{}/", package.name);
        let places = package.places.iter().filter(|place| place.layer == secret.place.layer);
        let mut folders = places.filter_map(|place| place.path.strip_suffix("package.json"));
        folders.any(|folder| {
            let below = secret.place.path.strip_prefix(folder).filter(|_| folder == inside);
            below.is_some_and(is_of_tests)
        })
    };
    let mut published = inventory.of(Ecosystem::Npm).filter(|package| package.elsewhere.is_none());
    secret.published
        && secret.rule == "private-key"
        && published.any(|package| !package.name.starts_with('@') && is_of(package))
}

fn is_of_tests(below: &str) -> bool {
    !below.contains("node_modules/") && below.split('/').any(|part| OF_TESTS.contains(&part))
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
