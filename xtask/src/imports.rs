//! What a file of Rust code imports, as far as its text shows.

use std::collections::BTreeMap;

use crate::tree::code;

/// The path of a module from the root of its crate: `["solve", "inputs"]`.
pub(crate) type Module = Vec<String>;

/// The crate that a file belongs to, and the module that it holds; `None` for files that no library or program is made of.
pub(crate) fn module_of(path: &str) -> Option<(&str, Module)> {
    let (name, inside) = path.split_once("/src/")?;
    let inside = inside.strip_suffix(".rs")?;
    if inside.starts_with("bin/") {
        return None;
    }
    let mut module: Module = inside.split('/').map(str::to_owned).collect();
    if matches!(module.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        module.pop();
    }
    Some((name, module))
}

/// Every path below this crate that the text names, from its root.
pub(crate) fn imports(module: &Module, text: &str) -> Vec<Module> {
    let code = joined(text);
    let used = statements(&code).into_iter().flat_map(|(_, tree)| leaves(tree));
    let named = code.split(|char: char| !(char.is_alphanumeric() || "_:".contains(char)));
    let named = named
        .filter(|path| path.starts_with("crate::") || path.starts_with("super::"))
        // What goes on with a group was read with its statement.
        .filter(|path| !path.ends_with("::"));
    used.map(|(path, _)| path)
        .chain(named.map(|path| path.split("::").map(str::to_owned).collect()))
        .filter_map(|path| from_root(module, &path, &code))
        .collect()
}

/// The names that a module hands on, and where it has them from.
pub(crate) fn re_exports(module: &Module, text: &str) -> BTreeMap<String, Module> {
    let code = joined(text);
    let public = statements(&code).into_iter().filter(|(is_public, _)| *is_public);
    public
        .flat_map(|(_, tree)| leaves(tree))
        .filter_map(|(path, name)| Some((name, from_root(module, &path, &code)?)))
        .collect()
}

fn joined(text: &str) -> String {
    code(text).map(|(_, line)| line.trim()).collect::<Vec<_>>().join(" ")
}

/// The trees of all `use` statements, and whether each is public.
fn statements(code: &str) -> Vec<(bool, &str)> {
    let starts = code.match_indices("use ").filter(|(at, _)| *at == 0 || code[..*at].ends_with([' ', ';']));
    starts
        .filter_map(|(at, word)| {
            let tree = code[at + word.len()..].split(';').next()?;
            let before = code[..at].trim_end();
            Some((before.ends_with("pub") || before.ends_with(')') && before.contains("pub("), tree))
        })
        .collect()
}

/// Each path of a tree like `a::{b, c::{d as e}}`, and the name that it gets.
fn leaves(tree: &str) -> Vec<(Module, String)> {
    let tree = tree.trim();
    let (stem, group) = match tree.split_once('{') {
        Some((stem, group)) => (stem, Some(group.trim().strip_suffix('}').unwrap_or(group))),
        None => (tree, None),
    };
    let stem_parts = |stem: &str| -> Module {
        stem.split("::").map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
    };
    let Some(group) = group else {
        let (path, renamed) = tree.split_once(" as ").map_or((tree, None), |(path, name)| (path, Some(name)));
        let path = stem_parts(path);
        let name = renamed.map(str::trim).or(path.last().map(String::as_str)).unwrap_or_default().to_owned();
        return vec![(path, name)];
    };
    let stem = stem_parts(stem);
    let inner = members(group).into_iter().flat_map(leaves);
    inner
        .map(|(path, name)| {
            let own = path.first().is_some_and(|part| part == "self");
            let path = if own { stem.clone() } else { [stem.clone(), path].concat() };
            (path, name)
        })
        .collect()
}

/// The members of a group, split at commas that stand in no inner group.
fn members(group: &str) -> Vec<&str> {
    let (mut depth, mut start, mut found) = (0_u32, 0, Vec::new());
    for (at, char) in group.char_indices() {
        match char {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                found.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    found.push(&group[start..]);
    found.retain(|member| !member.trim().is_empty());
    found
}

/// A path as it is from the root of the crate; `None` for one that leads to another crate.
fn from_root(module: &Module, path: &Module, code: &str) -> Option<Module> {
    let (first, rest) = path.split_first()?;
    match first.as_str() {
        "crate" => Some(rest.to_vec()),
        "self" => Some([module.as_slice(), rest].concat()),
        "super" => {
            let ups = path.iter().take_while(|part| *part == "super").count();
            let folder = module.len().checked_sub(ups)?;
            Some([&module[..folder], &path[ups..]].concat())
        }
        // A module that is declared here.
        name if code.contains(&format!("mod {name};")) => Some([module.as_slice(), path.as_slice()].concat()),
        _ => None,
    }
}
