use kiln_node::{AppFacts, LockKind, Manager, ManagerPin, PackageJson};
use kiln_pkg::version::SemVer;

use crate::berry::Berry;
use crate::error::ErrorKind;
use crate::node_line::choose_node;
use crate::{
    Error, Overrides, Plan, Reason, Shipping, bun, health, install, install_scripts, lifecycle, start,
};

/// Decides how the app is built and run.
pub fn plan(facts: &AppFacts, overrides: &Overrides) -> Result<Plan, Error> {
    let mut reasons = Vec::new();
    let (kind, lock) = facts.lock.as_ref().ok_or_else(|| no_lock(facts))?;
    let pin = check_manager(facts, *kind)?;
    let yarn = facts.yarn.as_ref().filter(|_| *kind == LockKind::Berry);
    let berry = yarn.map(|yarn| Berry::of(facts, yarn, lock)).transpose()?;
    check_in_step(facts, *kind)?;
    reasons.push(Reason::new(
        "package manager",
        kind.manager().as_str(),
        format!("{} is there", kind.file_name()),
    ));
    if install::is_converted(*kind, lock) {
        let name = kind.file_name();
        let because = format!(
            "{name} is version 1; npm converts it for the build: `npm install --package-lock-only` writes it anew"
        );
        reasons.push(Reason::told("package manager", format!("npm converts {name}"), because));
    }
    let node = choose_node(facts, overrides, &mut reasons)?;
    let app = start::choose_app(facts, overrides, &mut reasons)?;
    let mut start = start::choose_entry(facts, overrides, &app, node, &mut reasons)?;
    let natives = install_scripts::choose(facts, lock, overrides, &mut reasons)?;
    let specs = install_scripts::specs(*kind, lock, &natives);
    let port = health::choose_port(facts, overrides, &app, &start, &mut reasons);
    let health = health::choose_health(facts, overrides, &app, port, &mut reasons);
    let package = facts.workspace.get(&app).unwrap_or(&facts.package);
    let own_scripts = lifecycle::steps(facts, kind.manager(), overrides, &mut reasons);
    let build = install::build_steps(facts, kind.manager(), &app, &start.builds, &mut reasons);
    let shipping = Shipping::of(facts, overrides, &start, !build.is_empty())?;
    if let (Some(berry), Some(yarn)) = (&berry, yarn) {
        berry.load_table(facts, yarn, &mut start)?;
    }
    if *kind == LockKind::Bun {
        bun::check_entry(facts, &start)?;
    }
    let steps = |production| match &berry {
        Some(berry) => berry.install_steps(&specs, production),
        None => install::install_steps((*kind, lock), &specs, production),
    };
    Ok(Plan {
        name: overrides.name.clone().unwrap_or_else(|| image_name(package, &facts.package)),
        version: package.version.clone(),
        node,
        manager: kind.manager(),
        manager_version: version(*kind, pin.as_ref(), berry.as_ref()),
        manager_hash: pin.and_then(|pin| pin.hash),
        linker: berry.as_ref().map(|berry| berry.linker),
        manifests: install::manifests(facts, *kind),
        install: steps(false),
        own_scripts,
        build,
        production: steps(true),
        locked: install::locked_places(*kind, lock),
        natives,
        addons: install_scripts::addons(lock, overrides),
        folder: start.folder,
        entry: start.argv,
        env: start.env,
        aside: start.aside,
        shipping,
        port,
        health,
        reasons,
    })
}

/// The release of the package manager that installs, where the app or its lock file says which.
fn version(kind: LockKind, pin: Option<&ManagerPin>, berry: Option<&Berry<'_>>) -> Option<String> {
    let pinned = pin.map(|pin| pin.version.clone());
    match (berry, kind) {
        (Some(berry), _) => Some(berry.version.to_owned()),
        (None, LockKind::Bun) => pinned.or_else(|| Some(bun::VERSION.to_owned())),
        (None, _) => pinned,
    }
}

fn no_lock(facts: &AppFacts) -> ErrorKind {
    let is_binary = facts.lock_files.iter().any(|name| name == "bun.lockb");
    if is_binary { ErrorKind::BinaryLock } else { ErrorKind::NoLock }
}

fn check_in_step(facts: &AppFacts, kind: LockKind) -> Result<(), Error> {
    let Some((_, lock)) = &facts.lock else { return Ok(()) };
    for (folder, package) in facts.projects() {
        let lines = lock.out_of_step(kind, folder, package);
        if lines.is_empty() {
            continue;
        }
        let package =
            if folder.is_empty() { "package.json".to_owned() } else { format!("{folder}/package.json") };
        let help = match kind.manager() {
            Manager::Npm => "run `npm install --package-lock-only` and commit the lock file",
            Manager::Pnpm => "run `pnpm install --lockfile-only` and commit the lock file",
            Manager::Yarn => "run `yarn install` and commit the lock file",
            Manager::Bun => "run `bun install --lockfile-only` and commit the lock file",
        };
        return Err(ErrorKind::OutOfStep { lock: kind.file_name(), package, lines, help }.into());
    }
    Ok(())
}

fn check_manager(facts: &AppFacts, kind: LockKind) -> Result<Option<ManagerPin>, Error> {
    let pin = facts.package.manager_pin().map_err(|source| ErrorKind::Project { source })?;
    match pin {
        Some(pin) if pin.manager != kind.manager() => {
            Err(ErrorKind::WrongManager { asked: pin.manager.as_str(), lock: kind.file_name() }.into())
        }
        Some(pin)
            if pin.manager == Manager::Yarn && pin.version.starts_with("1.") != (kind == LockKind::Yarn) =>
        {
            let wrote = if kind == LockKind::Yarn { "yarn 1" } else { "yarn 2 or newer" };
            let why =
                format!("package.json asks for yarn {}, and `yarn.lock` was written by {wrote}", pin.version);
            Err(ErrorKind::Yarn {
                why,
                help: "run `yarn install` with the yarn that is asked for, and commit what it writes"
                    .to_owned(),
            }
            .into())
        }
        // It knows no bun.lock, and takes what fits today.
        Some(pin)
            if pin.manager == Manager::Bun
                && SemVer::parse(&pin.version).is_none_or(|bun| bun < SemVer::new(1, 2, 0)) =>
        {
            Err(ErrorKind::OldBun { version: pin.version }.into())
        }
        // Its setting `onload-script` is loaded by npm itself, whatever is said of scripts.
        Some(pin)
            if pin.manager == Manager::Npm
                && SemVer::parse(&pin.version).is_none_or(|npm| npm < SemVer::new(7, 0, 0)) =>
        {
            Err(ErrorKind::OldNpm { version: pin.version }.into())
        }
        pin => Ok(pin),
    }
}

/// The name of the package, in the characters an image name may have.
fn image_name(app: &PackageJson, root: &PackageJson) -> String {
    let name = app.name.as_deref().or(root.name.as_deref()).unwrap_or("app");
    let name = name.rsplit('/').next().unwrap_or(name).to_lowercase();
    let name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let parts: Vec<&str> = name.split('-').filter(|part| !part.is_empty()).collect();
    if parts.is_empty() { "app".to_owned() } else { parts.join("-") }
}
