use crate::model::{Action, PackageCommand, StageModel, Step, package_command};
use crate::{Asked, Level, LintSubject, Repair, Rule, Sink};
use kiln_dockerfile::Command;

pub(super) static RULE: Rule = Rule {
    id: "NA012",
    slug: "development_packages",
    title: "Packages for development are shipped, or are missing where the build needs them",
    level: Level::Warning,
    asked: Asked::Always,
    repair: Repair::Rewrite,
    aliases: &[],
    page: include_str!("../../tests/rules/NA012.md"),
    check,
};

fn check(subject: &LintSubject<'_>, sink: &mut Sink<'_>) {
    let Some(context) = subject.context else { return };
    let Some(package) = context.package.as_ref().filter(|package| !package.dev_dependencies.is_empty())
    else {
        return;
    };
    for stage in subject.model.reachable() {
        missing_for_build(stage, package, sink);
    }
    let Some(last) = subject.model.final_stage() else { return };
    // A build in the only stage has a rule of its own.
    let is_single = subject.model.final_chain().count() == 1
        && !last.steps.iter().any(|step| subject.model.copied_from(step).is_some());
    if is_single && crate::project::runs_build(last) {
        return;
    }
    for stage in subject.model.final_chain() {
        if let Some(step) = ships_development(stage) {
            sink.at(step.instruction.head, "packages for development are in the final image").help(
                "install with --omit=dev (npm), --prod (pnpm) or --production (yarn) for the image that runs",
            );
        }
        for step in &stage.steps {
            let Command::Copy(copy) = &step.instruction.command else { continue };
            let takes =
                copy.transfer.paths().any(|path| path.value.trim_end_matches('/').ends_with("node_modules"));
            let Some(source) = subject.model.copied_from(step).filter(|_| takes) else { continue };
            if ships_development(source).is_some() {
                sink.at(step.instruction.head, "the node_modules that are copied hold packages for development")
                    .label(source.instruction.head, "installed in this stage")
                    .help("install again with --omit=dev in a stage of its own, or `npm prune --omit=dev` before copying");
            }
        }
    }
}

fn commands<'m>(stage: &'m StageModel<'_>) -> impl Iterator<Item = (&'m Step<'m>, PackageCommand<'m>)> {
    stage.steps.iter().flat_map(|step| {
        step.commands().iter().filter_map(move |command| Some((step, package_command(command)?)))
    })
}

fn is_production(step: &Step<'_>, package: &PackageCommand<'_>) -> bool {
    let by_env = step.before.env.get("NODE_ENV").is_some_and(|env| env.value == "production")
        || package.command.env.iter().any(|(name, value)| name == "NODE_ENV" && value.value == "production");
    let includes = package
        .command
        .args()
        .iter()
        .any(|arg| matches!(*arg, "--include=dev" | "--production=false" | "--prod=false"));
    package.is_production() || (by_env && !includes)
}

/// The last install of a stage, if it leaves packages for development there.
fn ships_development<'m>(stage: &'m StageModel<'_>) -> Option<&'m Step<'m>> {
    let mut shipped = None;
    for (step, package) in commands(stage) {
        match package.action {
            Action::Install { .. } => shipped = (!is_production(step, &package)).then_some(step),
            Action::Prune => shipped = None,
            _ => {}
        }
    }
    shipped
}

fn missing_for_build(stage: &StageModel<'_>, package: &kiln_node::PackageJson, sink: &mut Sink<'_>) {
    let mut production: Option<&Step<'_>> = None;
    for (step, found) in commands(stage) {
        match found.action {
            Action::Install { .. } => production = is_production(step, &found).then_some(step),
            Action::Script => {
                let Some(install) = production else { continue };
                let words = found.packages();
                let is_run =
                    found.verb.is_some_and(|verb| matches!(verb.value.as_str(), "run" | "run-script"));
                let name = if is_run {
                    words.first().map(|word| word.value.as_str())
                } else {
                    found.verb.map(|verb| verb.value.as_str())
                };
                let Some(script) = name.and_then(|name| package.scripts.get(name)) else { continue };
                let Some(tool) = crate::facts::development_tool(script, package) else { continue };
                sink.at(
                    step.command(found.command),
                    format!(
                        "`{script}` needs {tool}, which is a package for development and is not installed"
                    ),
                )
                .level(Level::Error)
                .label(install.instruction.head, "installed for production here")
                .help("set NODE_ENV=production, or omit packages for development, only after the build");
            }
            _ => {}
        }
    }
}
