use kiln_lint::Level;

use super::LintedFile;

/// How much is wrong, in one line for people.
pub fn summary(files: &[LintedFile<'_>]) -> String {
    let findings = || files.iter().flat_map(|file| &file.linted.findings);
    let count = |level| findings().filter(|finding| finding.level == level).count();
    let looked = if files.len() == 1 { "1 file".to_owned() } else { format!("{} files", files.len()) };
    let found: Vec<String> = [(Level::Error, "error"), (Level::Warning, "warning"), (Level::Info, "note")]
        .into_iter()
        .map(|(level, name)| (count(level), name))
        .filter(|(count, _)| *count > 0)
        .map(|(count, name)| format!("{count} {name}{}", if count == 1 { "" } else { "s" }))
        .collect();
    let found = if found.is_empty() { "nothing to say".to_owned() } else { found.join(", ") };
    let fixable = findings().filter(|finding| finding.fix.is_some()).count();
    let help = if fixable > 0 {
        format!(
            "; `kiln lint --fix` repairs some of it ({fixable} with --unsafe), `kiln explain ID` says why"
        )
    } else {
        String::new()
    };
    format!("{looked}: {found}{help}")
}
