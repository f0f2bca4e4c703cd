//! A scan for people.

use kiln_finding::Severity;
use kiln_pkg::{Ecosystem, Inventory};
use kiln_proof::advisories::today;
use kiln_report::Scan;
use kiln_vuln::{Covered, Fix, Match, Plan, Report};

use crate::output::{self, Table};

pub(crate) fn show(scan: &Scan, explains_vex: bool) {
    let (inventory, report) = (&scan.inventory, &scan.report);
    let digest = scan.digest.map(|digest| format!(" ({digest})")).unwrap_or_default();
    output::data(&format!("{}{digest}", scan.name));
    output::data(&contents(inventory));
    if !report.matches.is_empty() {
        let mut table = Table::new(&["SEVERITY", "ID", "PACKAGE", "INSTALLED", "FIXED IN", "COMES BY"]);
        report.matches.iter().for_each(|found| table.row(row(found)));
        output::data(&table.render());
    }
    for secret in &inventory.secrets {
        let deleted = if secret.deleted { ", deleted later but still in the image" } else { "" };
        output::data(&format!(
            "credential: {} in {}: {}{deleted}",
            secret.rule, secret.place.path, secret.shown
        ));
    }
    for taken in &report.suppressed {
        let found = &taken.found;
        let why = taken.by.explain();
        output::data(&format!("taken out: {} in {}@{}: {why}", found.id, found.name, found.version));
    }
    for used in scan.vex.iter().filter(|_| explains_vex) {
        let ids = used.ids.join(", ");
        let outcome = match &used.why {
            Some(why) => format!("not applied: {why}"),
            None => format!("takes out {}", used.applied),
        };
        output::data(&format!("vex: {ids} {} in {}: {outcome}", used.status, used.document));
    }
    inventory.notes.iter().for_each(|note| output::data(&format!("note: {note}")));
    show_unknown(report);
    output::data(&summary(report));
    scan.plan.iter().for_each(show_plan);
}

fn row(found: &Match) -> Vec<String> {
    let known = if found.known_exploited { " (exploited)" } else { "" };
    let score = found.cvss.as_ref().map(|cvss| format!(" {}", cvss.score)).unwrap_or_default();
    let fix = match &found.fix {
        Fix::Version { version } => version.as_str(),
        Fix::None => "none yet",
        Fix::WontFix => "will not be fixed",
        Fix::Unknown => "not known",
    };
    vec![
        format!("{}{score}{known}", found.severity),
        found.id.clone(),
        format!("{} ({})", found.name, found.ecosystem),
        found.version.clone(),
        fix.to_owned(),
        comes_by(found),
    ]
}

/// Who brings it in: a tool, a direct dependency, or the base.
fn comes_by(found: &Match) -> String {
    if let Some(tool) = &found.tool {
        return format!("the tool {tool}");
    }
    match found.direct.as_slice() {
        [] => found.origin.map_or_else(|| "-".to_owned(), |origin| format!("{origin:?}").to_lowercase()),
        [one] => one.clone(),
        [one, rest @ ..] => format!("{one} and {} more", rest.len()),
    }
}

fn contents(inventory: &Inventory) -> String {
    let count = |ecosystem| inventory.of(ecosystem).count();
    let mut parts: Vec<String> = Ecosystem::ALL
        .into_iter()
        .filter(|ecosystem| *ecosystem != Ecosystem::Node && count(*ecosystem) > 0)
        .map(|ecosystem| format!("{} {ecosystem} packages", count(ecosystem)))
        .collect();
    parts.extend(inventory.node().map(|node| format!("Node.js {}", node.version)));
    let distro =
        inventory.distro.as_ref().map_or_else(|| "no distribution".to_owned(), kiln_pkg::Distro::tag);
    let text =
        format!("{distro}: {}", if parts.is_empty() { "no packages".to_owned() } else { parts.join(", ") });
    text + &interests(inventory)
}

/// A line per kind of file of interest, each after a line end.
fn interests(inventory: &Inventory) -> String {
    let mut kinds: Vec<_> = inventory.interests.iter().map(|interest| interest.kind).collect();
    kinds.dedup();
    let line = |kind| {
        let here = inventory.interests.iter().filter(|interest| interest.kind == kind);
        let shown = |interest: &kiln_pkg::Interest| {
            let deleted = if interest.deleted { " (deleted later but still in the image)" } else { "" };
            format!("{}{deleted}", interest.place.path)
        };
        let paths: Vec<String> = here.map(shown).collect();
        let more = if paths.len() > 5 { format!(" and {} more", paths.len() - 5) } else { String::new() };
        let first = paths.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
        format!("\n{}: {first}{more}", kind.as_str())
    };
    kinds.into_iter().map(line).collect()
}

fn show_unknown(report: &Report) {
    for coverage in &report.coverage {
        let what = format!("{} {} packages {}", coverage.packages, coverage.ecosystem, coverage.release);
        match &coverage.covered {
            Covered::Full { .. } => {}
            Covered::Partial { why, .. } | Covered::None { why } => {
                output::data(&format!("not known: {}: {why}", what.trim_end()));
            }
        }
    }
    for unread in &report.unread {
        output::data(&format!(
            "not known: {} could not be read ({}): {}",
            unread.path, unread.reader, unread.why
        ));
    }
}

fn show_plan(plan: &Plan) {
    let mut number = 0;
    for step in &plan.steps {
        number += 1;
        output::data(&format!("\n{number}. {} (removes {})", step.what, step.removes.len()));
        for removed in &step.removes {
            output::data(&format!("     {removed}"));
        }
        if let Some(caution) = &step.caution {
            output::data(&format!("   careful: {caution}"));
        }
        if let Some(edit) = &step.edit {
            edit.lines().for_each(|line| output::data(&format!("       {line}")));
        }
    }
    let remaining = plan.remains.len();
    output::data(&format!(
        "\nafter this remain {}",
        if remaining == 0 { "none".to_owned() } else { remaining.to_string() }
    ));
    for left in &plan.remains {
        output::data(&format!("     {} in {}: {}", left.id, left.package, left.why));
    }
}

fn summary(report: &Report) -> String {
    let counts: Vec<String> = report
        .counts()
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(severity, count)| {
            format!(
                "{count} {}",
                if severity == Severity::Unknown { "not judged" } else { severity.as_str() }
            )
        })
        .collect();
    let found = if counts.is_empty() { "no known vulnerabilities".to_owned() } else { counts.join(", ") };
    let found = if report.is_complete() { found } else { format!("{found}; not everything is known") };
    match report.as_of {
        Some(as_of) => format!("{found} (advisories as of {as_of}, {} days old)", as_of.age(today())),
        None => found,
    }
}
