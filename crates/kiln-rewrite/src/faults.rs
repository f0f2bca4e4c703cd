//! Why a file is rewritten. A file without any of these is left as it is.

use kiln_dockerfile::{Form, Healthcheck, Reference};
use kiln_lint::facts::{dead_name, node_major};

use crate::commands::Step;
use crate::{Fault, Project, Recipe, RewriteTarget};

pub(crate) fn faults(project: &Project, recipe: &Recipe, wanted: Option<&RewriteTarget>) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut add = |line: Option<u32>, what: String| faults.push(Fault { line, what });
    runtime(recipe, wanted, &mut add);
    user(recipe, &mut add);
    for ran in &recipe.runs {
        let line = Some(ran.line);
        match &ran.step {
            Step::Install { is_frozen: false, .. } => {
                let lock = project.lock_name().unwrap_or("the lock file");
                add(line, format!("the install may change what {lock} says"));
            }
            Step::Install { omits_dev: false, .. } if recipe.is_final(ran.stage) && has_dev(project) => {
                add(line, "packages for development reach the image".to_owned());
            }
            Step::Build(_) if recipe.is_final(ran.stage) => {
                add(line, "what builds the app is in the image that runs it".to_owned());
            }
            Step::Packages { names, .. }
                if recipe.is_final(ran.stage) && names.iter().any(|name| is_compiler(name)) =>
            {
                add(line, "compilers reach the image".to_owned());
            }
            Step::Credential(_) => add(line, "a credential is written into a layer".to_owned()),
            _ => {}
        }
    }
    let whole = recipe.copies.iter().find(|copied| {
        let is_context = copied.from.is_none()
            && copied.sources.iter().any(|source| matches!(source.as_str(), "." | "./"));
        let is_stage = matches!(copied.from, Some(Reference::Stage(_)))
            && copied.sources.iter().any(|source| *source == recipe.workdir || source == ".");
        recipe.is_final(copied.stage) && (is_context || is_stage)
    });
    if let Some(whole) = whole {
        add(Some(whole.line), "everything is copied into the image, needed or not".to_owned());
    }
    for secret in &recipe.secrets {
        add(Some(secret.line), format!("{} stays in the history of the image", secret.name));
    }
    if recipe.node_env.as_deref() != Some("production") {
        add(None, "NODE_ENV is not production when the app runs".to_owned());
    }
    start(recipe, &mut add);
    faults.dedup();
    faults
}

fn has_dev(project: &Project) -> bool {
    !project.facts.package.dev_dependencies.is_empty()
}

fn is_compiler(name: &str) -> bool {
    crate::package_lists::purpose(name) == crate::package_lists::Purpose::Compile
}

type Add<'a> = &'a mut dyn FnMut(Option<u32>, String);

fn runtime(recipe: &Recipe, wanted: Option<&RewriteTarget>, add: Add<'_>) {
    let (image, base) = (&recipe.run.name, recipe.run.base);
    if let Some(target) = wanted
        && !target.is_run_by(image, base)
    {
        add(None, format!("the image is based on {}, not on what --to {} asks for", image.name, target.name));
        return;
    }
    if base.is_some_and(|base| base.is_fat) {
        add(None, format!("{} carries compilers, git and hundreds of packages into the image", image.name));
    } else if base.is_none_or(|base| base.node_path.is_none()) {
        add(None, format!("{} is no image for Node", image.name));
    }
    if let Some((dead, _)) = dead_name(image) {
        add(None, format!("{} {}", image.name, dead.why));
    }
    let (build, run) = (recipe.build.base, recipe.run.base);
    if let (Some(build), Some(run)) = (build, run)
        && build.libc != run.libc
    {
        add(None, "what is built for one C library runs with another".to_owned());
    }
    if let (Some(build), Some(run)) = (node_major(&recipe.build.name), node_major(image))
        && build != run
    {
        add(None, format!("built with Node {build}, run with Node {run}"));
    }
}

fn user(recipe: &Recipe, add: Add<'_>) {
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty();
    let user = recipe.user.as_deref().map(|user| user.split(':').next().unwrap_or_default());
    let is_root = match user {
        Some(user) => matches!(user, "0" | "root"),
        None => recipe.run.base.is_none_or(|base| base.uid == 0),
    };
    if is_root {
        add(None, "the app runs as root".to_owned());
    } else if let Some(user) = user.filter(|user| !is_number(user)) {
        add(None, format!("the user `{user}` is a name, which an orchestrator cannot check"));
    }
}

fn start(recipe: &Recipe, add: Add<'_>) {
    for set in [&recipe.entrypoint, &recipe.cmd].into_iter().flatten() {
        match &set.value {
            Form::Shell(_) => {
                add(Some(set.line), "a shell starts the app and keeps signals for itself".to_owned());
            }
            Form::Exec(words) => {
                let first = words.first().map_or("", |word| word.value.as_str());
                let name = first.rsplit('/').next().unwrap_or(first);
                if matches!(name, "npm" | "yarn" | "pnpm" | "npx" | "pm2" | "pm2-runtime" | "nodemon") {
                    add(Some(set.line), format!("{name} starts the app and hands on no signals"));
                }
            }
        }
    }
    let has_node_entry = recipe.entrypoint.is_none()
        && recipe
            .run
            .base
            .is_some_and(|base| !base.wraps && base.entrypoint.iter().any(|word| word.ends_with("node")));
    let is_node = recipe
        .cmd
        .as_ref()
        .and_then(|cmd| cmd.value.exec())
        .is_some_and(|words| words.first() == Some(&"node"));
    if has_node_entry && is_node {
        let line = recipe.cmd.as_ref().map(|cmd| cmd.line);
        add(line, "the entrypoint is node already: `node node …` starts nothing".to_owned());
    }
    if recipe.entrypoint.is_none() && recipe.cmd.is_none() {
        add(None, "nothing says what to start".to_owned());
    }
    if let Some(set) = &recipe.health
        && let Healthcheck::Command(check) = &set.value
        && !recipe.run.base.is_some_and(|base| base.shell)
        && matches!(check.form, Form::Shell(_))
    {
        add(Some(set.line), "the health check needs a shell, and there is none".to_owned());
    }
}
