use std::path::Path;

use kiln_app::Around;
use kiln_finding::Failure;
use kiln_lint::Context;
use kiln_node::LockKind;

/// What lies around a Dockerfile, as the rules ask for it.
pub(super) fn collect(
    dockerfile: &Path,
    text: &str,
    named: Option<&Path>,
) -> Result<Option<Context>, Failure> {
    Ok(Around::collect(dockerfile, text, named)?.map(context))
}

fn context(around: Around) -> Context {
    let Around { facts, ignore, .. } = around;
    let is_there = |kind: &LockKind| facts.lock_files.iter().any(|name| name == kind.file_name());
    let is_started = |path: &str| !path.contains("test") && !path.contains("config");
    let sources = facts.sources.into_iter().map(|(path, text)| (path.to_string(), text));
    Context {
        package: around.has_package.then_some(facts.package),
        // No rule knows bun.
        lock_kinds: LockKind::ALL
            .into_iter()
            .filter(|kind| *kind != LockKind::Bun)
            .filter(is_there)
            .collect(),
        lock: facts.lock.map(|(_, lock)| lock),
        ignore: ignore.map(|found| found.ignore),
        files: facts.files.iter().map(ToString::to_string).collect(),
        is_complete: around.is_complete,
        workspaces: around.workspaces,
        sources: sources.filter(|(path, _)| is_started(path)).collect(),
        allows_scripts: around.package_text.contains("\"allowScripts\""),
    }
}
