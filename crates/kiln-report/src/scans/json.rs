use serde_json::{Value, json};

use super::{Scan, ScanFormat, Stamp};

/// For programs: `schema/scan.schema.json` describes it. Fields are added, never renamed, as long as `schema` is 1.
pub(super) static FORMAT: ScanFormat = ScanFormat { name: "json", one: false, render };

fn render(scans: &[Scan], stamp: &Stamp) -> String {
    scans.iter().map(|scan| value(scan, stamp)).collect::<Value>().to_string()
}

fn value(scan: &Scan, stamp: &Stamp) -> Value {
    let mut value = json!({
        "schema": 1,
        "image": {"name": scan.name, "digest": scan.digest},
        "distro": scan.inventory.distro,
        "layers": scan.inventory.layers,
        "packages": scan.inventory.packages,
        "notes": scan.inventory.notes,
        "interests": scan.inventory.interests,
        "secrets": scan.inventory.secrets,
        "complete": scan.report.is_complete(),
        "age_days": scan.report.as_of.map(|as_of| as_of.age(stamp.today)),
        "report": scan.report,
        "vex": scan.vex,
        "exceptions": scan.exceptions,
    });
    if let Some(plan) = &scan.plan {
        value["plan"] = json!(plan);
    }
    value
}
