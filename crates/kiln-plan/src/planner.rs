use kiln_node::{AppFacts, LockKind, Manager, ManagerPin, PackageJson};
use kiln_pkg::version::SemVer;

use crate::error::ErrorKind;
use crate::node_line::choose_node;
use crate::{Error, Overrides, Plan, Reason, Shipping, health, install, install_scripts, lifecycle, start};

/// Decides how the app is built and run.
pub fn plan(facts: &AppFacts, overrides: &Overrides) -> Result<Plan, Error> {
    let mut reasons = Vec::new();
    if facts.yarn.is_some() {
        return Err(ErrorKind::ModernYarn.into());
    }
    let (kind, lock) = facts.lock.as_ref().ok_or(ErrorKind::NoLock)?;
    check_in_step(facts, *kind)?;
    let pin = check_manager(facts, *kind)?;
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
    let start = start::choose_entry(facts, overrides, &app, node, &mut reasons)?;
    let natives = install_scripts::choose(facts, lock, overrides, &mut reasons)?;
    let specs = install_scripts::specs(kind.manager(), lock, &natives);
    let port = health::choose_port(facts, overrides, &app, &start, &mut reasons);
    let health = health::choose_health(facts, overrides, &app, port, &mut reasons);
    let package = facts.workspace.get(&app).unwrap_or(&facts.package);
    let own_scripts = lifecycle::steps(facts, kind.manager(), overrides, &mut reasons);
    let build = install::build_steps(facts, kind.manager(), &app, &mut reasons);
    let shipping = Shipping::of(facts, overrides, &start, !build.is_empty())?;
    Ok(Plan {
        name: overrides.name.clone().unwrap_or_else(|| image_name(package, &facts.package)),
        version: package.version.clone(),
        node,
        manager: kind.manager(),
        manager_version: pin.map(|pin| pin.version),
        manifests: install::manifests(facts, *kind),
        install: install::install_steps((*kind, lock), &specs, false),
        own_scripts,
        build,
        production: install::install_steps((*kind, lock), &specs, true),
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
