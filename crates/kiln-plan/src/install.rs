//! What installs and builds the app.

use kiln_node::{AppFacts, Lock, LockKind, Manager, PackageJson};
use kiln_rootfs::RootPath;

use crate::{LockedPlace, Reason, Step};

/// Files beside the manifests that change what is installed.
const SETTINGS: [&str; 6] =
    [".npmrc", ".pnpmfile.cjs", ".yarnrc", ".yarnrc.yml", "pnpm-workspace.yaml", ".node-version"];
/// Folders of changes to packages.
const PATCHES: [&str; 2] = ["patches/", ".yarn/patches/"];

/// The files that the install reads, sorted.
pub(crate) fn manifests(facts: &AppFacts, kind: LockKind) -> Vec<RootPath> {
    let is_manifest = |path: &&RootPath| match path.parent() {
        Some(parent) if parent.is_root() => {
            let name = path.file_name();
            name == "package.json" || name == kind.file_name() || SETTINGS.contains(&name)
        }
        Some(parent) => {
            path.file_name() == "package.json" && facts.workspace.contains_key(parent.as_str())
                || PATCHES.iter().any(|folder| path.as_str().starts_with(folder))
                || facts.links.contains_key(*path)
        }
        None => false,
    };
    let mut paths: Vec<RootPath> = facts.files.iter().filter(is_manifest).cloned().collect();
    paths.sort();
    paths
}

/// What npm's version 1 of the lock file puts where, for production. npm fills in from the registry what that version lacks, so what
/// it installs is held against this.
pub(crate) fn locked_places(kind: LockKind, lock: &Lock) -> Vec<LockedPlace> {
    if !is_converted(kind, lock) {
        return Vec::new();
    }
    let place = |(folder, at): (&String, &usize)| {
        let package = lock.packages.get(*at).filter(|package| package.is_dev != Some(true))?;
        Some(LockedPlace {
            folder: folder.clone(),
            name: package.name.clone(),
            version: package.version.clone(),
            is_optional: package.is_optional == Some(true),
        })
    };
    lock.places.iter().filter_map(place).collect()
}

/// Whether npm converts the lock file when it installs.
pub(crate) fn is_converted(kind: LockKind, lock: &Lock) -> bool {
    kind.manager() == Manager::Npm && lock.version < 2
}

pub(crate) fn install_steps(
    (kind, lock): (LockKind, &Lock),
    natives: &[String],
    production: bool,
) -> Vec<Step> {
    let manager = kind.manager();
    let omit = match (manager, production) {
        (_, false) => "",
        (Manager::Npm, true) => " --omit=dev",
        (Manager::Pnpm, true) => " --prod",
        (Manager::Yarn | Manager::Bun, true) => " --production",
    };
    let mut steps = match manager {
        Manager::Npm => {
            // The npm that wrote version 1 installed no peers.
            let peers = if is_converted(kind, lock) { " --legacy-peer-deps" } else { "" };
            vec![Step::downloading(&format!("npm ci{omit}{peers} --ignore-scripts --no-audit --no-fund"))]
        }
        // A project's pnpmfile is code; it changes what is installed, not what is downloaded.
        Manager::Pnpm => vec![
            Step::downloading(&format!("pnpm fetch{omit} --ignore-scripts --config.ignore-pnpmfile=true")),
            Step::unpacking(&format!("pnpm install{omit} --frozen-lockfile --ignore-scripts --offline")),
        ],
        Manager::Bun => {
            vec![Step::downloading(&format!(
                "bun install{omit} --frozen-lockfile --ignore-scripts --linker=hoisted"
            ))]
        }
        Manager::Yarn => vec![Step::downloading(&format!(
            "yarn install{omit} --frozen-lockfile --ignore-scripts --non-interactive"
        ))],
    };
    if !natives.is_empty() {
        let rebuild = match manager {
            // yarn 1 and bun have no command for it, and npm works on what they installed.
            Manager::Npm | Manager::Yarn | Manager::Bun => "npm rebuild --foreground-scripts",
            // Only for those that are named: pnpm 10 and newer say nothing, and build nothing, of what they are not told of.
            Manager::Pnpm => "pnpm rebuild -r --config.dangerously-allow-all-builds=true",
        };
        steps.push(Step::new(&format!("{rebuild} {}", natives.join(" "))));
    }
    steps
}

pub(crate) fn build_steps(
    facts: &AppFacts,
    manager: Manager,
    app: &str,
    before_start: &[Vec<String>],
    reasons: &mut Vec<Reason>,
) -> Vec<Step> {
    let mut steps = by_script(facts, manager, app);
    steps.extend(before_start.iter().map(|words| {
        let step = step_of(manager, words);
        let why = "the start script runs it before the app starts, and the build script does not";
        (step, why.to_owned())
    }));
    if steps.is_empty() {
        reasons.push(Reason::new("build", "nothing", "there is no build script"));
    }
    let reason = |(step, why): &(Step, String)| Reason::new("build", step.argv.join(" "), why.clone());
    reasons.extend(steps.iter().map(reason));
    steps.into_iter().map(|(step, _)| step).collect()
}

/// A command of a script as a step: programs of packages are found by the package manager.
fn step_of(manager: Manager, words: &[String]) -> Step {
    let line = words.join(" ");
    let is_manager = words
        .first()
        .is_some_and(|word| ["npm", "pnpm", "yarn", "bun", "npx", "node"].contains(&word.as_str()));
    match manager {
        _ if is_manager => Step::new(&line),
        Manager::Npm => Step::new(&format!("npm exec --offline -- {line}")),
        Manager::Pnpm => Step::new(&format!("pnpm exec {line}")),
        Manager::Yarn | Manager::Bun => Step::new(&format!("{} run {line}", manager.as_str())),
    }
}

fn by_script(facts: &AppFacts, manager: Manager, app: &str) -> Vec<(Step, String)> {
    let run = format!("{} run build", manager.as_str());
    if let Some(script) = facts.package.scripts.get("build") {
        return vec![(Step::new(&run), format!("the build script is `{script}`"))];
    }
    if facts.workspace.get(app).is_some_and(|package| package.scripts.contains_key("build")) {
        let all = match manager {
            Manager::Npm => "npm run build --workspaces --if-present".to_owned(),
            Manager::Pnpm => "pnpm -r run build".to_owned(),
            Manager::Yarn if facts.yarn.is_some() => return build_each(facts),
            Manager::Yarn => "yarn workspaces run build".to_owned(),
            Manager::Bun => "bun run --filter=* build".to_owned(),
        };
        return vec![(Step::new(&all), "projects of the workspace have build scripts".to_owned())];
    }
    Vec::new()
}

/// Yarn 2 and 3 have no command that builds all projects of a workspace; each comes after those that it asks for.
fn build_each(facts: &AppFacts) -> Vec<(Step, String)> {
    let mut open: Vec<&PackageJson> =
        facts.workspace.values().filter(|package| package.scripts.contains_key("build")).collect();
    let mut steps = Vec::new();
    while !open.is_empty() {
        let is_open = |name: &String| open.iter().any(|other| other.name.as_ref() == Some(name));
        let waits = |package: &PackageJson| {
            package.asked().any(|(name, _)| is_open(name) && package.name.as_ref() != Some(name))
        };
        // In a circle the first comes first.
        let next = open.iter().position(|package| !waits(package)).unwrap_or(0);
        let package = open.remove(next);
        let Some(name) = &package.name else { continue };
        let step = Step::new(&format!("yarn workspace {name} run build"));
        steps.push((step, "this project of the workspace has a build script".to_owned()));
    }
    steps
}
