use std::collections::BTreeSet;

use crate::error::{Error, ErrorKind};
use crate::packages::Index;
use crate::relation::{self, Relation};

/// `seeds` and all they depend on, without the packages in `skip`.
///
/// Of alternatives the first that is already chosen is taken, else the first that exists. The names are visited
/// in order, so the result depends on the index alone.
pub(crate) fn close(
    seeds: &BTreeSet<String>,
    skip: &[String],
    index: &Index<'_>,
) -> Result<BTreeSet<String>, Error> {
    let skipped = |name: &str| skip.iter().any(|skip| skip == name);
    let mut chosen = seeds.clone();
    let mut queue: BTreeSet<String> = seeds.clone();
    while let Some(name) = queue.pop_first() {
        let missing = |name: &str, wanted_by: &str| -> Error {
            ErrorKind::NoPackage { name: name.to_owned(), wanted_by: wanted_by.to_owned() }.into()
        };
        let package = index.get(&name).ok_or_else(|| missing(&name, "the base"))?;
        let groups = relation::parse(package.pre_depends).into_iter().chain(relation::parse(package.depends));
        for group in groups {
            if group.iter().any(|relation| skipped(relation.name)) {
                continue;
            }
            let found = choose(&group, &chosen, index).ok_or_else(|| missing(group[0].name, &name))?;
            if !skipped(&found) && chosen.insert(found.clone()) {
                queue.insert(found);
            }
        }
    }
    Ok(chosen)
}

fn choose(group: &[Relation<'_>], chosen: &BTreeSet<String>, index: &Index<'_>) -> Option<String> {
    let mut candidates =
        group.iter().flat_map(|relation| index.satisfying(relation)).map(|package| package.name);
    let all: Vec<&str> = candidates.by_ref().collect();
    all.iter().find(|name| chosen.contains(**name)).or(all.first()).map(|&name| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const INDEX: &str = "\
Package: app\nVersion: 1\nArchitecture: amd64\nFilename: f\nSize: 1\nSHA256: s\nDepends: lib (>= 2), awk, debconf | debconf-2.0, old | new\n\n\
Package: lib\nVersion: 2\nArchitecture: amd64\nFilename: f\nSize: 1\nSHA256: s\nPre-Depends: base\n\n\
Package: base\nVersion: 1\nArchitecture: all\nFilename: f\nSize: 1\nSHA256: s\nDepends: lib\n\n\
Package: gawk\nVersion: 1\nArchitecture: amd64\nFilename: f\nSize: 1\nSHA256: s\nProvides: awk\nPriority: optional\n\n\
Package: mawk\nVersion: 1\nArchitecture: amd64\nFilename: f\nSize: 1\nSHA256: s\nProvides: awk\nPriority: required\n\n\
Package: new\nVersion: 1\nArchitecture: amd64\nFilename: f\nSize: 1\nSHA256: s\n";

    fn close_over(text: &str, seeds: &[&str]) -> Result<Vec<String>, Error> {
        let mut index = Index::default();
        index.add(text, false);
        index.finish();
        let seeds = seeds.iter().map(|&name| name.to_owned()).collect();
        close(&seeds, &["debconf".to_owned()], &index).map(|set| set.into_iter().collect())
    }

    #[test]
    fn follows_versions_providers_and_alternatives() {
        assert_eq!(close_over(INDEX, &["app"]).unwrap(), ["app", "base", "lib", "mawk", "new"]);
        assert_eq!(close_over(INDEX, &["app", "gawk"]).unwrap(), ["app", "base", "gawk", "lib", "new"]);
    }

    #[test]
    fn names_what_is_missing_and_who_wants_it() {
        let error = close_over(&INDEX.replace("(>= 2)", "(>= 3)"), &["app"]).unwrap_err();
        assert_eq!(error.to_string(), "find the Debian package lib, which app needs");
    }
}
