use kiln_pkg::Package;
use kiln_text::Glob;

use crate::glob::names;
use crate::verdict::{fail, pass};
use crate::wording::{count, list};
use crate::{Check, Evidence, Judged, PolicySettings, Stage};

pub(super) static CHECK: Check = Check {
    id: "PK003",
    slug: "denied-licences",
    title: "No denied licences",
    stage: Stage::Built,
    page: include_str!("../../tests/checks/PK003.md"),
    check,
};

fn check(evidence: &Evidence, settings: &PolicySettings) -> Judged {
    let inventory = evidence.inventory()?;
    let globs: Vec<Glob> = settings.denied_licences.iter().map(|glob| names(glob)).collect();
    let mut denied = Vec::new();
    let mut unclear = 0;
    for package in &inventory.packages {
        match is_denied(package, &globs) {
            Some(true) => denied.push(show(package)),
            Some(false) => {}
            None => unclear += 1,
        }
    }
    if !denied.is_empty() {
        return fail(
            list(&denied, 4),
            "replace the package, or write an [[exception]] if you meet its licence",
        );
    }
    evidence.packages()?;
    let unclear = if unclear > 0 {
        format!("; {unclear} name no licence that is an SPDX expression")
    } else {
        String::new()
    };
    let asked = settings.denied_licences.join(", ");
    pass(format!("no {asked} in {}{unclear}", count(inventory.packages.len(), "package")))
}

/// Whether every way to use the package is denied: of `MIT OR AGPL-3.0-only`, one is not. `None` where it does not say.
fn is_denied(package: &Package, denied: &[Glob]) -> Option<bool> {
    // The modes by which `kiln_pkg::Licence` wrote it.
    let mode = spdx::ParseMode {
        allow_deprecated: true,
        allow_imprecise_license_names: true,
        allow_postfix_plus_on_gpl: true,
        ..spdx::ParseMode::STRICT
    };
    let text = package.licence.as_ref()?.spdx.as_deref()?;
    let expression = spdx::Expression::parse_mode(text, mode).ok()?;
    let allows = |licence: &spdx::LicenseReq| {
        let id = licence.license.to_string();
        !denied.iter().any(|glob| glob.is_match(&id))
    };
    Some(!expression.evaluate(allows))
}

fn show(package: &Package) -> String {
    let licence = package.licence.as_ref().map_or("", |licence| &licence.declared);
    format!("{}@{} ({licence})", package.name, package.version)
}
