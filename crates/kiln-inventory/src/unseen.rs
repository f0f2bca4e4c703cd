//! Code that may be there and that no package tells of: what an app asks for and is not installed, what a bundler built in, and what lies
//! in `node_modules` without a name, or is listed where kiln does not read.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use kiln_pkg::{Ecosystem, Unread, Unseen};

use crate::catalogers::{CARGO, GO, NPM, PYTHON, is_package_folder, is_table};
use crate::depends::Folders;
use crate::facts::Reading;
use crate::groups;
use crate::linked_code::linked_code;
use crate::nameless;
use crate::owners::Owners;
use crate::stack::Stack;
use crate::whole::Whole;

/// Bundles of one app that are named, and packages without a name.
const TOLD_MAX: usize = 20;
/// Packages that source maps of one app name.
const BUILT_IN_MAX: usize = 1_000;
/// Folders inside an app in which manifests are input of tests.
const TESTS: &[&str] = &["__fixtures__", "__tests__", "fixtures", "test", "tests"];

/// What readings say of code that no package may tell of, by folder or path.
#[derive(Default)]
struct Signs<'a> {
    /// Apps, and what must be installed for them.
    declared: BTreeMap<&'a str, &'a [String]>,
    /// What is installed for them where it can be.
    wishes: BTreeMap<&'a str, &'a [String]>,
    tables: HashSet<&'a str>,
    bundles: BTreeSet<&'a str>,
    /// Programs that may be bundles, where their app has a bundler.
    minified: Vec<&'a str>,
    /// Apps that ask for a bundler.
    bundlers: HashSet<&'a str>,
    /// Programs, and the packages that their source maps name.
    built_in: Vec<(&'a str, &'a [String])>,
    /// Any other programs of the same apps.
    scripts: Vec<&'a str>,
    nameless: Vec<&'a str>,
    /// Lists that are not read, and whose packages they are of.
    other_lists: Vec<(&'a str, &'a str)>,
    /// Whose packages are read where they are installed.
    installed: HashSet<&'static str>,
}

impl<'a> Signs<'a> {
    /// What belongs to a package of the distribution is left to that.
    fn of(stack: &Stack<'a>, owners: &Owners<'_>) -> Self {
        let mut signs = Self::default();
        for (path, reading, _) in stack.readings() {
            if owners.own(path) || groups::tool_of(path).is_some() || is_of_yarn(path, stack) {
                continue;
            }
            signs.add(path, reading, stack);
        }
        signs.nameless.extend(stack.bared());
        signs.nameless.sort_unstable();
        signs
    }

    fn add(&mut self, path: &'a str, reading: &'a Reading, stack: &Stack<'a>) {
        match reading {
            Reading::Declares(names) => {
                self.declared.insert(folder(path), names);
            }
            Reading::Wishes(names) => {
                self.declared.entry(folder(path)).or_default();
                self.wishes.insert(folder(path), names);
            }
            // One that asks for nothing is an app, too: what lies below it is its own.
            Reading::Manifest(_) if !is_table(path) => {
                self.declared.entry(folder(path)).or_default();
            }
            Reading::Bundle => drop(self.bundles.insert(path)),
            Reading::OtherList(whose) if !is_for_tests(folder(path), stack) => {
                self.other_lists.push((path, whose));
            }
            Reading::Package(package) => {
                self.installed.extend(match package.ecosystem {
                    Ecosystem::PyPi => Some(PYTHON),
                    Ecosystem::Cargo => Some(CARGO),
                    Ecosystem::Go => Some(GO),
                    _ => None,
                });
            }
            Reading::Minified => self.minified.push(path),
            Reading::Script => self.scripts.push(path),
            Reading::BuiltIn(names) => {
                let program = path.strip_suffix(".map").unwrap_or(path);
                self.bundles.insert(program);
                self.built_in.push((program, names));
            }
            Reading::Bundler => {
                self.declared.entry(folder(path)).or_default();
                self.bundlers.insert(folder(path));
            }
            Reading::Code => {
                let place = nameless::place(path).unwrap_or(path);
                let is_named = stack.sees(&format!("{place}/package.json"));
                self.nameless.extend((!is_named && !is_of_python(place)).then_some(place));
            }
            _ => {}
        }
        if is_table(path) {
            self.tables.insert(folder(path));
        }
    }

    /// What the app at `at` asks for: what it can do without counts where nothing at all is installed.
    fn asked(&self, at: &str, stack: &Stack<'_>) -> impl Iterator<Item = &'a String> {
        let modules = |folder: &str| match folder {
            "" => "node_modules/".to_owned(),
            folder => format!("{folder}/node_modules/"),
        };
        let is_installed =
            || std::iter::once(at).chain(above(at)).any(|at| stack.first_below(&modules(at)).is_some());
        let wishes = self.wishes.get(at).copied().filter(|_| !is_installed()).unwrap_or_default();
        self.declared.get(at).copied().unwrap_or_default().iter().chain(wishes)
    }
}

/// Looks for it.
pub(crate) fn unseen(
    stack: &Stack<'_>,
    whole: Whole,
    folders: &Folders<'_>,
    owners: &Owners<'_>,
) -> Vec<Unseen> {
    let signs = Signs::of(stack, owners);
    let apps = folders.of_apps();
    let is_app = |at: &str| apps.contains(at) || !above(at).any(|above| signs.declared.contains_key(above));
    let mut found: BTreeMap<String, Unseen> = BTreeMap::new();
    let mut candidate = String::new();
    for &at in signs.declared.keys().filter(|at| is_app(at) || !is_for_tests(at, stack)) {
        if std::iter::once(at).chain(above(at)).any(|folder| signs.tables.contains(folder)) {
            continue;
        }
        let asked = signs.asked(at, stack);
        let missing = asked.filter(|name| folders.resolve(at, name, &mut candidate).is_none());
        let mut declared: Vec<String> = missing.cloned().collect();
        declared.sort();
        if !declared.is_empty() {
            found.insert(at.to_owned(), Unseen { declared, ..Unseen::at(at) });
        }
    }
    let app_of = |path: &&str| {
        above(path).find(|at| signs.declared.contains_key(at) && is_app(at)).unwrap_or_default().to_owned()
    };
    let has_bundler = |path: &&&str| signs.bundlers.contains(app_of(path).as_str());
    let minified: Vec<&str> = signs.minified.iter().filter(has_bundler).copied().collect();
    let mut tell = |path: &str, list: fn(&mut Unseen) -> &mut Vec<String>| {
        let at = app_of(&path);
        let list = list(found.entry(at.clone()).or_insert_with(|| Unseen::at(&at)));
        if list.len() < TOLD_MAX {
            list.push(path.to_owned());
        }
    };
    // In a folder of sources they are what somebody wrote.
    let scripts = signs.scripts.iter().filter(has_bundler).filter(|_| whole == Whole::Image);
    for path in scripts {
        tell(path, |unseen| &mut unseen.may_be_bundles);
    }
    let bundles: BTreeSet<&str> = signs.bundles.iter().copied().chain(minified).collect();
    for path in bundles {
        tell(path, |unseen| &mut unseen.bundles);
    }
    let nameless = signs.nameless.iter().filter(|path| !is_for_tests(outside_modules(path), stack)).copied();
    let linked = linked_code(stack, folders).into_iter().filter(|link| !owners.own(link));
    let nameless: BTreeSet<&str> = nameless.chain(linked).collect();
    for path in nameless {
        tell(path, |unseen| &mut unseen.nameless);
    }
    // Said once, of all that was looked at.
    let is_told = |(path, whose): &&(&str, &str)| match *whose {
        NPM => whole == Whole::Image && is_alone(folder(path), stack),
        whose => !signs.installed.contains(whose),
    };
    let lists = signs.other_lists.iter().filter(is_told);
    let lists: Vec<String> = lists.map(|(path, _)| (*path).to_owned()).take(TOLD_MAX).collect();
    for (program, names) in &signs.built_in {
        if let Some(unseen) = found.get_mut(&app_of(program)) {
            unseen.built_in.extend(names.iter().cloned());
            unseen.built_in.sort();
            unseen.built_in.dedup();
            unseen.built_in.truncate(BUILT_IN_MAX);
        }
    }
    if !lists.is_empty() {
        found.entry(String::new()).or_insert_with(|| Unseen::at("")).other_lists = lists;
    }
    found.into_values().collect()
}

/// The part of a path before its first `node_modules`.
fn outside_modules(path: &str) -> &str {
    path.split("node_modules/").next().unwrap_or_default()
}

/// Packages of Python may bring modules, in ways of their own.
fn is_of_python(place: &str) -> bool {
    place.contains("/python3") && ["/site-packages/", "/dist-packages/"].iter().any(|own| place.contains(own))
}

/// Whether a file is of yarn 1 itself, which the Docker official images put there as one package.
fn is_of_yarn(path: &str, stack: &Stack<'_>) -> bool {
    let folder = path.strip_prefix("opt/yarn-v").and_then(|rest| rest.split('/').next());
    folder.is_some_and(|folder| {
        stack
            .package(&format!("opt/yarn-v{folder}/package.json"))
            .is_some_and(|package| package.name == "yarn")
    })
}

/// Whether a lock file is all that tells of a folder: neither an app nor anything installed is beside it.
fn is_alone(folder: &str, stack: &Stack<'_>) -> bool {
    let beside = |name: &str| if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
    let has = |name: &str| stack.sees(&beside(name));
    !["package.json", ".pnp.cjs", ".pnp.js"].into_iter().any(has)
        && stack.first_below(&beside("node_modules")).is_none()
}

/// How many manifests are passed over because tests work on them.
pub(crate) fn for_tests(stack: &Stack<'_>) -> Option<String> {
    let asks = |reading: &Reading| matches!(reading, Reading::Declares(_) | Reading::Wishes(_));
    let asking = stack.readings().filter(|(_, reading, _)| asks(reading)).map(|(path, ..)| path);
    let passed: BTreeSet<&str> = asking.filter(|path| is_input(path, stack)).collect();
    let (count, manifests) = match passed.len() {
        0 => return None,
        1 => (1, "manifest that asks"),
        count => (count, "manifests that ask"),
    };
    Some(format!("{count} {manifests} for packages in folders of tests ({}) passed over", TESTS.join(", ")))
}

/// Whether a manifest lies in a folder of an app in which tests have their input.
fn is_input(manifest: &str, stack: &Stack<'_>) -> bool {
    is_for_tests(folder(manifest), stack)
}

/// Whether it matters that a file could not be read: a manifest that belongs to no app, package or tool does not.
pub(crate) fn matters(unread: &Unread, stack: &Stack<'_>, owners: &Owners<'_>) -> bool {
    let path = unread.path.as_str();
    let at = folder(path);
    if unread.reader != "npm-package" || is_package_folder(at) {
        return true;
    }
    !is_input(path, stack) && !owners.own(path) && groups::tool_of(path).is_none()
}

/// Whether a folder inside an app is what the app's tests work on. Where no app is above, a name alone says nothing.
fn is_for_tests(folder: &str, stack: &Stack<'_>) -> bool {
    let is_app = |above: &str| {
        let slash = if above.is_empty() { "" } else { "/" };
        stack.sees(&format!("{above}{slash}package.json"))
    };
    let own = std::iter::once(folder).chain(above(folder));
    let mut of_tests = own.filter(|at| TESTS.contains(&at.rsplit('/').next().unwrap_or_default()));
    of_tests.any(|tests| above(tests).any(is_app))
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The folders above, the nearest first, the root last.
fn above(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| path.rsplit_once('/').map(|(folder, _)| folder))
        .skip(1)
        .chain((!path.is_empty()).then_some(""))
}
