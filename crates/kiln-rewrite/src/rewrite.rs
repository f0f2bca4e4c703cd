use std::fmt;

use kiln_dockerfile::parse;
use kiln_lint::facts::{line, recommended};

use crate::commands::Step;
use crate::faults::{Fault, faults};
use crate::health::health;
use crate::ignore::dockerignore;
use crate::install::{Install, install};
use crate::layout::layout;
use crate::render;
use crate::secrets::{has_credential, variables};
use crate::stages::{Build, Stages, builds, split, state, system_packages};
use crate::start::{Start, start};
use crate::target::NodeTag;
use crate::{Project, Recipe, Target};

/// What the user wants.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// What the image shall be based on; without it, what it is based on already if that is hardened, else distroless.
    pub target: Option<&'static Target>,
    /// Changes that may change what the app does: another line of Node.
    pub may_change_node: bool,
    /// `YYYY-MM-DD`, to know which lines of Node are still supported.
    pub today: String,
}

/// What a rewrite comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// There is nothing to rewrite.
    Fine,
    /// New files.
    Rewritten(Rewritten),
    /// It cannot be right, and why.
    Refused(Vec<Obstacle>),
}

/// The files that change, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewritten {
    /// New text by path, below the folder of the app.
    pub files: Vec<(String, String)>,
    /// What the image is based on now; `None` where only other files change.
    pub target: Option<&'static str>,
    /// What was wrong.
    pub faults: Vec<Fault>,
    /// What somebody must know before using the new files.
    pub notes: Vec<String>,
}

/// Why a file cannot be rewritten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// The line of the Dockerfile, where it is in one.
    pub line: Option<u32>,
    /// What is in the way.
    pub why: String,
}

impl Obstacle {
    pub(crate) fn at(line: u32, why: &str) -> Self {
        Self { line: Some(line), why: why.to_owned() }
    }

    pub(crate) fn new(why: impl Into<String>) -> Self {
        Self { line: None, why: why.into() }
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.why),
            None => f.write_str(&self.why),
        }
    }
}

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
    let recipe = Recipe::read(&file);
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
    let present = Target::all()
        .iter()
        .find(|target| !target.has_shell() && target.is_run_by(&recipe.run.name, recipe.run.base));
    let first = present.or_else(|| Target::find("distroless")).ok_or_else(Vec::new)?;
    let refused = match with_target(project, recipe, choice, first, &start) {
        Ok(rewritten) => return Ok(rewritten),
        Err(refused) => refused,
    };
    // What a bare image lacks, one with a shell may have.
    let is_alpine = recipe.run.base.is_some_and(|base| base.os == "alpine");
    let second = Target::find(if is_alpine { "alpine" } else { "slim" }).ok_or_else(Vec::new)?;
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
    let image = &recipe.run.name.name;
    if image.contains("windows") || image.contains("nanoserver") {
        obstacles.push(Obstacle::new(format!("{image} is Windows")));
    }
    if project.manager().is_none() {
        obstacles.push(Obstacle::new(
            "there is no lock file, so no install is the same twice: run `npm install --package-lock-only`",
        ));
    }
    if project.yarn.as_ref().is_some_and(|yarn| !yarn.has_node_modules) {
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
    target: &'static Target,
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
    Ok(Rewritten { files, target: Some(target.name.as_str()), faults: Vec::new(), notes })
}

/// The line of Node, and how it is written in a tag.
fn node(
    project: &Project,
    recipe: &Recipe,
    choice: &Choice,
    target: &Target,
    notes: &mut Vec<String>,
) -> Result<NodeTag, Obstacle> {
    let best = recommended(&choice.today);
    let found = recipe.node();
    // Where nobody asks for a line, what the target has is fine.
    let open = || {
        if target.lines.is_empty() || target.lines.contains(&best) {
            best
        } else {
            target.lines[target.lines.len() - 1]
        }
    };
    let asked = found.or_else(|| kiln_plan::node_line(&project.facts.package)).unwrap_or_else(open);
    let is_over = line(asked).is_some_and(|line| line.end.as_str() < choice.today.as_str());
    let is_there = |major: u32| target.lines.is_empty() || target.lines.contains(&major);
    if (is_over || !is_there(asked)) && choice.may_change_node {
        let best = if is_there(best) { best } else { target.lines.last().copied().unwrap_or(best) };
        if best != asked {
            notes.push(format!("Node {asked} became Node {best}: test the app with it"));
        }
        return Ok(NodeTag { major: best, version: best.to_string() });
    }
    if !is_there(asked) {
        let have = target.lines.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
        return Err(Obstacle::new(format!(
            "{} has Node {have}, and the app runs on Node {asked}; pass --unsafe to change that, or --to slim",
            target.name
        )));
    }
    if is_over {
        notes.push(format!("Node {asked} gets no fixes any more; --unsafe moves to Node {best}"));
    }
    Ok(NodeTag { major: asked, version: version(recipe, asked) })
}

/// What stands before the first dash of the tag, where that is a version.
fn version(recipe: &Recipe, major: u32) -> String {
    let written = recipe.build.written.split('@').next().unwrap_or_default();
    let tag = written.rsplit_once(':').map_or("", |(_, tag)| tag).split('-').next().unwrap_or_default();
    let expanded = recipe.build.name.tag_words().first().copied().unwrap_or_default().to_owned();
    let is_version = |text: &str| {
        text.starts_with(&major.to_string()) && text.split('.').all(|part| part.parse::<u32>().is_ok())
    };
    let is_node = recipe.build.name.name == "node";
    let is_variable = tag.starts_with("${")
        && tag.ends_with('}')
        && recipe.build.name.tag_words().len() == written.matches('-').count() + 1;
    match () {
        () if is_node && is_version(tag) => tag.to_owned(),
        () if is_node && is_variable && is_version(&expanded) => tag.to_owned(),
        () if is_node && is_version(&expanded) => expanded,
        () => major.to_string(),
    }
}

/// What needs a shell at run time needs an image that has one.
fn fits_shell(
    project: &Project,
    recipe: &Recipe,
    target: &Target,
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

/// Global programs that the build calls, and that no manifest lists.
fn tools(project: &Project, recipe: &Recipe, builds: &[Build]) -> Vec<String> {
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

fn settings(recipe: &Recipe) -> Vec<String> {
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

/// Variables that the `.npmrc` takes its credentials from.
fn install_secrets(project: &Project, recipe: &Recipe) -> Vec<String> {
    let mut names: Vec<String> = project.npmrc.as_deref().map(variables).unwrap_or_default();
    names.retain(|name| {
        crate::secrets::is_secret(name) || recipe.secrets.iter().any(|secret| secret.name == *name)
    });
    names
}

/// The `.npmrc` that the old file wrote while building: it names the variable, the builder is given its value.
fn npmrc(project: &Project, recipe: &Recipe) -> Option<String> {
    if project.npmrc.is_some() {
        return None;
    }
    let mut lines: Vec<String> = Vec::new();
    for ran in &recipe.runs {
        let Step::Credential(text) = &ran.step else { continue };
        let script = kiln_lint::shell::parse(text);
        for command in &script.commands {
            let words: Vec<&str> = command.words.iter().map(|word| word.value.as_str()).collect();
            let found: Vec<String> = match words.as_slice() {
                ["echo" | "printf", rest @ ..] => rest
                    .iter()
                    .filter(|word| !word.starts_with('-'))
                    .flat_map(|word| word.split("\\n"))
                    .map(str::to_owned)
                    .collect(),
                ["npm" | "pnpm" | "yarn", "config", "set", key, value] => vec![format!("{key}={value}")],
                ["npm" | "pnpm", "config", "set", pair] | ["npm", "set", pair] => vec![(*pair).to_owned()],
                _ => Vec::new(),
            };
            lines.extend(found.into_iter().filter(|line| line.contains('=')).map(|line| braced(&line)));
        }
    }
    lines.dedup();
    (!lines.is_empty()).then(|| lines.join("\n") + "\n")
}

/// `$NAME` as npm reads it: `${NAME}`.
fn braced(text: &str) -> String {
    let mut out = text.trim().to_owned();
    for name in variables(text) {
        out = out.replace(&format!("${name}"), &format!("${{{name}}}"));
    }
    out
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
    let Install { natives, .. } = &stages.install;
    if !natives.is_empty() {
        notes.push(format!("install scripts run for {} only", natives.join(", ")));
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
