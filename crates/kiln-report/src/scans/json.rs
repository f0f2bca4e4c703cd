use kiln_oci::Digest;
use kiln_pkg::{Distro, Indicator, Layer, Package, Secret};
use kiln_policy::ExceptionUse;
use kiln_vuln::{Plan, VexUse, VulnerabilityReport};
use serde::Serialize;

use super::Scan;
use crate::Stamp;

/// For programs: `schema/scan.schema.json` describes it. Fields are added, never renamed, as long as `schema` is 2.
pub(crate) fn render(scans: &[Scan], stamp: &Stamp) -> String {
    let documents: Vec<Document<'_>> = scans.iter().map(|scan| document(scan, stamp)).collect();
    serde_json::to_string(&documents).expect("scans hold only JSON values with string keys")
}

/// Written as it is read from the scan: a tree of values of a large image would cost more than scanning it again.
#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    image: Image<'a>,
    distro: Option<&'a Distro>,
    layers: &'a [Layer],
    packages: &'a [Package],
    notes: &'a [String],
    indicators: &'a [Indicator],
    secrets: &'a [Secret],
    complete: bool,
    age_days: Option<u32>,
    report: &'a VulnerabilityReport,
    /// How many vulnerabilities are not in `report`, because only some were asked for.
    #[serde(skip_serializing_if = "is_zero")]
    not_shown: usize,
    vex: &'a [VexUse],
    #[serde(skip_serializing_if = "is_zero")]
    vex_unverified: usize,
    exceptions: &'a [ExceptionUse],
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<&'a Plan>,
}

#[derive(Serialize)]
struct Image<'a> {
    name: &'a str,
    digest: Option<Digest>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

fn document<'a>(scan: &'a Scan, stamp: &Stamp) -> Document<'a> {
    let inventory = &scan.inventory;
    Document {
        schema: 2,
        image: Image { name: &scan.name, digest: scan.digest },
        distro: inventory.distro.as_ref(),
        layers: &inventory.layers,
        packages: &inventory.packages,
        notes: &inventory.notes,
        indicators: &inventory.indicators,
        secrets: &inventory.secrets,
        complete: scan.report.is_complete(),
        age_days: scan.report.as_of.map(|as_of| as_of.age(stamp.today)),
        report: &scan.report,
        not_shown: scan.hidden.len(),
        vex: &scan.vex,
        vex_unverified: scan.vex_unverified,
        exceptions: &scan.exceptions,
        plan: scan.plan.as_ref(),
    }
}
