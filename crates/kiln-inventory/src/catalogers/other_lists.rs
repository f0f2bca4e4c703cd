use std::io::Read;

use super::bundle::is_in_packages;
use super::cataloger::{Candidate, Cataloger};
use crate::facts::{FileFacts, Reading};

/// Lists of packages that kiln does not read: what they name is not looked at, and that is said.
pub(super) static CATALOGER: Cataloger = Cataloger {
    name: "other-lists",
    examples: &["app/requirements.txt", "srv/Gemfile.lock", "var/lib/rpm/rpmdb.sqlite"],
    wants,
    read,
};

/// Names of files, each with whose packages they list. Source: the documentation of pip, Pipenv, Poetry, PDM, uv, Conda, Bundler, Composer, Cargo,
/// Go, NuGet, Gradle, Deno, Mix, Rebar, Pub, CocoaPods, Conan and Swift's package manager.
const NAMES: &[(&str, &str)] = &[
    ("Cargo.lock", CARGO),
    ("Gemfile.lock", "Ruby"),
    ("Package.resolved", "Swift"),
    ("Pipfile.lock", PYTHON),
    ("Podfile.lock", "CocoaPods"),
    ("composer.lock", "PHP"),
    ("conan.lock", "C++"),
    ("conda-lock.yml", PYTHON),
    ("deno.lock", "Deno"),
    ("gems.locked", "Ruby"),
    ("go.sum", GO),
    ("gradle.lockfile", "Java"),
    ("mix.lock", "Elixir"),
    ("packages.lock.json", ".NET"),
    ("pdm.lock", PYTHON),
    ("poetry.lock", PYTHON),
    ("pubspec.lock", "Dart"),
    ("pylock.toml", PYTHON),
    ("rebar.lock", "Erlang"),
    ("requirements.txt", PYTHON),
    ("uv.lock", PYTHON),
];
/// Lock files of packages of npm. In a folder they are read; in an image they say something where nothing else does.
const OF_NPM: &[&str] =
    &["bun.lock", "bun.lockb", "npm-shrinkwrap.json", "package-lock.json", "pnpm-lock.yaml", "yarn.lock"];
/// What is installed of these is read where it lies, so that a list of it says nothing more.
pub(crate) const PYTHON: &str = "Python";
pub(crate) const CARGO: &str = "Rust";
pub(crate) const GO: &str = "Go";
pub(crate) const NPM: &str = "npm";

/// Where rpm keeps what is installed. Source: rpm, `macros.in`, `%_dbpath` and `%_db_backend`; Fedora's change "RelocateRPMToUsr".
const RPM: &[&str] = &["usr/lib/sysimage/rpm/", "var/lib/rpm/"];
const RPM_FILES: &[&str] = &["Packages", "Packages.db", "rpmdb.sqlite"];

pub(super) fn whose(path: &str) -> Option<&'static str> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let is_rpm =
        RPM.iter().any(|folder| path.strip_prefix(folder).is_some_and(|file| RPM_FILES.contains(&file)));
    if is_rpm {
        return Some("rpm");
    }
    if is_in_packages(path) {
        return None;
    }
    let known = NAMES.iter().find(|(known, _)| *known == name).map(|(_, whose)| *whose);
    let of_npm = || OF_NPM.contains(&name).then_some(NPM);
    known.or_else(of_npm).or_else(|| by_pattern(folder, name))
}

/// Names with a part that their authors choose.
fn by_pattern(folder: &str, name: &str) -> Option<&'static str> {
    let part = |start: &str, end: &str| name.strip_prefix(start)?.strip_suffix(end);
    let is_requirements = part("requirements", ".txt").is_some_and(|part| part.starts_with(['-', '_', '.']))
        || name.strip_suffix(".txt").is_some() && folder.rsplit('/').next() == Some("requirements");
    if is_requirements || part("pylock.", ".toml").is_some() {
        return Some(PYTHON);
    }
    if name == "installed.json" && folder.rsplit('/').next() == Some("composer") {
        return Some("PHP");
    }
    name.ends_with(".deps.json").then_some(".NET")
}

fn wants(candidate: &Candidate<'_>) -> bool {
    whose(candidate.path).is_some() && candidate.size > 0
}

fn read(candidate: &Candidate<'_>, content: &mut dyn Read, file: &mut FileFacts) -> Result<(), String> {
    // A file of nothing lists nothing.
    let mut first = [0];
    let count = content.read(&mut first).map_err(|error| error.to_string())?;
    if let Some(whose) = whose(candidate.path).filter(|_| count > 0) {
        file.readings.push(Reading::OtherList(whose.to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
