//! What several rules ask about the project.

use kiln_dockerfile::{Command, Copy};
use kiln_node::PackageJson;

use crate::model::{Action, StageModel, Step, package_command};
use crate::{Subject, shell};

/// Programs of packages for development whose names differ from their packages'.
const TOOLS: [(&str, &str); 22] = [
    ("tsc", "typescript"),
    ("nest", "@nestjs/cli"),
    ("ng", "@angular/cli"),
    ("vue-cli-service", "@vue/cli-service"),
    ("remix", "@remix-run/dev"),
    ("react-router", "@react-router/dev"),
    ("svelte-kit", "@sveltejs/kit"),
    ("webpack", "webpack-cli"),
    ("babel", "@babel/cli"),
    ("swc", "@swc/cli"),
    ("ncc", "@vercel/ncc"),
    ("nx", "nx"),
    ("tsc-alias", "tsc-alias"),
    ("run-s", "npm-run-all"),
    ("run-p", "npm-run-all"),
    ("prisma", "prisma"),
    ("husky", "husky"),
    ("lerna", "lerna"),
    ("turbo", "turbo"),
    ("patch-package", "patch-package"),
    ("electron-builder", "electron-builder"),
    ("ts-node", "ts-node"),
];

/// The package that has a program.
fn package_of(program: &str) -> &str {
    TOOLS.iter().find(|(tool, _)| *tool == program).map_or(program, |(_, package)| package)
}

/// The program of a script that only packages for development bring.
pub(crate) fn development_tool(script: &str, package: &PackageJson) -> Option<&'static str> {
    let script = shell::parse(script);
    let name = script.commands.iter().find_map(|command| {
        let name = package_of(command.program());
        let is_dev = package.dev_dependencies.contains_key(name) && !package.dependencies.contains_key(name);
        // `x || true` may fail.
        is_dev.then(|| name.to_owned())
    })?;
    let known = TOOLS.iter().find(|(_, package)| *package == name).map(|(tool, _)| *tool);
    Some(known.unwrap_or("a package for development"))
}

/// Whether a program belongs to a package that the project depends on.
pub(crate) fn tool_is_own(program: &str, package: &PackageJson) -> bool {
    let name = package_of(program);
    package.dependencies.contains_key(name) || package.dev_dependencies.contains_key(name)
}

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
pub(crate) fn handovers<'a>(subject: &'a Subject<'_>) -> Vec<Handover<'a, 'a>> {
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
