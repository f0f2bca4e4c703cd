//! A scan for people.

use kiln_pkg::{Ecosystem, Inventory};
use kiln_vuln::{Fix, Match};

use super::{Scan, planned, words};
use crate::clean::line;
use crate::{Stamp, Table};

pub(crate) fn render(scans: &[Scan], stamp: &Stamp) -> String {
    scans.iter().map(|scan| of_one(scan, stamp)).collect::<Vec<_>>().join("\n")
}

fn of_one(scan: &Scan, stamp: &Stamp) -> String {
    let (inventory, report) = (&scan.inventory, &scan.report);
    let digest = scan.digest.map(|digest| format!(" ({digest})")).unwrap_or_default();
    let stale = words::stale(scan).map(|stale| format!("; {stale}")).unwrap_or_default();
    let mut lines = vec![line(&format!("{}{digest}{stale}", scan.name))];
    lines.extend(contents(inventory));
    if !report.matches.is_empty() {
        let mut table = Table::new(&["SEVERITY", "ID", "PACKAGE", "INSTALLED", "FIXED IN", "COMES BY"]);
        report.matches.iter().for_each(|found| table.row(row(found)));
        lines.push(table.render());
    }
    lines.extend(inventory.secrets.iter().map(secret));
    for taken in &report.suppressed {
        let found = &taken.found;
        let why = taken.by.explain();
        lines.push(line(&format!("taken out: {} in {}@{}: {why}", found.id, found.name, found.version)));
    }
    lines.extend(scan.vex.iter().filter(|_| stamp.explains).map(vex));
    lines.extend(inventory.notes.iter().map(|note| line(&format!("note: {note}"))));
    lines.extend(
        words::blind(scan).into_iter().chain(words::judges(scan)).map(|said| format!("note: {said}")),
    );
    lines.extend(words::unknown(scan));
    lines.push(words::summary(scan, stamp));
    lines.extend(scan.plan.iter().flat_map(planned::lines));
    lines.join("\n")
}

fn secret(secret: &kiln_pkg::Secret) -> String {
    let deleted = if secret.deleted { ", deleted later but still in the image" } else { "" };
    line(&format!("credential: {} in {}: {}{deleted}", secret.rule, secret.place.path, secret.shown))
}

fn vex(used: &kiln_vuln::VexUse) -> String {
    let ids = used.ids.join(", ");
    let outcome = match &used.why {
        Some(why) => format!("not applied: {why}"),
        None => format!("takes out {}", used.applied),
    };
    line(&format!("vex: {ids} {} in {}: {outcome}", used.status, used.document))
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

/// What it holds, and a line per kind of indicator.
fn contents(inventory: &Inventory) -> Vec<String> {
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
    std::iter::once(line(&text)).chain(indicators(inventory)).collect()
}

fn indicators(inventory: &Inventory) -> Vec<String> {
    let mut kinds: Vec<_> = inventory.indicators.iter().map(|indicator| indicator.kind).collect();
    kinds.dedup();
    let listed = |kind: kiln_pkg::IndicatorKind| {
        let here = inventory.indicators.iter().filter(|indicator| indicator.kind == kind);
        let shown = |indicator: &kiln_pkg::Indicator| {
            let deleted = if indicator.deleted { " (deleted later but still in the image)" } else { "" };
            format!("{}{deleted}", indicator.place.path)
        };
        let paths: Vec<String> = here.map(shown).collect();
        let more = if paths.len() > 5 { format!(" and {} more", paths.len() - 5) } else { String::new() };
        let first = paths.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
        line(&format!("{}: {first}{more}", kind.as_str()))
    };
    kinds.into_iter().map(listed).collect()
}
