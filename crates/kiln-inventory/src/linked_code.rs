//! Code that Node.js finds through links in `node_modules`, where no manifest names it.

use std::collections::{HashMap, HashSet};

use crate::catalogers::is_package_folder;
use crate::depends::{Folders, follow};
use crate::facts::Reading;
use crate::nameless::{is_code, is_modules};
use crate::stack::Stack;

/// The links behind which code without a name lies, or packages by names that only the link gives them. Sorted.
pub(crate) fn linked_code<'a>(stack: &Stack<'a>, folders: &Folders<'_>) -> Vec<&'a str> {
    let links = stack.readings().filter_map(|(path, reading, _)| match reading {
        Reading::Link(target) => Some((path, target.as_str())),
        _ => None,
    });
    let mut found = Vec::new();
    let mut open: HashMap<String, Vec<&'a str>> = HashMap::new();
    for (path, target) in links {
        let Some(to) = follow(path, target) else { continue };
        if is_modules(path) {
            // Packages below another `node_modules` are found there.
            found.extend((!is_modules(&to)).then_some(path));
        } else if is_package_folder(path) && !folders.leads(path) {
            open.entry(folders.end(to)).or_default().push(path);
        }
    }
    let with_code = holding_code(stack, &open);
    found.extend(open.into_iter().filter(|(to, _)| with_code.contains(to)).flat_map(|(_, paths)| paths));
    found.sort_unstable();
    found
}

/// Which of these are code, or folders in which some lies in any layer.
fn holding_code(stack: &Stack<'_>, open: &HashMap<String, Vec<&str>>) -> HashSet<String> {
    let mut found = HashSet::new();
    if open.is_empty() {
        return found;
    }
    stack.each_path(|path| {
        if open.contains_key(path) && path.strip_suffix(".json").is_none() {
            found.insert(path.to_owned());
        }
        if is_code(path) {
            let above =
                std::iter::successors(Some(path), |path| path.rsplit_once('/').map(|(above, _)| above));
            found.extend(above.filter(|above| open.contains_key(*above)).map(str::to_owned));
        }
    });
    found
}
