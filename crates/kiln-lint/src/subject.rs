use kiln_dockerfile::Dockerfile;

use crate::model::Model;
use crate::pragma::Called;
use crate::{Context, LintSettings};

/// What rules look at.
pub struct LintSubject<'a> {
    /// The file.
    pub file: &'a Dockerfile,
    /// What it does.
    pub model: &'a Model<'a>,
    /// What lies around it, where that is known.
    pub context: Option<&'a Context>,
    /// What is asked.
    pub settings: &'a LintSettings,
    /// What the rules are called.
    pub(crate) rules: &'a [Called],
}
