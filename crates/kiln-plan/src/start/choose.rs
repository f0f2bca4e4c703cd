use kiln_node::{AppFacts, NodeArguments, PackageJson, StartCommand};
use kiln_rootfs::RootPath;

use super::follow::Follower;
use super::{Start, outputs};
use crate::error::ErrorKind;
use crate::node_line::{PREFERRED_LINE, node_line};
use crate::{Error, Overrides, Reason};

/// What a script of the project in `app` (empty for the root) runs in the end, if that is `node`.
pub fn script_start(facts: &AppFacts, app: &str, name: &str) -> Result<Start, Error> {
    let line = node_line(&facts.package).unwrap_or(PREFERRED_LINE);
    follow(facts, app, name, line)
}

/// What starts the project in `app` (empty for the root): its start script, else its main file.
pub fn default_start(facts: &AppFacts, app: &str) -> Result<Start, Error> {
    let line = node_line(&facts.package).unwrap_or(PREFERRED_LINE);
    choose_entry(facts, &Overrides::default(), app, line, &mut Vec::new())
}

fn follow(facts: &AppFacts, app: &str, name: &str, line: u32) -> Result<Start, Error> {
    let mut follower = Follower::new(facts, app, line);
    follower.script(name).map_err(|why| ErrorKind::NoEntry { why })?;
    Ok(follower.start)
}

/// The folder of the app: the root where that can start, or the one project of the workspace that can.
pub(crate) fn choose_app(
    facts: &AppFacts,
    overrides: &Overrides,
    reasons: &mut Vec<Reason>,
) -> Result<String, Error> {
    if let Some(folder) = &overrides.app {
        let folder = folder.trim_matches('/').to_owned();
        if !facts.workspace.contains_key(&folder) {
            let why = format!("[image] app is `{folder}`, which is no project of this workspace");
            return Err(ErrorKind::NoEntry { why }.into());
        }
        reasons.push(Reason::new("app", folder.clone(), "kiln.toml says so"));
        return Ok(folder);
    }
    if facts.workspace.is_empty() || overrides.entry.is_some() || can_start(&facts.package) {
        return Ok(String::new());
    }
    let able: Vec<&String> =
        facts.workspace.iter().filter(|(_, package)| can_start(package)).map(|(folder, _)| folder).collect();
    match able[..] {
        [folder] => {
            reasons.push(Reason::new("app", folder.clone(), "it is the one project with a start script"));
            Ok(folder.clone())
        }
        [] => {
            Err(ErrorKind::NoEntry { why: "no project of the workspace has a start script".to_owned() }
                .into())
        }
        _ => {
            let list = able.iter().map(|folder| folder.as_str()).collect::<Vec<_>>().join(", ");
            let why = format!("several projects have a start script: {list}; choose one with [image] app");
            Err(ErrorKind::NoEntry { why }.into())
        }
    }
}

/// The scripts that start an app, the one that counts first.
const STARTS: [&str; 3] = ["start", "start:prod", "start:production"];

fn start_script(package: &PackageJson) -> Option<(&'static str, &String)> {
    STARTS.iter().find_map(|name| Some((*name, package.scripts.get(*name)?)))
}

fn can_start(package: &PackageJson) -> bool {
    start_script(package).is_some()
}

pub(crate) fn choose_entry(
    facts: &AppFacts,
    overrides: &Overrides,
    app: &str,
    line: u32,
    reasons: &mut Vec<Reason>,
) -> Result<Start, Error> {
    if let Some(argv) = &overrides.entry {
        reasons.push(Reason::new("start", format!("node {}", argv.join(" ")), "kiln.toml says so"));
        return Ok(Start { argv: argv.clone(), folder: app.to_owned(), ..Start::default() });
    }
    let package = facts.workspace.get(app).unwrap_or(&facts.package);
    let Some((name, script)) = start_script(package) else {
        if let Some((start, because)) = outputs::of(facts, package, app) {
            reasons.push(Reason::new("start", format!("node {}", start.argv.join(" ")), because));
            return Ok(start);
        }
        if let Some((start, because)) = beside(facts, app, line)? {
            push(&start, because, reasons);
            return Ok(start);
        }
        let file = main_file(facts, package, app)?;
        reasons.push(Reason::new("start", format!("node {file}"), "there is no start script, but this file"));
        return Ok(Start { argv: vec![file], folder: app.to_owned(), ..Start::default() });
    };
    let start = match follow(facts, app, name, line) {
        Ok(start) => start,
        Err(error) => return instead(facts, app, line, reasons).ok_or(error),
    };
    let because = format!("the {name} script is `{script}`, and a package manager is no process 1");
    push(&start, because, reasons);
    reasons.extend(quarrel(facts, app, line, &start));
    Ok(start)
}

fn push(start: &Start, because: String, reasons: &mut Vec<Reason>) {
    reasons.push(Reason::new("start", format!("node {}", start.argv.join(" ")), because));
    reasons.extend(start.notes.iter().map(|note| Reason::told("start", "changed", note.clone())));
    let aside = |aside: &super::Aside| Reason::new("set aside", aside.command.clone(), aside.what.told());
    reasons.extend(start.aside.iter().map(aside));
}

/// What a file beside the app starts, where its start script cannot be followed.
fn instead(facts: &AppFacts, app: &str, line: u32, reasons: &mut Vec<Reason>) -> Option<Start> {
    let mut commands = facts.commands.iter().filter(|_| app.is_empty());
    let (command, start) = commands.find_map(|command| Some((command, run(facts, command, line).ok()?)))?;
    let because = format!(
        "{} starts `{}`, and the start script runs nothing that an image has",
        command.by, command.command
    );
    push(&start, because.clone(), reasons);
    reasons.push(Reason::told("start", "differs", because));
    Some(start)
}

/// What a Procfile or a Dockerfile at the top starts, for an app that nothing else starts.
fn beside(facts: &AppFacts, app: &str, line: u32) -> Result<Option<(Start, String)>, Error> {
    // `npm start` without a script is npm's own `node server.js`.
    let is_start = |command: &str| {
        let mut words = command.split_whitespace().filter(|word| *word != "run");
        matches!((words.next(), words.next()), (Some("npm" | "pnpm" | "yarn"), Some("start")))
    };
    let command = facts.commands.first().filter(|command| app.is_empty() && !is_start(&command.command));
    let Some(command) = command else { return Ok(None) };
    let start = run(facts, command, line).map_err(|why| {
        let why = format!(
            "package.json has no start script, and what {} starts cannot be followed: {why}",
            command.by
        );
        ErrorKind::NoEntry { why }
    })?;
    let because = format!("there is no start script, and {} starts `{}`", command.by, command.command);
    Ok(Some((start, because)))
}

/// What a file beside the app starts in place of what its start script does, where that is something else.
fn quarrel(facts: &AppFacts, app: &str, line: u32, chosen: &Start) -> Option<Reason> {
    let file = |start: &Start| NodeArguments::read(&start.argv).file.map(|file| module(&file).to_owned());
    let other = facts.commands.iter().filter(|_| app.is_empty()).find_map(|command| {
        let start = run(facts, command, line).ok()?;
        (file(&start) != file(chosen)).then(|| (command.by, start.argv.join(" ")))
    });
    let (by, argv) = other?;
    let because = format!(
        "{by} starts `node {argv}`, and the start script `node {}`, which is taken: `entry` under [image] in kiln.toml decides",
        chosen.argv.join(" ")
    );
    Some(Reason::told("start", "differs", because))
}

/// A file as node finds it by a shorter name.
fn module(file: &str) -> &str {
    let file = file.strip_prefix("./").unwrap_or(file);
    let stem = [".js", ".mjs", ".cjs"].iter().find_map(|end| file.strip_suffix(end)).unwrap_or(file);
    stem.strip_suffix("/index").unwrap_or(stem)
}

fn run(facts: &AppFacts, command: &StartCommand, line: u32) -> Result<Start, String> {
    let mut follower = Follower::new(facts, "", line);
    follower.text(command.by, &command.command)?;
    Ok(follower.start)
}

/// The file that is run where there is no start script: npm's `server.js`, else `main` where it is there or made, else `index.js`.
fn main_file(facts: &AppFacts, package: &PackageJson, app: &str) -> Result<String, Error> {
    let is_there = |file: &str| {
        let path = RootPath::normalise(&format!("{app}/{file}"));
        path.is_ok_and(|path| facts.files.contains(&path))
    };
    if is_there("server.js") {
        return Ok("server.js".to_owned());
    }
    let main = package.main.as_deref().map(|main| main.trim_start_matches("./"));
    let is_made = package.scripts.contains_key("build");
    let fits =
        |main: &&str| is_made || ["", ".js", "/index.js"].iter().any(|end| is_there(&format!("{main}{end}")));
    if let Some(main) = main.filter(fits) {
        return Ok(main.to_owned());
    }
    if is_there("index.js") {
        return Ok("index.js".to_owned());
    }
    let why = match main {
        Some(main) => format!("package.json has no start script, and its main, `{main}`, is not there"),
        None => {
            "package.json has no start script and no main, and there is no server.js or index.js".to_owned()
        }
    };
    let while_working = ["dev", "start:dev", "develop", "serve"].iter().find_map(|name| {
        let words = package.scripts.get(*name)?.split_whitespace();
        let file = words
            .map(|word| word.trim_start_matches("./"))
            .find(|word| word.contains('.') && is_there(word))?;
        Some(format!("{why}; the script `{name}` runs `{file}`, which may be it"))
    });
    let why = while_working.unwrap_or(why);
    Err(ErrorKind::NoEntry { why }.into())
}
