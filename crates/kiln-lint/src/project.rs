//! What several rules ask about the project.

use kiln_dockerfile::{Command, Copy};

use crate::LintSubject;
use crate::model::{Action, StageModel, Step, package_command};

/// Whether a stage runs a script of package.json other than `start`.
pub(crate) fn runs_build(stage: &StageModel<'_>) -> bool {
    stage.steps.iter().flat_map(Step::commands).any(|command| {
        package_command(command).is_some_and(|package| {
            package.action == Action::Script
                && package.verb.is_none_or(|verb| !matches!(verb.value.as_str(), "start" | "test"))
        })
    })
}

/// Installed packages that one stage copies from another.
pub(crate) struct Handover<'a, 'b> {
    /// Where they were installed.
    pub(crate) source: &'a StageModel<'b>,
    /// Where they are used.
    pub(crate) stage: &'a StageModel<'b>,
    /// The `COPY`.
    pub(crate) step: &'a Step<'b>,
}

/// Every [`Handover`], in the order of the file.
pub(crate) fn handovers<'a>(subject: &'a LintSubject<'_>) -> Vec<Handover<'a, 'a>> {
    let steps = subject.model.steps();
    let found = steps.filter_map(|(stage, step)| {
        let Command::Copy(copy) = &step.instruction.command else { return None };
        let source = subject.model.copied_from(step)?;
        takes_node_modules(copy, source).then_some(Handover { source, stage, step })
    });
    found.collect()
}

/// Whether `COPY --from` takes installed packages.
fn takes_node_modules(copy: &Copy, source: &StageModel<'_>) -> bool {
    let installs = source
        .steps
        .iter()
        .flat_map(Step::commands)
        .any(|command| package_command(command).is_some_and(|package| package.is_install()));
    copy.transfer.paths().any(|path| {
        let path = source.end.resolve(&path.value);
        path.ends_with("/node_modules")
            || path.contains("/node_modules/")
            || (installs && path == source.end.workdir)
    })
}
