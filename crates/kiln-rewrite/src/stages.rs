//! What the new file is made of.

use crate::answer::Obstacle;
use crate::commands::Step;
use crate::health::Check;
use crate::install::Install;
use crate::kept::{Kept, Kind};
use crate::layout::Layout;
use crate::package_lists::{Purpose, is_there, purpose, translate};
use crate::recipe::Ran;
use crate::secrets::variables;
use crate::start::Start;
use crate::target::NodeTag;
use crate::{Project, Recipe, RewriteTarget};

/// The new file, before it is text.
#[derive(Clone, Debug)]
pub(crate) struct Stages<'a> {
    pub(crate) recipe: &'a Recipe,
    pub(crate) target: &'static RewriteTarget,
    pub(crate) node: NodeTag,
    /// The image that installs and builds.
    pub(crate) builder: String,
    /// The image that is shipped on.
    pub(crate) runner: String,
    pub(crate) install: Install,
    pub(crate) has_modules: bool,
    /// Commands of the build, each a `RUN`.
    pub(crate) build: Vec<Build>,
    pub(crate) builds: bool,
    pub(crate) build_kept: Vec<Kept>,
    pub(crate) run_kept: Vec<Kept>,
    /// System packages that the builder gets.
    pub(crate) build_packages: Vec<String>,
    /// System packages that the runtime gets.
    pub(crate) run_packages: Vec<String>,
    /// Comments of the instructions that installed them.
    pub(crate) package_comments: Vec<String>,
    /// Programs that the build uses and package.json does not list.
    pub(crate) tools: Vec<String>,
    /// Settings of the package manager.
    pub(crate) settings: Vec<String>,
    pub(crate) layout: Layout,
    /// Folders that the app writes to.
    pub(crate) state: Vec<String>,
    pub(crate) health: Option<Check>,
    pub(crate) start: Start,
    /// Ids of secrets that the install is given, with their variables.
    pub(crate) secrets: Vec<String>,
    /// The app's `.npmrc` is given as a secret.
    pub(crate) secret_npmrc: bool,
    /// Lines of the runtime stage that need its shell.
    pub(crate) system: Vec<String>,
    /// The app needs a program that hands on signals.
    pub(crate) has_init: bool,
}

/// A command of the build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Build {
    pub(crate) text: String,
    pub(crate) comments: Vec<String>,
}

/// The commands that build, in order, each once.
pub(crate) fn builds(recipe: &Recipe, install: &Install, manager: &str) -> Vec<Build> {
    let mut builds: Vec<Build> = Vec::new();
    for name in install.own_scripts.iter().filter(|name| *name != "prepare" || !has_build(recipe)) {
        let text = format!("RUN {manager} run {name}");
        builds.push(Build { text, comments: Vec::new() });
    }
    let is_script_change = |text: &str| text.starts_with("chmod ");
    for Ran { step, comments, whole, .. } in &recipe.runs {
        let Step::Build(text) = step else { continue };
        if is_script_change(text) {
            continue;
        }
        let text = whole.clone().unwrap_or_else(|| format!("RUN {text}"));
        if !builds.iter().any(|known| known.text == text) {
            builds.push(Build { text, comments: comments.clone() });
        }
    }
    builds
}

fn has_build(recipe: &Recipe) -> bool {
    recipe.runs.iter().any(|ran| matches!(ran.step, Step::Build(_)))
}

/// System packages: those the builder needs, those the runtime needs, and whether one hands on signals.
#[derive(Default)]
pub(crate) struct SystemPackages {
    pub(crate) build: Vec<String>,
    pub(crate) run: Vec<String>,
    pub(crate) has_init: bool,
    /// Comments above those that run.
    pub(crate) comments: Vec<String>,
    /// Those of the final image that are left out.
    pub(crate) dropped: Vec<String>,
}

pub(crate) fn system_packages(
    recipe: &Recipe,
    target: &RewriteTarget,
    natives: &[String],
    builds: &[Build],
) -> Result<SystemPackages, Vec<Obstacle>> {
    let mut found = SystemPackages::default();
    let mut obstacles = Vec::new();
    for Ran { step, line, stage, comments, .. } in &recipe.runs {
        let Step::Packages { manager, names } = step else { continue };
        if names.iter().any(|name| purpose(name) == Purpose::Run) && recipe.is_final(*stage) {
            found.comments.extend(comments.iter().cloned());
        }
        for name in names {
            let is_left_out = matches!(purpose(name), Purpose::None | Purpose::Fetch | Purpose::Compile);
            if is_left_out && recipe.is_final(*stage) && !found.dropped.contains(name) {
                found.dropped.push(name.clone());
            }
            let at = |why: String| Obstacle::at(*line, &why);
            match purpose(name) {
                Purpose::None => {}
                Purpose::Init => found.has_init |= recipe.is_final(*stage),
                Purpose::Fetch => {
                    if builds.iter().any(|build| build.text.contains(name.as_str())) {
                        found.build.push(name.clone());
                    }
                }
                Purpose::Compile if natives.is_empty() => {}
                Purpose::Compile if !name.ends_with("-dev") => {}
                Purpose::Compile => {
                    obstacles.push(at(format!(
                        "an addon links to {name}, whose library must be in the runtime, too"
                    )));
                }
                Purpose::Run if !recipe.is_final(*stage) => {
                    let own = if target.os == "alpine" { "apk" } else { "apt" };
                    match translate(name, manager, own) {
                        Some(name) => found.build.push(name),
                        None => obstacles.push(at(format!(
                            "it installs {name} with {manager}, and {} has other names",
                            target.name
                        ))),
                    }
                }
                Purpose::Run if is_there(name, target) => {}
                Purpose::Run => match target.packages.as_deref().map(|own| translate(name, manager, own)) {
                    Some(Some(name)) => found.run.push(name),
                    Some(None) => {
                        let why =
                            format!("it installs {name} with {manager}, and {} has other names", target.name);
                        obstacles.push(at(why));
                    }
                    None => obstacles.push(at(format!(
                        "the app needs {name}, and {} has no package manager",
                        target.name
                    ))),
                },
            }
        }
    }
    for list in [&mut found.build, &mut found.run] {
        list.sort();
        list.dedup();
    }
    if obstacles.is_empty() { Ok(found) } else { Err(obstacles) }
}

/// Folders that the app writes to: made, given away or declared as volumes.
pub(crate) fn state(project: &Project, recipe: &Recipe, layout: &Layout) -> Vec<String> {
    let mut folders: Vec<String> = recipe.volumes.clone();
    for ran in recipe.final_runs() {
        let (named, is_made) = match &ran.step {
            Step::Folders(named) => (named, true),
            Step::Owner(named) => (named, false),
            _ => continue,
        };
        for folder in named {
            let path = crate::recipe::absolute(&ran.workdir, folder);
            let below = path.strip_prefix(&format!("{}/", recipe.workdir)).map(str::to_owned);
            let is_code = below
                .as_ref()
                .is_some_and(|below| project.has_folder(below) && !is_made || project.has(below));
            let is_module = path.contains("node_modules");
            let is_system = ["/usr", "/root", "/home", "/tmp", "/etc", "/opt/app-root"]
                .iter()
                .any(|system| path == *system || path.starts_with(&format!("{system}/")));
            let is_around =
                path == recipe.workdir || recipe.workdir.starts_with(&format!("{path}/")) || path == "/";
            if !is_code && !is_module && !is_around && (below.is_some() || !is_system) {
                folders.push(path);
            }
        }
    }
    if layout.outputs.iter().any(|output| output == ".next") || layout.is_standalone {
        folders.push(format!("{}/.next/cache", recipe.workdir.trim_end_matches('/')));
    }
    folders.sort();
    folders.dedup();
    // A folder in another one comes with it.
    let all = folders.clone();
    folders.retain(|folder| {
        !all.iter().any(|other| folder != other && folder.starts_with(&format!("{other}/")))
    });
    folders
}

/// What stays of `ARG` and `ENV`, by the stage that uses it.
pub(crate) fn split(recipe: &Recipe, builds: bool) -> (Vec<Kept>, Vec<Kept>) {
    let mut build: Vec<Kept> = Vec::new();
    let mut run: Vec<Kept> = Vec::new();
    if builds {
        build.extend(recipe.build_kept.iter().cloned());
    }
    let is_single =
        recipe.runs.iter().any(|ran| recipe.is_final(ran.stage) && matches!(ran.step, Step::Build(_)));
    for kept in &recipe.kept {
        if builds && is_single && kept.names.iter().any(|name| is_inlined(name)) {
            build.push(kept.clone());
            continue;
        }
        let used = |kept: &Kept, by: &[Kept]| {
            by.iter().any(|other| variables(&other.text).iter().any(|name| kept.names.contains(name)))
        };
        match kept.kind {
            Kind::Arg => {
                if used(kept, &recipe.kept) {
                    run.push(kept.clone());
                }
                let is_used_at_run = used(kept, &recipe.kept);
                if builds && is_single && (!is_used_at_run || used(kept, &build)) {
                    build.push(kept.clone());
                }
            }
            Kind::Env => {
                let is_for_build = kept.names.iter().any(|name| is_public(name));
                if builds && is_single && (is_for_build || uses_arg(kept, recipe)) {
                    build.extend(
                        recipe
                            .kept
                            .iter()
                            .filter(|arg| arg.kind == Kind::Arg && used(arg, std::slice::from_ref(kept)))
                            .cloned(),
                    );
                    build.push(kept.clone());
                }
                run.push(kept.clone());
            }
            _ => run.push(kept.clone()),
        }
    }
    for list in [&mut build, &mut run] {
        let mut seen: Vec<String> = Vec::new();
        list.retain(|kept| {
            let is_new = !seen.contains(&kept.text);
            seen.push(kept.text.clone());
            is_new
        });
    }
    (build, run)
}

fn uses_arg(kept: &Kept, recipe: &Recipe) -> bool {
    let names = variables(&kept.text);
    recipe
        .kept
        .iter()
        .any(|other| other.kind == Kind::Arg && other.names.iter().any(|name| names.contains(name)))
}

/// Variables whose values the build writes into the app, so that they mean nothing later.
fn is_inlined(name: &str) -> bool {
    ["NEXT_PUBLIC_", "VITE_", "REACT_APP_", "GATSBY_"].iter().any(|start| name.starts_with(start))
}

/// Variables that bundlers look at.
fn is_public(name: &str) -> bool {
    ["NEXT_", "VITE_", "REACT_APP_", "NUXT_", "PUBLIC_", "GATSBY_"]
        .iter()
        .any(|start| name.starts_with(start))
}

/// Global programs that the build calls, and that no manifest lists.
pub(crate) fn tools(project: &Project, recipe: &Recipe, builds: &[Build]) -> Vec<String> {
    let mut tools: Vec<String> = Vec::new();
    for ran in &recipe.runs {
        let Step::Tools(names) = &ran.step else { continue };
        for name in names {
            let bare = name
                .char_indices()
                .skip(1)
                .find(|(_, c)| *c == '@')
                .map_or(name.as_str(), |(at, _)| &name[..at]);
            let program = match bare {
                "typescript" => "tsc",
                "@nestjs/cli" => "nest",
                "@angular/cli" => "ng",
                other => other.rsplit('/').next().unwrap_or(other),
            };
            if !project.depends_on(bare)
                && builds.iter().any(|build| build.text.contains(program))
                && !tools.contains(name)
            {
                tools.push(name.clone());
            }
        }
    }
    tools
}

pub(crate) fn settings(recipe: &Recipe) -> Vec<String> {
    let mut settings: Vec<String> = Vec::new();
    for ran in &recipe.runs {
        if let Step::Setting(text) = &ran.step
            && !settings.contains(text)
            && !text.contains("unsafe-perm")
        {
            settings.push(text.clone());
        }
    }
    settings
}
