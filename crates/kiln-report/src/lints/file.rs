use kiln_dockerfile::Span;
use kiln_lint::{Finding, Linted};

/// A Dockerfile that was looked at.
#[derive(Clone, Copy)]
pub struct LintedFile<'a> {
    /// As the user named it, or as it was found.
    pub path: &'a str,
    /// What lies around it was looked at, too.
    pub has_context: bool,
    /// What is wrong.
    pub linted: &'a Linted,
}

impl std::fmt::Debug for LintedFile<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LintedFile").field("path", &self.path).finish_non_exhaustive()
    }
}

impl LintedFile<'_> {
    /// Line and column of the start and of the end, which count from 1.
    pub(super) fn place(&self, span: Span) -> [(u32, u32); 2] {
        let file = &self.linted.file;
        [span.start, span.end].map(|at| {
            let position = file.lines.position(&file.text, at);
            (position.line, position.column)
        })
    }

    /// What is wrong, and what to change, where that is said.
    pub(super) fn told(finding: &Finding, between: &str) -> String {
        let help = finding.help.as_ref().map(|help| format!("{between}{}", crate::clean::line(help)));
        crate::clean::line(&finding.message) + &help.unwrap_or_default()
    }
}

/// The id and the slug of the rule.
pub(super) fn rule(finding: &Finding) -> String {
    format!("{} {}", finding.id, finding.slug)
}
