//! The app's own scripts that a package manager runs when it installs.

use kiln_node::{AppFacts, Command, Manager, PackageJson, commands, is_for_desk};

use crate::{Overrides, Reason, Step};

/// What a package manager runs once packages are there, in this order; each stands for those that it runs along. Source: npm docs,
/// "scripts", life cycle of `npm ci`.
const ORDER: [(&str, &[&str]); 4] = [
    ("install", &["preinstall", "postinstall"]),
    ("preinstall", &[]),
    ("postinstall", &[]),
    ("prepare", &[]),
];
/// The steps that run them over the installed packages, with a reason for each that does and each that does not.
pub(crate) fn steps(
    facts: &AppFacts,
    manager: Manager,
    overrides: &Overrides,
    reasons: &mut Vec<Reason>,
) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut run_along: Vec<&str> = Vec::new();
    for (name, along) in ORDER {
        let projects: Vec<(&str, &PackageJson)> = facts
            .projects()
            .filter(|(_, package)| package.scripts.contains_key(name))
            .filter(|_| !run_along.contains(&name))
            .collect();
        for (folder, package) in projects {
            let script = package.scripts.get(name).map_or("", String::as_str);
            let shown = if folder.is_empty() { name.to_owned() } else { format!("{name} of {folder}") };
            if overrides.skip_scripts.iter().any(|skipped| skipped == name) {
                let because = "[build] skip-scripts in kiln.toml names it";
                reasons.push(Reason::told("own scripts", format!("{shown} is not run"), because));
            } else if let Some(why) = set_aside(script, package) {
                reasons.push(Reason::new("own scripts", format!("{shown} is not run"), why));
            } else {
                let step = run(manager, name, folder, package);
                let because = format!("it is `{script}`, which an install runs");
                reasons.push(Reason::new("own scripts", step.argv.join(" "), because));
                steps.push(step);
                run_along.extend(along);
            }
        }
    }
    steps
}

fn run(manager: Manager, script: &str, folder: &str, package: &PackageJson) -> Step {
    let name = package.name.as_deref().unwrap_or(folder);
    Step::new(&match (manager, folder) {
        (_, "") => format!("{} run {script}", manager.as_str()),
        (Manager::Npm, _) => format!("npm run {script} --workspace {folder}"),
        (Manager::Pnpm, _) => format!("pnpm --dir {folder} run {script}"),
        (Manager::Yarn, _) => format!("yarn workspace {name} run {script}"),
        (Manager::Bun, _) => format!("bun --cwd {folder} run {script}"),
    })
}

/// Why a script has nothing to do in a build; `None` where it runs.
fn set_aside(script: &str, package: &PackageJson) -> Option<String> {
    let commands = commands(script).ok()?;
    let is_idle = |command: &Command| {
        let words: Vec<String> = command.words.iter().map(ToString::to_string).collect();
        is_for_desk(&words.join(" "))
    };
    if commands.iter().all(is_idle) {
        return Some(format!("`{script}` is for the desks of those who work on the app"));
    }
    let is_build = package.scripts.get("build").is_some_and(|build| build == script)
        || ["npm run build", "pnpm run build", "pnpm build", "yarn build", "yarn run build", "bun run build"]
            .contains(&script);
    is_build.then(|| format!("`{script}` is the build, which runs anyway"))
}
