use kiln_dockerfile::{Dockerfile, parse};

use crate::model::Model;
use crate::pragma::{Called, Pragmas};
use crate::{Context, Finding, LintSettings, LintSubject, RULES, Sink};

/// A file and what is wrong with it.
pub struct Linted {
    /// The file.
    pub file: Dockerfile,
    /// What is wrong, in the order of the text.
    pub findings: Vec<Finding>,
    /// What is wrong, and allowed by a comment.
    pub allowed: Vec<Finding>,
}

/// Asks every rule that `settings` ask about a Dockerfile.
pub fn lint(text: &str, context: Option<&Context>, settings: &LintSettings) -> Linted {
    let file = parse(text);
    let called: Vec<Called> = RULES.iter().map(|rule| rule.called()).collect();
    let mut findings = Vec::new();
    {
        let model = Model::new(&file, settings.target.as_deref());
        let subject = LintSubject { file: &file, model: &model, context, settings, rules: &called };
        for rule in RULES.iter().filter(|rule| rule.is_asked(settings)) {
            let mut sink = Sink { rule: (rule.id, rule.slug, rule.level), findings: &mut findings };
            (rule.check)(&subject, &mut sink);
        }
    }
    for finding in &mut findings {
        if let Some(level) = settings.levels.get(finding.id) {
            finding.level = *level;
        }
    }
    let pragmas = Pragmas::read(&file);
    let (allowed, mut findings): (Vec<Finding>, Vec<Finding>) =
        findings.into_iter().partition(|finding| pragmas.allow(&file, finding, &called));
    findings.sort_by(|a, b| (a.span, a.id, &a.message).cmp(&(b.span, b.id, &b.message)));
    findings.dedup();
    Linted { file, findings, allowed }
}

impl Linted {
    /// The highest level there is.
    pub fn worst(&self) -> Option<crate::Level> {
        self.findings.iter().map(|finding| finding.level).max()
    }
}
