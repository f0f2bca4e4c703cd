use std::io::Read;

use super::cataloger::{Candidate, Cataloger};
use crate::facts::{FileFacts, Reading};

/// Lists of packages that kiln does not read: what they name is not looked at, and that is said.
pub(super) static CATALOGER: Cataloger = Cataloger {
    name: "other-lists",
    examples: &["app/requirements.txt", "srv/Gemfile.lock", "var/lib/rpm/rpmdb.sqlite"],
    wants,
    read,
};

/// Names of files, each with whose packages they list. Source: the documentation of pip, Pipenv, Poetry, uv, Bundler, Composer, Cargo, Go,
/// NuGet and Gradle.
const NAMES: &[(&str, &str)] = &[
    ("Cargo.lock", CARGO),
    ("Gemfile.lock", "Ruby"),
    ("Pipfile.lock", PYTHON),
    ("composer.lock", "PHP"),
    ("go.sum", GO),
    ("gradle.lockfile", "Java"),
    ("packages.lock.json", ".NET"),
    ("poetry.lock", PYTHON),
    ("requirements.txt", PYTHON),
    ("uv.lock", PYTHON),
];
/// What is installed of these is read where it lies, so that a list of it says nothing more.
pub(crate) const PYTHON: &str = "Python";
pub(crate) const CARGO: &str = "Rust";
pub(crate) const GO: &str = "Go";

/// Where rpm keeps what is installed. Source: rpm, `macros.in`, `%_dbpath` and `%_db_backend`; Fedora's change "RelocateRPMToUsr".
const RPM: &[&str] = &["usr/lib/sysimage/rpm/", "var/lib/rpm/"];
const RPM_FILES: &[&str] = &["Packages", "Packages.db", "rpmdb.sqlite"];

fn whose(path: &str) -> Option<&'static str> {
    let name = path.rsplit('/').next().unwrap_or_default();
    let is_rpm =
        RPM.iter().any(|folder| path.strip_prefix(folder).is_some_and(|file| RPM_FILES.contains(&file)));
    if is_rpm {
        return Some("rpm");
    }
    // What is below these is a package's, of npm or of the distribution.
    let is_anothers = path.split('/').any(|part| part == "node_modules")
        || ["usr/lib/", "usr/share/", "usr/local/lib/"].iter().any(|start| path.starts_with(start));
    NAMES.iter().find(|(known, _)| *known == name).filter(|_| !is_anothers).map(|(_, whose)| *whose)
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
