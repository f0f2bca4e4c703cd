//! What `kiln explain` knows: checks, rules, findings of scans, codes of errors, and what other tools call them.

use kiln_lint::RULES;
use kiln_policy::CHECKS;

/// Codes of errors, each with a sentence.
const CODES: &str = include_str!("../data/codes.tsv");
/// What scans and verifications find that is no vulnerability, each with what it means.
const FINDINGS: &str = include_str!("../data/findings.tsv");
/// Names that other tools have for checks, with the tool and the check. Those for rules stand at the rules. Source: Docker Scout's
/// documentation, "Policy Evaluation", and its policies' ids since 1.23.
const ELSEWHERE: &str = include_str!("../data/elsewhere.tsv");

/// Something that can be explained.
pub(crate) struct Topic {
    pub(crate) id: &'static str,
    /// In one line.
    pub(crate) title: &'static str,
    /// A page in Markdown, where there is more to say than the title.
    pub(crate) page: Option<&'static str>,
}

/// Topics of one kind.
pub(crate) struct Chapter {
    /// As JSON names it.
    pub(crate) kind: &'static str,
    pub(crate) title: &'static str,
    pub(crate) topics: Vec<Topic>,
}

/// All that can be explained.
pub(crate) fn chapters() -> Vec<Chapter> {
    let checks =
        CHECKS.iter().map(|check| Topic { id: check.id, title: check.title, page: Some(check.page) });
    let rules = RULES.iter().map(|rule| Topic { id: rule.id, title: rule.title, page: Some(rule.page) });
    let chapter = |kind, title, topics| Chapter { kind, title, topics };
    vec![
        chapter("check", "Checks of the scorecard", checks.collect()),
        chapter("rule", "Rules about Dockerfiles and the Node projects around them", rules.collect()),
        chapter("finding", "What scans and verifications find", table(FINDINGS)),
        chapter("error", "Errors", table(CODES)),
    ]
}

fn table(text: &'static str) -> Vec<Topic> {
    let topic = |line: &'static str| {
        let (id, title) = line.split_once('\t')?;
        Some(Topic { id, title, page: None })
    };
    text.lines().filter_map(topic).collect()
}

/// The ids that a name stands for: an id of kiln's, a slug, or what another tool calls it.
pub(crate) fn ids(name: &str) -> Vec<&'static str> {
    let is_name = |known: &&str| known.eq_ignore_ascii_case(name);
    let mut ids: Vec<&'static str> = Vec::new();
    let own = chapters().into_iter().flat_map(|chapter| chapter.topics).map(|topic| topic.id);
    ids.extend(own.filter(is_name));
    let checks = CHECKS.iter().filter(|check| is_name(&check.slug)).map(|check| check.id);
    let rules = RULES.iter().filter(|rule| is_name(&rule.slug) || rule.aliases.iter().any(is_name));
    ids.extend(checks.chain(rules.map(|rule| rule.id)));
    ids.extend(elsewhere().filter(|(known, _)| is_name(known)).map(|(_, id)| id));
    ids
}

/// Every name that [`ids`] knows.
pub(crate) fn names() -> Vec<&'static str> {
    let own = chapters().into_iter().flat_map(|chapter| chapter.topics).map(|topic| topic.id);
    let slugs = CHECKS.iter().map(|check| check.slug).chain(RULES.iter().map(|rule| rule.slug));
    let aliases = RULES.iter().flat_map(|rule| rule.aliases).copied();
    own.chain(slugs).chain(aliases).chain(elsewhere().map(|(name, _)| name)).collect()
}

fn elsewhere() -> impl Iterator<Item = (&'static str, &'static str)> {
    ELSEWHERE.lines().filter_map(|line| {
        let mut columns = line.split('\t');
        Some((columns.next()?, columns.nth(1)?))
    })
}

#[cfg(test)]
mod tests;
