use kiln_vuln::{Date, release_line};

use crate::node_lines::recommended;
use crate::verdict::{fail, pass, unknown};
use crate::{Check, Evidence, Judged, PolicySettings, Stage, Unknown, Verdict};

pub(super) static CHECK: Check = Check {
    id: "NA003",
    slug: "unsupported-node",
    title: "Node.js line supported",
    stage: Stage::Built,
    page: include_str!("../../tests/checks/NA003.md"),
    check,
};

fn check(evidence: &Evidence, _: &PolicySettings) -> Judged {
    let inventory = evidence.inventory()?;
    let versions: Vec<&str> = inventory.node().map(|node| node.version.as_str()).collect();
    let mut reasons = Vec::new();
    let mut not_known = None;
    for version in &versions {
        match judge(version, evidence.today) {
            Ok(Verdict::Pass { reason, .. }) => reasons.push(reason),
            Ok(verdict) => return Ok(verdict),
            Err(unknown) => not_known = Some(unknown),
        }
    }
    if let Some(unknown) = not_known {
        return Err(unknown);
    }
    if versions.is_empty() {
        return unknown(
            "no Node.js runtime was found in the image",
            "build on a base with Node.js, as kiln/node",
        );
    }
    evidence.packages()?;
    pass(reasons.join("; "))
}

fn judge(version: &str, today: Date) -> Result<Verdict, Unknown> {
    let Some(line) = release_line("node", version) else {
        let why = format!("when support of Node.js {version} ends is not known to this kiln");
        return unknown(why, "update kiln, or use a line it knows");
    };
    if today > line.end {
        let days = line.end.age(today);
        return fail(
            format!("support of Node.js {version} ended on {}, {days} days ago", line.end),
            cure(today),
        );
    }
    pass(format!("Node.js {version} is supported until {}", line.end))
}

fn cure(today: Date) -> String {
    match recommended(today) {
        Some(major) => format!("in kiln.toml: [base] node = {major}; then kiln base lock"),
        None => "update kiln, then use the newest line of Node.js".to_owned(),
    }
}
