//! Which packages run their install scripts, and which do not.

use std::collections::BTreeSet;

use kiln_node::{AppFacts, Lock, LockKind, LockedPackage, fetcher, is_needless_script, native};

use crate::error::ErrorKind;
use crate::{Error, Overrides, Reason};

/// What becomes of the install script of a package.
enum Fate {
    Runs,
    /// It stays out, for this reason.
    Skipped(&'static str),
    /// There is none, or it matters to nobody here.
    Nothing,
}

const NOT_NAMED: &str = "install scripts run code of others: name a package under [build] allow-scripts if it does not work without";
const DENIED: &str = "the app's package manager is told not to run them";
const SKIPPED: &str = "[build] skip-scripts in kiln.toml names them";
const OPTIONAL: &str = "the app works without these: name one under [build] allow-scripts to compile it";

/// The packages that run their install scripts, sorted: those that kiln.toml or the app's package manager is told of, and those
/// that are known to need it. The error names one that is known not to work in the image.
pub(crate) fn choose(
    facts: &AppFacts,
    lock: &Lock,
    overrides: &Overrides,
    reasons: &mut Vec<Reason>,
) -> Result<Vec<String>, Error> {
    let mut runs = Vec::new();
    let mut skipped: Vec<(&'static str, String)> = Vec::new();
    let left_out = lock.left_out("linux", "x64", "glibc");
    for (package, _) in lock.packages.iter().zip(left_out).filter(|(_, left_out)| !left_out) {
        match fate(package, facts, overrides)? {
            Fate::Runs => runs.push(package.name.clone()),
            Fate::Skipped(why) => skipped.push((why, package.name.clone())),
            Fate::Nothing => {}
        }
    }
    runs.sort();
    runs.dedup();
    skipped.sort();
    skipped.dedup();
    let is_listed = |name: &&String| is_named(name, overrides) || facts.scripts.allowed.contains(*name);
    let (named, known): (Vec<&String>, Vec<&String>) = runs.iter().partition(is_listed);
    let run_for = [
        (named, "kiln.toml ([build] allow-scripts) or the settings of the app's package manager name them"),
        (known, "they are known not to work without; [build] skip-scripts in kiln.toml leaves them out"),
    ];
    for (names, because) in run_for.into_iter().filter(|(names, _)| !names.is_empty()) {
        let names: Vec<&str> = names.into_iter().map(String::as_str).collect();
        reasons.push(Reason::new("install scripts", format!("run for {}", names.join(", ")), because));
    }
    for why in [NOT_NAMED, DENIED, SKIPPED, OPTIONAL] {
        let names: Vec<&str> =
            skipped.iter().filter(|(reason, _)| *reason == why).map(|(_, name)| name.as_str()).collect();
        if !names.is_empty() {
            let decision = format!("not run for {}", names.join(", "));
            reasons.push(Reason::told("install scripts", decision, why));
        }
    }
    Ok(runs)
}

/// What a package manager is told to run the scripts of: npm finds packages by the folder they lie in, where an alias can have the name of
/// another package, so it is told their versions, too.
pub(crate) fn specs(kind: LockKind, lock: &Lock, natives: &[String]) -> Vec<String> {
    if matches!(kind, LockKind::Pnpm | LockKind::Berry) {
        return natives.to_vec();
    }
    let versions = |name: &String| {
        let locked =
            lock.packages.iter().filter(|package| package.name == *name && package.elsewhere.is_none());
        locked.map(|package| format!("{name}@{}", package.version)).collect::<BTreeSet<String>>()
    };
    let specs = |name: &String| {
        let versions = versions(name);
        if versions.is_empty() { BTreeSet::from([name.clone()]) } else { versions }
    };
    natives.iter().flat_map(specs).collect()
}

/// The packages of production that are known not to work without their native part, sorted.
pub(crate) fn addons(lock: &Lock, overrides: &Overrides) -> Vec<String> {
    let is_needed = |package: &&LockedPackage| {
        package.is_dev != Some(true)
            && package.is_optional != Some(true)
            && !overrides.skip_scripts.contains(&package.name)
            && package.elsewhere.is_none()
            && native(&package.name).is_some_and(kiln_node::Native::has_addon)
    };
    let mut names: Vec<String> =
        lock.packages.iter().filter(is_needed).map(|package| package.name.clone()).collect();
    names.sort();
    names.dedup();
    names
}

fn fate(package: &LockedPackage, facts: &AppFacts, overrides: &Overrides) -> Result<Fate, Error> {
    let name = &package.name;
    let is_for_development = package.is_dev == Some(true);
    if overrides.skip_scripts.contains(name) {
        return Ok(if is_for_development { Fate::Nothing } else { Fate::Skipped(SKIPPED) });
    }
    if is_named(name, overrides) {
        let may_have = package.has_install_script != Some(false);
        return Ok(if may_have { Fate::Runs } else { Fate::Nothing });
    }
    if is_for_development {
        return Ok(Fate::Nothing);
    }
    known(package, facts, overrides)?.map_or_else(|| Ok(unknown(package, facts, overrides)), Ok)
}

/// By the table of packages; `None` where they are not in it.
fn known(package: &LockedPackage, facts: &AppFacts, overrides: &Overrides) -> Result<Option<Fate>, Error> {
    // A name alone is no package of the registry.
    if package.elsewhere.is_some() {
        return Ok(None);
    }
    let (native, fetcher) = (native(&package.name), fetcher(&package.name));
    let compiles = native.filter(|native| native.compiles(&package.version));
    let downloads = fetcher.filter(|fetcher| fetcher.is_needed(&package.version));
    if compiles.is_none() && downloads.is_none() {
        let is_known = native.is_some() || fetcher.is_some();
        return Ok(is_known.then_some(Fate::Nothing));
    }
    if package.is_optional == Some(true) {
        return Ok(Some(Fate::Skipped(OPTIONAL)));
    }
    let why = if facts.scripts.denied.contains(&package.name) {
        "its package manager is told not to run its install script".to_owned()
    } else if let Some(what) = downloads.map(|fetcher| &fetcher.what) {
        format!("its install script downloads {what}, and there is no network")
    } else if let Some(libraries) = compiles.and_then(|native| native.libraries.as_ref()) {
        format!("it is compiled against {libraries}, which kiln's builder does not have")
    } else if is_off(overrides) {
        "[build] allow-scripts is empty, so its install script does not run".to_owned()
    } else {
        return Ok(Some(Fate::Runs));
    };
    Err(ErrorKind::NeedsScript { package: package.name.clone(), why }.into())
}

fn unknown(package: &LockedPackage, facts: &AppFacts, overrides: &Overrides) -> Fate {
    let is_optional = package.is_optional == Some(true);
    match package.has_install_script {
        Some(false) => Fate::Nothing,
        _ if facts.scripts.denied.contains(&package.name) => Fate::Skipped(DENIED),
        _ if facts.scripts.allowed.contains(&package.name)
            && !is_optional
            && !is_off(overrides)
            && package.elsewhere.is_none() =>
        {
            Fate::Runs
        }
        Some(true) if !is_needless_script(&package.name) => Fate::Skipped(NOT_NAMED),
        _ => Fate::Nothing,
    }
}

fn is_named(name: &str, overrides: &Overrides) -> bool {
    overrides.allow_scripts.iter().flatten().any(|one| one == name)
}

/// Whether kiln.toml says that nothing of others runs.
fn is_off(overrides: &Overrides) -> bool {
    overrides.allow_scripts.as_ref().is_some_and(Vec::is_empty)
}
