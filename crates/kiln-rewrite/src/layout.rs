//! What reaches the image: named, one by one.

use std::collections::BTreeSet;

use kiln_dockerfile::Reference;
use kiln_plan::Shipping;
use kiln_rootfs::RootPath;

use crate::answer::Obstacle;
use crate::recipe::{Copied, absolute};
use crate::start::Start;
use crate::{Project, Recipe};

/// Where a line of the runtime stage takes files from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Origin {
    /// What the build left.
    Build,
    /// The folder of the app, straight from the context.
    Context,
}

/// A line of the runtime stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ship {
    /// Files or one folder of the app, from the folder it is built in to the same place.
    Files { origin: Origin, names: Vec<String>, to: String, comments: Vec<String> },
    /// A line that stays as it is.
    Verbatim { text: String, comments: Vec<String> },
}

/// What the runtime stage is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) lines: Vec<Ship>,
    /// The build of Next.js brings along what it needs of `node_modules`.
    pub(crate) is_standalone: bool,
    /// Folders that a build makes, below the app's.
    pub(crate) outputs: Vec<String>,
    /// Files that the old image had and the new one has not.
    pub(crate) left_out: Vec<String>,
}

/// Folders that builds usually write.
const OUTPUTS: [&str; 7] = ["dist", "build", ".next", ".output", "out", "lib", "public/build"];

pub(crate) fn layout(
    project: &Project,
    recipe: &Recipe,
    start: &Start,
    builds: bool,
) -> Result<Layout, Vec<Obstacle>> {
    let outputs = outputs(project, start, builds);
    let is_standalone = builds && is_standalone(project);
    let mut layout = Layout { is_standalone, outputs, ..Layout::default() };
    if is_standalone {
        let folder = |name: &str, to: &str| Ship::Files {
            origin: Origin::Build,
            names: vec![name.to_owned()],
            to: to.to_owned(),
            comments: Vec::new(),
        };
        layout.lines.push(folder(".next/standalone", "."));
        layout.lines.push(folder(".next/static", ".next/static"));
        if project.has_folder("public") {
            layout.lines.push(folder("public", "public"));
        }
        return Ok(layout);
    }
    let origin = if builds { Origin::Build } else { Origin::Context };
    let copies: Vec<&Copied> = recipe.copies.iter().filter(|copied| recipe.is_final(copied.stage)).collect();
    let is_named = recipe.chain.len() == 1
        && copies.iter().any(|copied| matches!(copied.from, Some(Reference::Stage(_))))
        && !copies.iter().any(|copied| is_whole(copied, recipe));
    if is_named {
        named(project, recipe, &copies, origin, &mut layout)?;
    } else {
        listed(project, start, origin, &mut layout);
        foreign(recipe, &copies, &mut layout);
    }
    Ok(layout)
}

/// Whether it copies everything the build holds, or everything the context holds.
fn is_whole(copied: &Copied, recipe: &Recipe) -> bool {
    let built_in = built_in(recipe, copied);
    copied.sources.iter().any(|source| match copied.from {
        Some(Reference::Stage(_)) => {
            let path = absolute("/", source);
            Some(path.as_str()) == built_in.as_deref() || is_deployed(&path)
        }
        Some(_) => false,
        None => matches!(source.as_str(), "." | "./" | "/" | "*"),
    })
}

/// Where `pnpm deploy` most often puts an app.
fn is_deployed(path: &str) -> bool {
    path.starts_with("/prod") || path.starts_with("/deploy") || path.starts_with("/out")
}

/// The folder that the stage it copies from works in.
fn built_in(recipe: &Recipe, copied: &Copied) -> Option<String> {
    let Some(Reference::Stage(stage)) = copied.from else { return None };
    recipe.workdirs.get(stage).cloned()
}

/// The new names of what the old file copies one by one.
fn named(
    project: &Project,
    recipe: &Recipe,
    copies: &[&Copied],
    origin: Origin,
    layout: &mut Layout,
) -> Result<(), Vec<Obstacle>> {
    let mut obstacles = Vec::new();
    let mut has_manifest = false;
    for copied in copies {
        let comments = copied.comments.clone();
        match &copied.from {
            Some(Reference::Stage(_)) => {
                let built_in = built_in(recipe, copied).unwrap_or_else(|| recipe.workdir.clone());
                for source in &copied.sources {
                    let path = absolute("/", source);
                    let below = path.strip_prefix(&format!("{}/", built_in.trim_end_matches('/')));
                    let Some(below) = below.or_else(|| source.strip_prefix("./")) else {
                        let why =
                            format!("it copies {path} out of a stage, and not from the folder of the app");
                        obstacles.push(Obstacle::at(copied.line, &why));
                        continue;
                    };
                    if below == "node_modules" || below.ends_with("/node_modules") {
                        continue;
                    }
                    has_manifest |= below.starts_with("package");
                    let Some(below) = manifest_or(below) else { continue };
                    push_named(project, recipe, copied, &below, origin, comments.clone(), layout);
                }
            }
            None if !copied.is_plain => {
                layout.lines.push(Ship::Verbatim { text: copied.text.clone(), comments });
            }
            None => {
                for source in &copied.sources {
                    let below = source.trim_start_matches("./").trim_start_matches('/').trim_end_matches('/');
                    has_manifest |= below.starts_with("package");
                    let Some(below) = manifest_or(below) else { continue };
                    push_named(project, recipe, copied, &below, Origin::Context, comments.clone(), layout);
                }
            }
            Some(_) => layout.lines.push(Ship::Verbatim { text: copied.text.clone(), comments }),
        }
    }
    if !has_manifest {
        let names = vec!["package.json".to_owned()];
        layout.lines.insert(0, Ship::Files { origin, names, to: ".".to_owned(), comments: Vec::new() });
    }
    if obstacles.is_empty() { Ok(()) } else { Err(obstacles) }
}

/// `package*.json` is package.json; lock files are for installs.
fn manifest_or(below: &str) -> Option<String> {
    let is_lock = [
        "package-lock.json",
        "yarn.lock",
        "pnpm-lock.yaml",
        "pnpm-workspace.yaml",
        "npm-shrinkwrap.json",
        ".npmrc",
    ];
    if is_lock.iter().any(|lock| below == *lock || below == format!("{lock}*")) {
        return None;
    }
    Some(if below.starts_with("package") && below.contains('*') {
        "package.json".to_owned()
    } else {
        below.to_owned()
    })
}

fn push_named(
    project: &Project,
    recipe: &Recipe,
    copied: &Copied,
    below: &str,
    origin: Origin,
    comments: Vec<String>,
    layout: &mut Layout,
) {
    let is_folder = project.has_folder(below)
        || layout.outputs.iter().any(|output| output == below)
        || !below.contains('.');
    let in_app = copied
        .dest
        .strip_prefix(recipe.workdir.trim_end_matches('/'))
        .map(|rest| rest.trim_start_matches('/'));
    let to = match in_app {
        // A file goes by its own name into a folder.
        Some("") => ".".to_owned(),
        Some(rest) => rest.to_owned(),
        None => copied.dest.clone(),
    };
    let names = vec![below.to_owned()];
    let to = if is_folder || to == "." { to } else { place_of_file(&to, below, copied.is_folder) };
    let is_same = |line: &Ship| matches!(line, Ship::Files { names: known, to: place, .. } if *known == names && *place == to);
    if layout.lines.iter().any(is_same) {
        return;
    }
    // Files at the top come together.
    if to == "."
        && !is_folder
        && comments.is_empty()
        && let Some(Ship::Files { names, .. }) = layout.lines.iter_mut().find(|line| {
            matches!(line, Ship::Files { origin: other, to, names, .. } if *other == origin && to == "." && names[0].contains('.'))
        })
    {
        names.push(below.to_owned());
        return;
    }
    layout.lines.push(Ship::Files { origin, names, to, comments });
}

/// Where a file goes: into a folder, or to a path that gives it another name.
fn place_of_file(to: &str, file: &str, is_folder: bool) -> String {
    let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    if is_folder {
        format!("{}/", to.trim_end_matches('/'))
    } else if name(to) == name(file) && !to.starts_with('/') {
        to.rsplit_once('/').map_or_else(|| ".".to_owned(), |(folder, _)| format!("{folder}/"))
    } else {
        to.to_owned()
    }
}

/// What the new file copies where the old one copied everything.
fn listed(project: &Project, start: &Start, origin: Origin, layout: &mut Layout) {
    if project.facts.workspace.is_empty() {
        folder_of(project, "", origin, layout);
        return;
    }
    let manifest = Ship::Files {
        origin,
        names: vec!["package.json".to_owned()],
        to: ".".to_owned(),
        comments: Vec::new(),
    };
    layout.lines.push(manifest);
    for folder in closure(project, &start.app) {
        folder_of(project, &folder, origin, layout);
    }
}

/// The project and those of the workspace that it depends on.
pub(crate) fn closure(project: &Project, app: &str) -> Vec<String> {
    let mut found: BTreeSet<String> = BTreeSet::new();
    let mut open = vec![app.to_owned()];
    while let Some(folder) = open.pop() {
        if !folder.is_empty() && !found.insert(folder.clone()) {
            continue;
        }
        let package = project.package(&folder);
        for (other, candidate) in &project.facts.workspace {
            let needs = candidate.name.as_ref().is_some_and(|name| package.dependencies.contains_key(name));
            if needs && !found.contains(other) {
                open.push(other.clone());
            }
        }
    }
    found.into_iter().collect()
}

/// The files of one project: those at its top together, its folders one by one, and what its build makes.
fn folder_of(project: &Project, folder: &str, origin: Origin, layout: &mut Layout) {
    let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let shipping = Shipping::of_project(!layout.outputs.is_empty());
    let mut files: Vec<String> = Vec::new();
    let mut folders: BTreeSet<String> = BTreeSet::new();
    for path in &project.facts.files {
        let Some(below) = path.as_str().strip_prefix(&prefix) else { continue };
        if project
            .facts
            .workspace
            .keys()
            .any(|other| other != folder && path.as_str().starts_with(&format!("{other}/")))
        {
            continue;
        }
        let ships = is_path_shipped(&shipping, below);
        match below.split_once('/') {
            None if ships && !is_start_script_of_base(below) => files.push(below.to_owned()),
            Some((first, _)) if ships => {
                folders.insert(first.to_owned());
            }
            _ => {}
        }
    }
    files.sort_by_key(|name| (name != "package.json", name.clone()));
    let output: Vec<String> = layout
        .outputs
        .iter()
        .filter_map(|output| output.strip_prefix(&prefix).filter(|rest| !rest.is_empty()).map(str::to_owned))
        .filter(|output| project.facts.workspace.is_empty() || !folder.is_empty() || !output.contains('/'))
        .collect();
    folders.extend(output);
    let files: Vec<String> = files.into_iter().map(|name| format!("{prefix}{name}")).collect();
    let to = if folder.is_empty() { ".".to_owned() } else { folder.to_owned() };
    if !files.is_empty() {
        layout.lines.push(Ship::Files { origin, names: files, to, comments: Vec::new() });
    }
    for name in folders {
        let name = format!("{prefix}{name}");
        layout.lines.push(Ship::Files { origin, names: vec![name.clone()], to: name, comments: Vec::new() });
    }
}

fn is_path_shipped(shipping: &Shipping, below: &str) -> bool {
    let Ok(path) = RootPath::normalise(below) else { return false };
    shipping.leaves_out(&path, false).is_none() && !is_build_only(below)
}

/// Settings of tools that only build.
fn is_build_only(name: &str) -> bool {
    let starts = [
        "nest-cli.",
        "babel.config",
        "webpack.config",
        "rollup.config",
        "vite.config",
        "tailwind.config",
        "postcss.config",
        "turbo.json",
        "nx.json",
        "renovate",
        "jsconfig",
    ];
    let ends = [".sh", ".tgz", ".log"];
    !name.contains('/')
        && (starts.iter().any(|start| name.starts_with(start)) || ends.iter().any(|end| name.ends_with(end)))
}

fn is_start_script_of_base(name: &str) -> bool {
    name == "docker-entrypoint.sh"
}

/// Lines that copy from other images, or to elsewhere than the folder of the app.
fn foreign(recipe: &Recipe, copies: &[&Copied], layout: &mut Layout) {
    for copied in copies.iter().filter(|copied| !is_whole(copied, recipe)) {
        let in_app =
            copied.dest == recipe.workdir || copied.dest.starts_with(&format!("{}/", recipe.workdir));
        let is_image = matches!(copied.from, Some(Reference::Image(_)));
        let is_script = copied.sources.iter().any(|source| is_script(source));
        if is_image
            || (copied.from.is_none() && !copied.is_plain)
            || (!in_app && copied.from.is_none() && !is_script)
        {
            layout
                .lines
                .push(Ship::Verbatim { text: copied.text.clone(), comments: copied.comments.clone() });
        }
    }
}

/// What the build makes, as far as the start and the usual names tell.
fn outputs(project: &Project, start: &Start, builds: bool) -> Vec<String> {
    if !builds {
        return Vec::new();
    }
    let mut outputs: BTreeSet<String> = BTreeSet::new();
    let folders = std::iter::once(String::new()).chain(closure(project, &start.app));
    for folder in folders {
        let package = project.package(&folder);
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let of_main = package.main.as_deref().map(|main| main.trim_start_matches("./").to_owned());
        let of_start = start
            .argv
            .iter()
            .find(|word| !word.starts_with('-'))
            .map(|file| file.trim_start_matches("./").strip_prefix(&prefix).unwrap_or(file).to_owned());
        let is_built = package.scripts.contains_key("build") || folder.is_empty();
        let candidates = [of_main, of_start.filter(|_| folder == start.app || folder.is_empty())];
        for path in candidates.into_iter().flatten().filter(|_| is_built) {
            if let Some((first, _)) = path.split_once('/').filter(|(first, _)| OUTPUTS.contains(first)) {
                outputs.insert(format!("{prefix}{first}"));
            }
        }
    }
    if project.depends_on("next") {
        outputs.insert(".next".to_owned());
    }
    outputs.into_iter().collect()
}

fn is_standalone(project: &Project) -> bool {
    project.depends_on("next")
        && project.facts.sources.iter().any(|(path, text)| {
            path.as_str().starts_with("next.config") && text.contains("standalone") && text.contains("output")
        })
}

fn is_script(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, ending)| ending == "sh")
}
