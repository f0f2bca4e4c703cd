use kiln_finding::Failure;
use kiln_lint::{LintSettings, Profile, RULES};
use serde::Deserialize;

/// `[lint]` of kiln.toml, and the same on the command line.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Choice {
    /// Where the image will run: `docker` or `kubernetes`.
    pub(crate) profile: Option<Profile>,
    /// Ids or slugs of rules to ask besides.
    pub(crate) enable: Vec<String>,
    /// Ids or slugs of rules not to ask.
    pub(crate) disable: Vec<String>,
}

impl Choice {
    /// What is asked today.
    pub(crate) fn settings(&self) -> Result<LintSettings, Failure> {
        let mut settings = LintSettings::new(jiff::Timestamp::now().strftime("%Y-%m-%d").to_string());
        settings.profile = self.profile;
        for (names, set) in [(&self.enable, &mut settings.enable), (&self.disable, &mut settings.disable)] {
            for name in names {
                let rule = RULES.iter().find(|rule| rule.id.eq_ignore_ascii_case(name) || rule.slug == name);
                let rule = rule.ok_or_else(|| {
                    let known = RULES.iter().flat_map(|rule| [rule.id, rule.slug]);
                    let guess = kiln_finding::did_you_mean(name, known);
                    let failure = Failure::usage(format!("find a rule called `{name}`"));
                    failure.with_help(guess.unwrap_or_else(|| "`kiln explain` lists the ids".to_owned()))
                })?;
                set.insert(rule.id.to_owned());
            }
        }
        Ok(settings)
    }
}
