use std::collections::BTreeSet;

use serde::Serialize;

use crate::pragma::Called;
use crate::{Level, LintSettings, LintSubject, Profile, Repair, Sink};

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
    pub check: fn(&LintSubject<'_>, &mut Sink<'_>),
}

impl Rule {
    /// Whether it is asked.
    pub fn is_asked(&self, settings: &LintSettings) -> bool {
        let named = |set: &BTreeSet<String>| set.contains(self.id) || set.contains(self.slug);
        if named(&settings.disable) {
            return false;
        }
        named(&settings.enable)
            || match self.asked {
                Asked::Always => true,
                Asked::Docker => settings.profile == Some(Profile::Docker),
                Asked::Kubernetes => settings.profile == Some(Profile::Kubernetes),
                Asked::Named => false,
            }
    }

    /// What comments may call it.
    pub(crate) fn called(&self) -> Called {
        Called { id: self.id, slug: self.slug, aliases: self.aliases }
    }
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
