use kiln_dockerfile::parse;
use kiln_lint::facts::{dead_name, node_major};

use crate::answer::{Answer, Choice, Obstacle, Rewritten};
use crate::commands::Step;
use crate::faults::faults;
use crate::health::health;
use crate::ignore::dockerignore;
use crate::install::{Install, install};
use crate::layout::layout;
use crate::manifest::guarded;
use crate::node::node;
use crate::npmrc::{install_secrets, npmrc};
use crate::recipe::Image;
use crate::render;
use crate::secrets::has_credential;
use crate::stages::{Build, Stages, builds, settings, split, state, system_packages, tools};
use crate::start::{Start, start};
use crate::target::NodeTag;
use crate::{Project, Recipe, RewriteTarget};

/// Words by which sources show that they end on SIGTERM.
const LISTENS: [&str; 6] = [
    "SIGTERM",
    "enableShutdownHooks",
    "close-with-grace",
    "@godaddy/terminus",
    "http-terminator",
    "stoppable",
];

/// Rewrites the Dockerfile of a project, if anything about it calls for that.
pub fn rewrite(project: &Project, choice: &Choice) -> Answer {
    // The new file has one kind of line end.
    let file = parse(&project.dockerfile.replace("\r\n", "\n"));
    if file.has_errors() {
        let errors = file.problems.iter().filter(|problem| problem.is_error());
        return Answer::Refused(
            errors
                .map(|problem| Obstacle::at(file.lines.line(problem.span.start), &problem.message))
                .collect(),
        );
    }
    let recipe = Recipe::read(&file, &|name| project.has(name));
    let found = faults(project, &recipe, choice.target);
    if found.is_empty() {
        return match dockerignore(project, None, false) {
            None => Answer::Fine,
            Some(text) => Answer::Rewritten(Rewritten {
                files: vec![(".dockerignore".to_owned(), text)],
                target: None,
                faults: Vec::new(),
                notes: Vec::new(),
            }),
        };
    }
    match answer(project, &recipe, choice) {
        Ok(mut rewritten) => {
            rewritten.faults = found;
            Answer::Rewritten(rewritten)
        }
        Err(obstacles) => Answer::Refused(obstacles),
    }
}

fn answer(project: &Project, recipe: &Recipe, choice: &Choice) -> Result<Rewritten, Vec<Obstacle>> {
    let mut obstacles = recipe.obstacles.clone();
    obstacles.extend(misfits(project, recipe));
    if !obstacles.is_empty() {
        return Err(obstacles);
    }
    let start = start(project, recipe).map_err(|why| vec![Obstacle::new(why)])?;
    if let Some(target) = choice.target {
        return with_target(project, recipe, choice, target, &start);
    }
    let present = RewriteTarget::all()
        .iter()
        .find(|target| !target.has_shell() && target.is_run_by(&recipe.run.name, recipe.run.base));
    let first = present.or_else(|| RewriteTarget::find("distroless")).ok_or_else(Vec::new)?;
    let refused = match with_target(project, recipe, choice, first, &start) {
        Ok(rewritten) => return Ok(rewritten),
        Err(refused) => refused,
    };
    // What a bare image lacks, one with a shell may have.
    let is_alpine = recipe.run.base.is_some_and(|base| base.os == "alpine");
    let second = RewriteTarget::find(if is_alpine { "alpine" } else { "slim" }).ok_or_else(Vec::new)?;
    match with_target(project, recipe, choice, second, &start) {
        Ok(mut rewritten) => {
            let why: Vec<String> = refused.iter().map(ToString::to_string).collect();
            rewritten
                .notes
                .insert(0, format!("based on {}, not on {}: {}", second.name, first.name, why.join("; ")));
            Ok(rewritten)
        }
        Err(_) => Err(refused),
    }
}

/// What no target can cure.
fn misfits(project: &Project, recipe: &Recipe) -> Vec<Obstacle> {
    let mut obstacles = Vec::new();
    if recipe.run.base.is_some_and(|base| base.name.starts_with("nginx")) {
        let what = format!("{} serves files and runs no Node", recipe.run.name.name);
        obstacles.push(Obstacle::new(what));
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-@+".contains(c);
    if !recipe.workdir.chars().all(is_plain) {
        obstacles
            .push(Obstacle::new(format!("the app lies in {:?}, which is no plain path", recipe.workdir)));
    }
    let image = &recipe.run.name.name;
    if image.contains("windows") || image.contains("nanoserver") {
        obstacles.push(Obstacle::new(format!("{image} is Windows")));
    }
    if project.manager().is_none() {
        obstacles.push(Obstacle::new(
            "there is no lock file, so no install is the same twice: run `npm install --package-lock-only`",
        ));
    }
    if project.facts.yarn.as_ref().is_some_and(|yarn| !yarn.has_node_modules) {
        obstacles.push(Obstacle::new(
            "yarn keeps packages in archives here; write `nodeLinker: node-modules` in .yarnrc.yml",
        ));
    }
    let mut folder: Option<&str> = None;
    for ran in &recipe.runs {
        match &ran.step {
            Step::Adds(names) => {
                let known = |name: &String| {
                    let bare = name
                        .char_indices()
                        .skip(1)
                        .find(|(_, c)| *c == '@')
                        .map_or(name.as_str(), |(at, _)| &name[..at]);
                    project.depends_on(bare)
                };
                if let Some(name) = names.iter().find(|name| !known(name)) {
                    let why = format!("it installs {name}, which package.json does not list");
                    obstacles.push(Obstacle::at(ran.line, &why));
                }
            }
            Step::Install { .. } => {
                let parent = folder.get_or_insert(ran.workdir.as_str());
                let is_same_app = *parent == ran.workdir || recipe.chain.len() < recipe.stages;
                if !is_same_app {
                    let why = format!(
                        "it installs in {} and in {}; make one workspace of them",
                        parent, ran.workdir
                    );
                    obstacles.push(Obstacle::at(ran.line, &why));
                }
            }
            _ => {}
        }
    }
    obstacles
}

fn with_target(
    project: &Project,
    recipe: &Recipe,
    choice: &Choice,
    target: &'static RewriteTarget,
    start: &Start,
) -> Result<Rewritten, Vec<Obstacle>> {
    let mut notes = Vec::new();
    let node = node(project, recipe, choice, target, &mut notes).map_err(|obstacle| vec![obstacle])?;
    let start = start.clone();
    fits_shell(project, recipe, target, &start)?;
    let mut project = std::borrow::Cow::Borrowed(project);
    let new_npmrc = npmrc(&project, recipe);
    if let Some(text) = &new_npmrc {
        let project = project.to_mut();
        project.npmrc = Some(text.clone());
        project.facts.files.extend(kiln_rootfs::RootPath::normalise(".npmrc"));
        project.facts.files.sort();
    }
    let project = &*project;
    let install = install(project, recipe, target, node.major, &start.app)
        .ok_or_else(|| vec![Obstacle::new("there is no lock file")])?;
    let manager = project.manager().map_or("npm", kiln_node::Manager::as_str);
    let build = with_script_of(project, &start, builds(recipe, &install, manager), manager);
    let builds = !build.is_empty();
    let layout = layout(project, recipe, &start, builds)?;
    let packages = system_packages(recipe, target, &install.natives, &build)?;
    let (build_kept, run_kept) = split(recipe, builds);
    let has_init =
        (packages.has_init || start.has_init) && !LISTENS.iter().any(|word| project.mentions(word));
    let start = standalone(start, layout.is_standalone);
    let mut stages = Stages {
        recipe,
        target,
        builder: kept_image(&recipe.build, target, &node)
            .filter(|_| target.build == target.run)
            .unwrap_or_else(|| target.builder(&node, !install.addons.is_empty())),
        runner: kept_image(&recipe.run, target, &node).unwrap_or_else(|| target.runner(&node)),
        node,
        has_modules: has_modules(project, &start),
        builds,
        build_kept,
        run_kept,
        build_packages: packages.build,
        run_packages: packages.run,
        package_comments: packages.comments,
        tools: tools(project, recipe, &build),
        settings: settings(recipe),
        state: state(project, recipe, &layout),
        health: health(project, recipe, target, &start.app),
        secrets: install_secrets(project, recipe),
        secret_npmrc: project.npmrc.as_deref().is_some_and(has_credential),
        system: system(recipe),
        has_init,
        install,
        build,
        layout,
        start,
    };
    init(&mut stages, &mut notes);
    if !packages.dropped.is_empty() {
        notes.push(format!(
            "not in the image, as nothing that runs needs it: {}",
            packages.dropped.join(", ")
        ));
    }
    if (packages.has_init || stages.start.has_init) && !has_init {
        notes.push("the app ends on SIGTERM by itself and needs no init".to_owned());
    }
    tell(project, &stages, &mut notes);
    let mut files = vec![("Dockerfile".to_owned(), render::dockerfile(project, &stages))];
    let ignored = dockerignore(project, Some(&stages.layout), stages.secret_npmrc);
    files.extend(ignored.map(|text| (".dockerignore".to_owned(), text)));
    files.extend(new_npmrc.map(|text| (".npmrc".to_owned(), text)));
    for guarded in guarded(project) {
        notes.push(guarded.note());
        files.push((guarded.path, guarded.text));
    }
    Ok(Rewritten { files, target: Some(target.name.as_str()), faults: Vec::new(), notes })
}

/// What needs a shell at run time needs an image that has one.
fn fits_shell(
    project: &Project,
    recipe: &Recipe,
    target: &RewriteTarget,
    start: &Start,
) -> Result<(), Vec<Obstacle>> {
    let mut obstacles = Vec::new();
    let lacks = !target.has_shell();
    if let (Some(line), true) = (&start.shell, lacks) {
        obstacles.push(Obstacle::new(format!("`{line}` needs a shell, and {} has none", target.name)));
    }
    if let Some(file) = &start.script {
        let text = project.scripts.get(file).map(String::as_str).unwrap_or_default();
        if lacks {
            obstacles.push(Obstacle::new(format!("{file} needs a shell, and {} has none", target.name)));
        }
        for word in ["gosu ", "su-exec ", "chown ", "usermod ", "setpriv "] {
            if text.contains(word) {
                obstacles.push(Obstacle::new(format!("{file} uses `{}`, which only root may", word.trim())));
            }
        }
        if target.os == "alpine"
            && text.starts_with("#!")
            && text.lines().next().is_some_and(|first| first.ends_with("bash"))
        {
            obstacles.push(Obstacle::new(format!("{file} wants bash, which Alpine lacks")));
        }
    }
    for ran in recipe.final_runs() {
        if let (Step::System(text), true) = (&ran.step, lacks) {
            let why = format!("`{}` changes the image in a way that is not understood", first_line(text));
            obstacles.push(Obstacle::at(ran.line, &why));
        }
    }
    if obstacles.is_empty() { Ok(()) } else { Err(obstacles) }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// Commands of the final image that only its shell can run.
fn system(recipe: &Recipe) -> Vec<String> {
    let system = recipe.final_runs().filter_map(|ran| match (&ran.step, &ran.whole) {
        (Step::System(_), Some(whole)) => Some(whole.trim_start_matches("RUN").trim_start().to_owned()),
        (Step::System(text), None) => Some(text.clone()),
        _ => None,
    });
    system.collect()
}

/// A build that the old file left to somebody else: the start is made by the build script, and no file has it.
fn with_script_of(project: &Project, start: &Start, mut builds: Vec<Build>, manager: &str) -> Vec<Build> {
    let file =
        start.argv.iter().find(|word| !word.starts_with('-')).map(|file| file.trim_start_matches("./"));
    let is_there = file.is_none_or(|file| {
        project.has(file)
            || project.has(&format!("{}/{file}", start.app))
            || project.has(&format!("{file}.js"))
            || !file.contains('.')
    });
    let has_build = project.package(&start.app).scripts.contains_key("build") && start.app.is_empty();
    if builds.is_empty() && !is_there && has_build {
        builds.push(Build { text: format!("RUN {manager} run build"), comments: Vec::new() });
    }
    builds
}

fn has_modules(project: &Project, start: &Start) -> bool {
    let package = &project.facts.package;
    let app = project.package(&start.app);
    !package.dependencies.is_empty()
        || !package.optional_dependencies.is_empty()
        || !app.dependencies.is_empty()
        || !project.facts.workspace.is_empty()
}

/// The image as it is written, with its digest, where it is what the target runs on already.
fn kept_image(image: &Image, target: &RewriteTarget, node: &NodeTag) -> Option<String> {
    let is_known = node_major(&image.name).map_or(image.name.digest.is_some(), |major| major == node.major);
    let is_root = target.name == "distroless" && image.base.is_none_or(|base| base.uid == 0);
    let fits =
        target.is_run_by(&image.name, image.base) && is_known && !is_root && dead_name(&image.name).is_none();
    fits.then(|| image.written.clone())
}

/// The build of Next.js brings its own server.
fn standalone(mut start: Start, is_standalone: bool) -> Start {
    if is_standalone && start.argv.first().is_some_and(|file| file.ends_with("bin/next")) {
        start.argv = vec!["server.js".to_owned()];
        start.because = Some("the standalone build of Next.js has a server of its own".to_owned());
    }
    start
}

/// Gets the program that hands on signals, where the app needs one and the target can have it.
fn init(stages: &mut Stages<'_>, notes: &mut Vec<String>) {
    if !stages.has_init {
        return;
    }
    match stages.target.name.as_str() {
        "slim" | "alpine" => stages.run_packages.push("tini".to_owned()),
        "distroless" | "dhi" => stages.build_packages.push("tini".to_owned()),
        "chainguard" => {}
        _ => {
            stages.has_init = false;
            notes.push(
                "there is no tini: let the app end on SIGTERM (`process.on('SIGTERM', …)`), or run it with --init".to_owned(),
            );
        }
    }
}

/// What somebody must know.
fn tell(project: &Project, stages: &Stages<'_>, notes: &mut Vec<String>) {
    notes.extend(stages.start.because.iter().map(|because| {
        if stages.start.argv.is_empty() {
            because.clone()
        } else {
            format!("starts `node {}`: {because}", stages.start.argv.join(" "))
        }
    }));
    notes.extend(stages.health.iter().filter_map(|check| check.because.clone()));
    let Install { addons, .. } = &stages.install;
    if !addons.is_empty() {
        notes.push(format!("install scripts run for {} only", addons.join(", ")));
    }
    for secret in &stages.recipe.secrets {
        let id = crate::secrets::id(&secret.name);
        notes.push(if secret.is_arg || stages.secrets.contains(&secret.name) {
            format!("{0} is given to the build as a secret: --secret id={id},env={0}", secret.name)
        } else {
            format!("{} is no longer in the image: set it where the image runs", secret.name)
        });
    }
    if stages.secret_npmrc {
        notes.push(
            ".npmrc holds a credential: give it to the build with --secret id=npmrc,src=.npmrc".to_owned(),
        );
    }
    if project.has(".env") {
        notes.push(".env does not reach the image: set its variables where the image runs".to_owned());
    }
    if !stages.state.is_empty() {
        notes.push(format!("the app may write to {} only", stages.state.join(", ")));
    }
    if stages.target.name == "kiln" {
        notes.push(
            "the bases come from `kiln base`: other builders find them once they are loaded there".to_owned(),
        );
    }
    if stages.target.name == "chainguard" {
        notes.push("Chainguard's free images have no tags but latest: pin them by digest".to_owned());
    }
}
