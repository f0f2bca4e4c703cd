use serde::Serialize;

use crate::{Level, Subject, report::Sink};

/// One rule: a static in a file of its own, listed in [`crate::RULES`].
pub struct Rule {
    /// `DF` or `NA` and three digits; never reused.
    pub id: &'static str,
    /// Reads after "allow …".
    pub slug: &'static str,
    /// What is wrong where it fires, in one line.
    pub title: &'static str,
    /// How much it matters, unless a finding says otherwise.
    pub level: Level,
    /// Who asks it.
    pub asked: Asked,
    /// Whether kiln can repair it.
    pub repair: Repair,
    /// The ids that other tools have for it, for their pragmas.
    pub aliases: &'static [&'static str],
    /// The user's page about it, in Markdown.
    pub page: &'static str,
    /// The rule itself.
    pub check: fn(&Subject<'_>, &mut Sink<'_>),
}

/// When a rule is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Asked {
    /// Always.
    Always,
    /// Only with the profile `docker`: an orchestrator does it otherwise.
    Docker,
    /// Only with the profile `kubernetes`.
    Kubernetes,
    /// Only when it is named: right in some houses, noise in others.
    Named,
}

/// What kiln can do about a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Repair {
    /// Nothing by itself.
    None,
    /// An edit that changes nothing but what is wrong.
    Safe,
    /// An edit that may change what the image does; for `--unsafe`.
    Unsafe,
    /// The structure must change; the rewrite does that.
    Rewrite,
}
