//! Which project of a workspace is the app, and what starts it, as arguments of `node`.

use kiln_node::{AppFacts, PackageJson, words};
use kiln_rootfs::RootPath;

use crate::error::ErrorKind;
use crate::{Error, Overrides, Reason};

/// How many scripts may call each other before one runs `node`.
const SCRIPT_DEPTH: usize = 5;
/// Programs that compile or watch while they run: for a desk, not for production.
const DEVELOPMENT_PROGRAMS: [&str; 6] = ["nodemon", "tsx", "ts-node", "ts-node-dev", "vite", "babel-node"];

/// What starts the app.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Start {
    /// Arguments of `node`.
    pub argv: Vec<String>,
    /// Variables that the script sets before it.
    pub env: Vec<(String, String)>,
}

/// What a script of a package runs in the end, if that is `node`.
pub fn script_start(package: &PackageJson, name: &str) -> Result<Start, Error> {
    let mut start = Start::default();
    follow(package, name, SCRIPT_DEPTH, &mut start)?;
    Ok(start)
}

/// What starts the project in `app` (empty for the root): its start script, else its main file.
pub fn default_start(facts: &AppFacts, app: &str) -> Result<Start, Error> {
    choose_entry(facts, &Overrides::default(), app, &mut Vec::new())
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

fn can_start(package: &PackageJson) -> bool {
    package.scripts.contains_key("start")
}

pub(crate) fn choose_entry(
    facts: &AppFacts,
    overrides: &Overrides,
    app: &str,
    reasons: &mut Vec<Reason>,
) -> Result<Start, Error> {
    if let Some(argv) = &overrides.entry {
        reasons.push(Reason::new("start", format!("node {}", argv.join(" ")), "kiln.toml says so"));
        return Ok(Start { argv: argv.clone(), env: Vec::new() });
    }
    let package = facts.workspace.get(app).unwrap_or(&facts.package);
    let start = if can_start(package) {
        let mut start = Start { argv: Vec::new(), env: Vec::new() };
        follow(package, "start", SCRIPT_DEPTH, &mut start)?;
        let script = &package.scripts["start"];
        let because = format!("the start script is `{script}`, and a package manager is no process 1");
        reasons.push(Reason::new("start", format!("node {}", start.argv.join(" ")), because));
        start
    } else {
        let file = main_file(facts, package, app)?;
        reasons.push(Reason::new("start", format!("node {file}"), "there is no start script, but this file"));
        Start { argv: vec![file], env: Vec::new() }
    };
    Ok(start)
}

fn main_file(facts: &AppFacts, package: &PackageJson, app: &str) -> Result<String, Error> {
    let is_there = |file: &str| {
        let path = RootPath::normalise(&format!("{app}/{file}"));
        path.is_ok_and(|path| facts.files.contains(&path))
    };
    // npm starts server.js where there is no script; main may be made by the build.
    if is_there("server.js") {
        return Ok("server.js".to_owned());
    }
    match &package.main {
        Some(main) => Ok(main.trim_start_matches("./").to_owned()),
        None if is_there("index.js") => Ok("index.js".to_owned()),
        None => Err(ErrorKind::NoEntry {
            why: "package.json has no start script and no main, and there is no server.js or index.js"
                .to_owned(),
        }
        .into()),
    }
}

/// Takes a script apart until it runs `node`.
fn follow(package: &PackageJson, name: &str, depth: usize, start: &mut Start) -> Result<(), Error> {
    let fail = |why: String| Err(ErrorKind::NoEntry { why }.into());
    let Some(script) = package.scripts.get(name) else {
        return fail(format!("there is no script `{name}`"));
    };
    if depth == 0 {
        return fail(format!("the script `{name}` is one call too deep"));
    }
    let Some(command) = words(script) else {
        return fail(format!("the script `{name}` needs a shell: `{script}`"));
    };
    start.env.extend(command.env);
    let argv: Vec<&str> = command.argv.iter().map(String::as_str).collect();
    match argv[..] {
        ["node" | "nodejs", ref rest @ ..] if !rest.is_empty() => {
            start.argv = rest.iter().map(|&word| word.to_owned()).collect();
            Ok(())
        }
        ["npm" | "pnpm" | "yarn", "run", next, ..] => follow(package, next, depth - 1, start),
        ["pnpm" | "yarn", next] if package.scripts.contains_key(next) => {
            follow(package, next, depth - 1, start)
        }
        ["next", ref rest @ ..] => {
            start.argv = vec!["node_modules/next/dist/bin/next".to_owned()];
            start.argv.extend(rest.iter().map(|&word| word.to_owned()));
            Ok(())
        }
        ["nest", "start", ..] => {
            start.argv = vec!["dist/main.js".to_owned()];
            Ok(())
        }
        [program, ..] if DEVELOPMENT_PROGRAMS.contains(&program) => fail(format!(
            "the script `{name}` runs `{program}`, which is for development; compile in a build script and start \
             the result"
        )),
        _ => fail(format!("the script `{name}` does not run node: `{script}`")),
    }
}
