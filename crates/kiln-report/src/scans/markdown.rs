use kiln_finding::Severity;
use kiln_vuln::{Match, Plan, Step};

use super::{Scan, ScanFormat, Stamp, words};
use crate::formats::cell;
use crate::text::plain;

/// For pages and the comments of pull requests.
pub(super) static FORMAT: ScanFormat = ScanFormat { name: "markdown", one: false, render };

fn render(scans: &[Scan], stamp: &Stamp) -> String {
    let parts: Vec<String> = scans.iter().map(|scan| of_one(scan, stamp)).collect();
    parts.join("\n").trim_end().to_owned()
}

fn of_one(scan: &Scan, stamp: &Stamp) -> String {
    let report = &scan.report;
    let mut text = format!("## Scan of {}\n\n{}\n\n", cell(&scan.name), summary(scan, stamp));
    if !report.matches.is_empty() {
        text += "| Severity | Vulnerability | Package | Fix | Comes by |\n|---|---|---|---|---|\n";
        text.extend(report.matches.iter().map(row));
        text.push('\n');
    }
    let unknown = words::unknown(scan);
    if !unknown.is_empty() {
        text += "**Not known**\n\n";
        text.extend(unknown.iter().map(|line| format!("- {}\n", cell(line))));
        text.push('\n');
    }
    if !report.suppressed.is_empty() {
        text += "<details><summary>Taken out</summary>\n\n";
        text.extend(report.suppressed.iter().map(|taken| {
            format!("- {}: {}\n", cell(&words::title(&taken.found)), cell(&taken.by.explain()))
        }));
        text += "\n</details>\n\n";
    }
    scan.plan.as_ref().map_or(text.clone(), |plan| text + &planned(plan))
}

fn row(found: &Match) -> String {
    let exploited = if found.known_exploited { " (exploited)" } else { "" };
    let by = found.tool.as_ref().map_or_else(|| found.path.join(" → "), |tool| format!("the tool {tool}"));
    format!(
        "| {}{exploited} | {} | {} | {} | {} |\n",
        found.severity,
        cell(&found.id),
        cell(&words::package(found)),
        cell(&words::fix(found)),
        cell(&by)
    )
}

fn summary(scan: &Scan, stamp: &Stamp) -> String {
    let counts = scan.report.counts().into_iter().filter(|(_, count)| *count > 0);
    let counts: Vec<String> = counts
        .map(|(severity, count)| match severity {
            Severity::Unknown => format!("{count} not judged"),
            severity => format!("{count} {severity}"),
        })
        .collect();
    let found = if counts.is_empty() { "No known vulnerabilities".to_owned() } else { counts.join(", ") };
    let complete = if scan.report.is_complete() { "" } else { "; not everything is known" };
    let age = scan
        .report
        .as_of
        .map(|as_of| format!(" (advisories as of {as_of}, {} days old)", as_of.age(stamp.today)));
    format!("{found}{complete}{}.", age.unwrap_or_default())
}

fn planned(plan: &Plan) -> String {
    let steps = plan.steps.iter().enumerate().map(|(at, step)| planned_step(at + 1, step));
    let remains = plan
        .remains
        .iter()
        .map(|left| format!("- stays: {} in {}: {}\n", cell(&left.id), cell(&left.package), cell(&left.why)));
    let heading = "### What to change\n\n".to_owned();
    std::iter::once(heading).chain(steps).chain(remains).collect()
}

fn planned_step(number: usize, step: &Step) -> String {
    let mut text = format!("{number}. {} (removes {})\n", cell(&step.what), step.removes.len());
    text.extend(step.caution.iter().map(|caution| format!("   *{}*\n", cell(caution))));
    if let Some(edit) = &step.edit {
        let lines = edit.lines().map(|line| format!("       {}\n", plain(line)));
        text.extend(std::iter::once("\n".to_owned()).chain(lines).chain(["\n".to_owned()]));
    }
    text
}
