use kiln_node::{AppFacts, Command, Joint, LockedPackage, PackageJson, Word, commands};
use kiln_rootfs::RootPath;

use super::programs::{self, Asked};
use super::scripts::{Called, called};
use super::wrappers::unwrap;
use super::{Aside, AsideKind, Start, aside};

/// How many scripts may call each other before one runs `node`.
pub(super) const SCRIPT_DEPTH: usize = 8;
/// Ends of names of files that node runs, and of those that have none.
const PROGRAMS_OF_NODE: [&str; 7] = [".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ""];

/// Follows a script to what node runs. Errors are fragments that say what is in the way.
pub(super) struct Follower<'a> {
    pub(super) facts: &'a AppFacts,
    /// Folder of the project whose script is followed; empty for the root.
    pub(super) project: String,
    /// The line of Node.js that the image has.
    pub(super) line: u32,
    pub(super) start: Start,
    depth: usize,
}

impl<'a> Follower<'a> {
    pub(super) fn new(facts: &'a AppFacts, project: &str, line: u32) -> Self {
        let start = Start { folder: project.to_owned(), ..Start::default() };
        Self { facts, project: project.to_owned(), line, start, depth: SCRIPT_DEPTH }
    }

    pub(super) fn note(&mut self, text: impl Into<String>) {
        let text = text.into();
        if !self.start.notes.contains(&text) {
            self.start.notes.push(text);
        }
    }

    pub(super) fn package(&self) -> &'a PackageJson {
        self.facts.workspace.get(&self.project).unwrap_or(&self.facts.package)
    }

    /// Where the project or the root asks for a package.
    pub(super) fn asked(&self, package: &str) -> Asked {
        match programs::asked(self.package(), package) {
            Asked::Not => programs::asked(&self.facts.package, package),
            asked => asked,
        }
    }

    /// Why something of a package is not in the image.
    pub(super) fn missing(&self, package: &str, what: &str) -> String {
        match self.asked(package) {
            Asked::Development => {
                format!(
                    "{what}, and `{package}` is among devDependencies, which are not in the image: move it to dependencies, or do without it"
                )
            }
            _ => format!("{what}, and package.json does not ask for `{package}`: add it to dependencies"),
        }
    }

    /// Takes a script apart until it runs `node`.
    pub(super) fn script(&mut self, name: &str) -> Result<(), String> {
        let Some(script) = self.package().scripts.get(name) else {
            return Err(format!("there is no script `{name}`{}", self.of_project()));
        };
        self.depth =
            self.depth.checked_sub(1).ok_or_else(|| format!("the script `{name}` is one call too deep"))?;
        self.prepared(&format!("pre{name}"))?;
        self.text(name, script)
    }

    /// Takes what a script of this name says apart.
    pub(super) fn text(&mut self, name: &str, script: &str) -> Result<(), String> {
        let commands = commands(script).map_err(|why| {
            format!("the script `{name}` has {why}, for which the image has no shell: `{script}`")
        })?;
        self.chain(name, &commands)
    }

    fn of_project(&self) -> String {
        if self.project.is_empty() { String::new() } else { format!(" in {}", self.project) }
    }

    pub(super) fn set_aside(&mut self, command: String, what: AsideKind) {
        self.start.aside.push(Aside { command, what });
    }

    /// The last of the commands starts the app; what stands before it is set aside.
    fn chain(&mut self, name: &str, commands: &[Command]) -> Result<(), String> {
        for (at, command) in commands.iter().enumerate() {
            let behind = commands.get(at + 1);
            match command.joint {
                Joint::And | Joint::Then => self.before(name, command)?,
                Joint::End => return self.command(command.words.clone()),
                Joint::Pipe => {
                    let reader =
                        behind.filter(|next| next.joint == Joint::End).and_then(|next| bare(&next.words));
                    let is_for_logs = |words: &Vec<Word>| words[0].text().is_some_and(aside::is_for_logs);
                    let Some(reader) = reader.filter(is_for_logs) else {
                        return Err(format!(
                            "the script `{name}` sends its output into another program: {}",
                            shown(&command.words)
                        ));
                    };
                    self.set_aside(shown(&reader), AsideKind::Logs);
                    return self.command(command.words.clone());
                }
                Joint::Or | Joint::Background => {
                    return Err(format!(
                        "the script `{name}` starts several programs, and an image starts one: {}",
                        shown(&command.words)
                    ));
                }
            }
        }
        Err(format!("the script `{name}` starts nothing"))
    }

    pub(super) fn enter(&mut self, folder: &str) -> Result<(), String> {
        let path = if folder.starts_with('/') {
            None
        } else {
            RootPath::normalise(&format!("{}/{folder}", self.start.folder)).ok()
        };
        let path = path.ok_or_else(|| format!("`cd {folder}` leaves the app"))?;
        self.start.folder = path.to_string();
        if self.facts.workspace.contains_key(path.as_str()) {
            self.project = path.to_string();
        }
        Ok(())
    }

    /// The command that starts the app.
    pub(super) fn command(&mut self, mut words: Vec<Word>) -> Result<(), String> {
        let mut notes = Vec::new();
        unwrap(&mut words, &mut self.start.env, &mut notes)?;
        for note in notes {
            self.note(note);
        }
        let Some(program) = words.first().and_then(Word::text).map(str::to_owned) else {
            return Err("the script sets variables and starts nothing".to_owned());
        };
        let is_path = program.contains('/');
        let program = program.strip_prefix("./").unwrap_or(&program).to_owned();
        let program = program.strip_prefix("node_modules/.bin/").map_or(program.clone(), str::to_owned);
        if let Some(found) = programs::find(&program) {
            return self.program(&program, found, words.split_off(1));
        }
        let texts = self.texts(words)?;
        let borrowed: Vec<&str> = texts.iter().map(String::as_str).collect();
        match &borrowed[..] {
            ["node" | "nodejs", rest @ ..] => self.node(&owned(rest)),
            ["tsx", rest @ ..] => self.tsx(rest),
            _ if let Some(called) = called(&borrowed) => self.called(&program, &called),
            [_, rest @ ..] if is_path => self.file(&program, rest),
            [_, rest @ ..] => self.unlisted(&program, rest),
            [] => Err("the script starts nothing".to_owned()),
        }
    }

    /// The words as texts; of a variable the value that it has where nothing sets it.
    pub(super) fn texts(&mut self, words: Vec<Word>) -> Result<Vec<String>, String> {
        let mut texts = Vec::new();
        for word in words {
            match word {
                Word::Text(text) => texts.push(text),
                Word::Variable { name, default: Some(value) } => {
                    self.note(format!(
                        "`{name}` in the script is {value}: the image has no shell that would look"
                    ));
                    texts.push(value);
                }
                Word::Variable { name, default: None } => {
                    return Err(format!(
                        "the script takes `${name}` from where it runs, for which the image has no shell: read it in the app"
                    ));
                }
            }
        }
        Ok(texts)
    }

    fn called(&mut self, program: &str, called: &Called<'_>) -> Result<(), String> {
        if called.is_of_several {
            return Err(format!(
                "`{program}` is asked for several projects, and an image starts one: make an image of each"
            ));
        }
        if let Some(wanted) = called.project {
            self.project = self.find_project(wanted).ok_or_else(|| {
                format!("`{program}` is asked for the project `{wanted}`, and the workspace has none of that name, or several")
            })?;
            self.start.folder.clone_from(&self.project);
        }
        let is_desk = matches!(called.script, "serve" | "dev") && program == "nx";
        if is_desk {
            return Err(
                "`nx serve` is for development: build the project, and start what it writes with node"
                    .to_owned(),
            );
        }
        if program == "bun" && !self.package().scripts.contains_key(called.script) {
            return Err(format!(
                "`bun` runs `{}`, and the image has node: compile it in a build script and start the result",
                called.script
            ));
        }
        self.script(called.script)?;
        self.start.argv.extend(called.more.iter().map(|&word| word.to_owned()));
        Ok(())
    }

    /// The folder of a project, by folder or name; by a name without its scope where that is one project's alone.
    fn find_project(&self, wanted: &str) -> Option<String> {
        let folder = wanted.trim_start_matches("./").trim_end_matches('/');
        if folder.is_empty() || folder == "." {
            return Some(String::new());
        }
        let name = |package: &'a PackageJson| package.name.as_deref().unwrap_or_default();
        let projects = || self.facts.workspace.iter();
        let exact = projects().find(|(path, package)| path.as_str() == folder || name(package) == folder);
        let mut unscoped = projects().filter(|(_, package)| name(package).rsplit('/').next() == Some(folder));
        let only = || unscoped.next().filter(|_| unscoped.next().is_none());
        exact.or_else(only).map(|(path, _)| path.clone())
    }

    /// A file that is started without `node` before it.
    fn file(&mut self, program: &str, rest: &[&str]) -> Result<(), String> {
        let name = program.rsplit('/').next().unwrap_or(program);
        let ending = name.rfind('.').map_or("", |at| &name[at..]);
        let path = RootPath::normalise(&format!("{}/{program}", self.start.folder));
        if !PROGRAMS_OF_NODE.contains(&ending) {
            return Err(format!(
                "`{program}` is no program of node, and the image has no shell: start what it starts in the end"
            ));
        }
        let Some(path) = path.ok().filter(|path| self.facts.files.contains(path)) else {
            return Err(format!("there is no file `{program}`"));
        };
        let first = self.facts.sources.get(&path).and_then(|text| text.lines().next()).unwrap_or_default();
        let is_others = first.starts_with("#!") && !first.contains("node");
        if is_others || (ending.is_empty() && !first.starts_with("#!")) {
            return Err(format!(
                "`{program}` does not say that it is a program of node: write `node {program}` if it is one"
            ));
        }
        self.node(&[&[program.to_owned()], &owned(rest)[..]].concat())
    }

    fn tsx(&mut self, rest: &[&str]) -> Result<(), String> {
        if matches!(rest.first(), Some(&"watch")) {
            return Err("`tsx watch` is for development".to_owned());
        }
        if self.asked("tsx") != Asked::Production {
            return Err("`tsx` translates while it runs, and is not among dependencies: compile in a build script and start the result, or move it to dependencies".to_owned());
        }
        self.node(&[&["--import".to_owned(), "tsx".to_owned()], &owned(rest)[..]].concat())
    }

    /// A program that only the lock file knows.
    fn unlisted(&mut self, name: &str, rest: &[&str]) -> Result<(), String> {
        let brings = |package: &&LockedPackage| {
            package.programs.contains_key(name) && self.asked(&package.name) == Asked::Production
        };
        let found =
            self.locked().find(brings).map(|package| (package.name.clone(), package.programs[name].clone()));
        let Some((package, file)) = found else {
            return Err(format!(
                "the script runs `{name}`, and kiln does not know which file of which dependency that is"
            ));
        };
        self.node(&[&[self.module(&package, &file)], &owned(rest)[..]].concat())
    }

    pub(super) fn locked(&self) -> impl Iterator<Item = &'a LockedPackage> {
        self.facts.lock.as_ref().into_iter().flat_map(|(_, lock)| &lock.packages)
    }
}

/// A command without what only sets variables; none where that is all, or cannot be taken off.
pub(super) fn bare(words: &[Word]) -> Option<Vec<Word>> {
    let mut words = words.to_vec();
    unwrap(&mut words, &mut Vec::new(), &mut Vec::new()).ok()?;
    (!words.is_empty()).then_some(words)
}

pub(super) fn texts(words: &[Word]) -> Vec<&str> {
    words.iter().filter_map(Word::text).collect()
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

pub(super) fn shown(words: &[Word]) -> String {
    words.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}
