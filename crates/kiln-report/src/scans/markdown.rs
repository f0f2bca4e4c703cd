use kiln_vuln::{Match, Plan, Step};

use super::{Scan, words};
use crate::Stamp;
use crate::documents::markdown::{code, escape as cell};

/// For pages and the comments of pull requests.
pub(crate) fn render(scans: &[Scan], stamp: &Stamp) -> String {
    let parts: Vec<String> = scans.iter().map(|scan| of_one(scan, stamp)).collect();
    parts.join("\n").trim_end().to_owned()
}

fn of_one(scan: &Scan, stamp: &Stamp) -> String {
    let report = &scan.report;
    let mut summary = words::summary(scan, stamp);
    if let Some(first) = summary.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    let mut text = format!("## Scan of {}\n\n{summary}.\n\n", cell(&scan.name));
    text.extend(words::notices(scan).map(|notice| format!("*{}*\n\n", cell(&notice))));
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
        text.extend(["\n", &code(edit, 7), "\n"]);
    }
    text
}
