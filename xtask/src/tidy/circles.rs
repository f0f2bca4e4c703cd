//! No files of a crate import each other in a circle. A type may lie in a file and its methods in files of the folder beside it:
//! what these take from the file above them is no import here.

use std::collections::{BTreeMap, BTreeSet};

use super::Tree;
use crate::imports::{Module, imports, module_of, re_exports};
use crate::tree::{is_rust, is_test};

#[expect(clippy::unnecessary_wraps, reason = "every check has this signature")]
pub(super) fn check(tree: &Tree) -> anyhow::Result<Vec<String>> {
    let mut crates: BTreeMap<&str, Files<'_>> = BTreeMap::new();
    for (path, text) in tree.files.iter().filter(|(path, _)| is_rust(path) && !is_test(path)) {
        if let Some((name, module)) = module_of(path) {
            crates.entry(name).or_default().insert(module, (path, text));
        }
    }
    Ok(crates.values().flat_map(circles).collect())
}

/// The files of a crate by the module that each holds.
type Files<'a> = BTreeMap<Module, (&'a str, &'a str)>;

fn circles(files: &Files<'_>) -> Vec<String> {
    let handed_on: BTreeMap<&Module, BTreeMap<String, Module>> =
        files.iter().map(|(module, (_, text))| (module, re_exports(module, text))).collect();
    let arrows: BTreeMap<&Module, BTreeSet<Module>> = files
        .iter()
        .map(|(module, (_, text))| {
            let found = imports(module, text).into_iter().filter_map(|path| target(files, &handed_on, path));
            (module, found.filter(|to| to != module && !is_above(to, module)).collect())
        })
        .collect();
    let mut told: BTreeSet<&Module> = BTreeSet::new();
    let mut problems = Vec::new();
    for module in files.keys() {
        let circle: Vec<&Module> = reached(&arrows, module)
            .into_iter()
            .filter(|other| reached(&arrows, other).contains(module))
            .collect();
        if !circle.is_empty() && told.insert(module) {
            problems.push(format!("circle of imports: {}", shown(files, &arrows, &circle)));
            told.extend(circle);
        }
    }
    problems
}

/// Each file of a circle with what it imports of it.
fn shown(files: &Files<'_>, arrows: &BTreeMap<&Module, BTreeSet<Module>>, circle: &[&Module]) -> String {
    let name =
        |module: &Module| files.get(module).map_or("", |(path, _)| path.rsplit('/').next().unwrap_or(path));
    let lines = circle.iter().map(|module| {
        let to = arrows[module].iter().filter(|to| circle.contains(to)).map(name).collect::<Vec<_>>();
        format!("{} -> {}", files[*module].0, to.join(", "))
    });
    lines.collect::<Vec<_>>().join("; ")
}

/// Whether `above` is the file beside whose folder `module` lies. The root of a crate is above everything, and does not count.
fn is_above(above: &Module, module: &Module) -> bool {
    !above.is_empty() && module.split_last().is_some_and(|(_, folder)| folder == above.as_slice())
}

/// The module that holds what a path names; names that a module hands on are those of where it has them from.
fn target(
    files: &Files<'_>,
    handed_on: &BTreeMap<&Module, BTreeMap<String, Module>>,
    mut path: Module,
) -> Option<Module> {
    // A name is handed on a few times at most.
    for _ in 0..8 {
        let depth = (0..=path.len()).rev().find(|&depth| files.contains_key(&path[..depth]))?;
        let module = path[..depth].to_vec();
        let from = path.get(depth).and_then(|name| handed_on.get(&module)?.get(name)).cloned();
        match from {
            Some(from) if from != path => path = from,
            _ => return Some(module),
        }
    }
    None
}

/// Everything that arrows lead to from `start`.
fn reached<'a>(arrows: &'a BTreeMap<&'a Module, BTreeSet<Module>>, start: &Module) -> BTreeSet<&'a Module> {
    let mut found = BTreeSet::new();
    let mut next: Vec<&Module> = arrows.get(start).into_iter().flatten().collect();
    while let Some(module) = next.pop() {
        if found.insert(module) {
            next.extend(arrows.get(module).into_iter().flatten());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(files: &[(&'static str, &'static str)]) -> Vec<String> {
        let files: Files<'_> =
            files.iter().map(|(path, text)| (module_of(path).unwrap().1, (*path, *text))).collect();
        circles(&files)
    }

    #[test]
    fn circles_are_found_through_names_that_are_handed_on() {
        let (lib, a) = (("crates/c/src/lib.rs", "mod a;\nmod b;\npub use b::B;\n"), "crates/c/src/a.rs");
        let b = ("crates/c/src/b.rs", "use crate::a::{\n    A,\n};\n");
        assert_eq!(
            told(&[lib, (a, "use crate::B;"), b]),
            ["circle of imports: crates/c/src/a.rs -> b.rs; crates/c/src/b.rs -> a.rs"]
        );
        assert_eq!(told(&[lib, (a, "fn f() -> crate::b::B {}"), b]).len(), 1);
        assert!(told(&[lib, (a, "use std::b::B;"), b]).is_empty());
    }

    #[test]
    fn methods_may_lie_beside_their_type() {
        let parts = ("crates/c/src/a/parts.rs", "use super::A;\nuse crate::b::B;\n");
        let a = ("crates/c/src/a.rs", "mod parts;\nuse parts::P;\n");
        assert!(told(&[a, parts, ("crates/c/src/b.rs", "")]).is_empty());
        assert_eq!(told(&[a, parts, ("crates/c/src/b.rs", "use crate::a::A;")]).len(), 1);
    }
}
