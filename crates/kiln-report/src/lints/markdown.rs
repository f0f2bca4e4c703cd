use kiln_lint::Finding;

use super::LintedFile;
use crate::Stamp;
use crate::documents::markdown::escape;

/// A table per file.
pub(crate) fn render(files: &[LintedFile<'_>], _: &Stamp) -> String {
    files.iter().map(of_file).collect::<Vec<_>>().join("\n")
}

fn of_file(file: &LintedFile<'_>) -> String {
    let head = format!("## Dockerfile {}\n\n", escape(file.path));
    let findings = &file.linted.findings;
    let allowed = file.linted.allowed.len();
    let allowed = if allowed > 0 { format!("\n{allowed} allowed by comments.\n") } else { String::new() };
    if findings.is_empty() {
        return head + "Nothing to say.\n" + &allowed;
    }
    let table = "| Level | Rule | Line | What | Fix |\n|---|---|---|---|---|\n";
    head + table + &findings.iter().map(|finding| row(file, finding)).collect::<String>() + &allowed
}

fn row(file: &LintedFile<'_>, finding: &Finding) -> String {
    let [(line, _), _] = file.place(finding.span);
    let fix = finding.fix.as_ref().map(|fix| &fix.title).or(finding.help.as_ref());
    format!(
        "| {} | {} {} | {line} | {} | {} |\n",
        finding.level.as_str(),
        finding.id,
        finding.slug,
        escape(&finding.message),
        fix.map(|fix| escape(fix)).unwrap_or_default()
    )
}
