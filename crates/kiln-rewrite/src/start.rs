//! What the image starts: `node` with its arguments, whatever the old file wrapped around it.

use kiln_dockerfile::Form;
use kiln_node::plain;
use kiln_plan::{default_start, script_start};

use crate::recipe::Set;
use crate::{Project, Recipe};

/// What starts the app.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Start {
    /// Arguments of `node`; empty where a script or a shell starts it.
    pub(crate) argv: Vec<String>,
    /// Variables that are set before.
    pub(crate) env: Vec<(String, String)>,
    /// A program was to hand on signals.
    pub(crate) has_init: bool,
    /// A script of the app's that starts everything, with its path in the image.
    pub(crate) script: Option<String>,
    /// A line that only a shell understands.
    pub(crate) shell: Option<String>,
    /// The folder of the workspace project that is the app.
    pub(crate) app: String,
    /// What was done to the old command, to be told.
    pub(crate) because: Option<String>,
}

/// What programs start several others, or start again what ends.
const SUPERVISORS: [&str; 8] =
    ["supervisord", "s6-svscan", "/init", "forever", "concurrently", "pm2", "crond", "cron"];
/// What is for a desk.
const DESK: [&str; 8] =
    ["nodemon", "ts-node", "ts-node-dev", "tsx", "vite", "babel-node", "serve", "http-server"];
/// How many wrappers may lie around `node`.
const DEPTH: usize = 8;

/// The start of the app, or why there is none that can be right.
pub(crate) fn start(project: &Project, recipe: &Recipe) -> Result<Start, String> {
    let mut start = Start { app: app_folder(project, recipe), ..Start::default() };
    let Some(command) = effective(recipe) else {
        let found = default_start(&project.facts, &start.app).map_err(|error| error.to_string())?;
        start.because = Some("the old file has no CMD".to_owned());
        (start.argv, start.env) = (found.argv, found.env);
        return Ok(start);
    };
    match command {
        Command::Words(words) => unwrap(project, recipe, words, &mut start)?,
        Command::Line(line) => from_line(project, recipe, &line, &mut start, DEPTH)?,
    }
    Ok(start)
}

enum Command {
    Words(Vec<String>),
    Line(String),
}

/// What ENTRYPOINT and CMD give together.
fn effective(recipe: &Recipe) -> Option<Command> {
    let exec = |set: &Option<Set<Form>>| set.as_ref().and_then(|set| set.value.exec()).map(owned);
    let line = |set: &Option<Set<Form>>| {
        set.as_ref().and_then(|set| set.value.shell()).map(|line| line.value.clone())
    };
    if let Some(line) = line(&recipe.entrypoint) {
        return Some(Command::Line(line));
    }
    let entrypoint = exec(&recipe.entrypoint).unwrap_or_default();
    if let Some(line) = line(&recipe.cmd) {
        if entrypoint.is_empty() {
            return Some(Command::Line(line));
        }
        let tail = ["/bin/sh".to_owned(), "-c".to_owned(), line];
        return Some(Command::Words([entrypoint, tail.to_vec()].concat()));
    }
    let cmd = exec(&recipe.cmd).unwrap_or_default();
    if entrypoint.is_empty() && cmd.is_empty() {
        return None;
    }
    let base = recipe.run.base;
    let of_base =
        base.filter(|base| recipe.entrypoint.is_none() && !base.wraps).map(|base| base.entrypoint.clone());
    Some(Command::Words([of_base.unwrap_or_default(), entrypoint, cmd].concat()))
}

fn owned(words: Vec<&str>) -> Vec<String> {
    words.into_iter().map(str::to_owned).collect()
}

fn from_line(
    project: &Project,
    recipe: &Recipe,
    line: &str,
    start: &mut Start,
    depth: usize,
) -> Result<(), String> {
    let line = line.trim();
    match plain(line) {
        Some(command) => {
            start.because.get_or_insert_with(|| {
                format!("`{line}` was started by a shell, which keeps signals for itself")
            });
            start.env.extend(command.env);
            unwrap_at(project, recipe, command.argv, start, depth.saturating_sub(1))
        }
        None if line.contains("nginx") || line.contains("supervisord") => {
            Err(format!("`{line}` starts more than one program"))
        }
        None => {
            start.shell = Some(with_exec(line));
            start.because = Some(format!("`{line}` needs a shell"));
            Ok(())
        }
    }
}

/// The last command takes the place of the shell, so that it hears signals.
fn with_exec(line: &str) -> String {
    let (head, last) = line.rsplit_once("&&").map_or(("", line), |(head, last)| (head, last));
    let last = last.trim();
    let last = if last.starts_with("node ") { format!("exec {last}") } else { last.to_owned() };
    if head.is_empty() { last } else { format!("{}&& {last}", head.trim_start()) }
}

fn unwrap(project: &Project, recipe: &Recipe, words: Vec<String>, start: &mut Start) -> Result<(), String> {
    unwrap_at(project, recipe, words, start, DEPTH)
}

fn unwrap_at(
    project: &Project,
    recipe: &Recipe,
    words: Vec<String>,
    start: &mut Start,
    depth: usize,
) -> Result<(), String> {
    let shown = words.join(" ");
    let Some((first, rest)) = words.split_first().filter(|_| depth > 0) else {
        return Err(format!("`{shown}` does not show what runs in the end"));
    };
    let again = |words: Vec<String>, start: &mut Start| unwrap_at(project, recipe, words, start, depth - 1);
    let program = first.rsplit('/').next().unwrap_or(first);
    match program {
        "sh" | "bash" | "ash"
            if rest.first().is_some_and(|flag| flag.starts_with('-') && flag.contains('c')) =>
        {
            let line = rest.get(1).cloned().unwrap_or_default();
            from_line(project, recipe, &line, start, depth)
        }
        "sh" | "bash" | "ash" if rest.first().is_some_and(|file| has_ending(file, &["sh"])) => {
            again(rest.to_vec(), start)
        }
        "tini" | "dumb-init" | "tini-static" | "catatonit" => {
            start.has_init = true;
            let after = rest.iter().skip_while(|word| word.starts_with('-') && *word != "--");
            again(after.skip_while(|word| *word == "--").cloned().collect(), start)
        }
        "exec" | "env" | "cross-env" => again(rest.to_vec(), start),
        "docker-entrypoint.sh" if is_of_base(project, recipe, first) => again(rest.to_vec(), start),
        // An entrypoint that is node, and a command that is meant for a shell.
        "node" | "nodejs" if rest.first().is_some_and(|next| is_program(next)) => again(rest.to_vec(), start),
        "node" | "nodejs" => node(rest, start),
        "npm" | "pnpm" | "yarn" | "npx" | "bun" => manager(project, recipe, program, rest, start, depth),
        "pm2-runtime" => match rest.iter().find(|word| has_ending(word, &["js", "cjs"])) {
            Some(file) if !file.contains("ecosystem") && !file.contains(".config.") => {
                start.because = Some("pm2 is no process 1: what starts containers restarts them".to_owned());
                start.argv = vec![file.clone()];
                Ok(())
            }
            _ => Err(format!("`{shown}` starts several processes; make an image of each")),
        },
        "next" => {
            start.argv = [vec!["node_modules/next/dist/bin/next".to_owned()], rest.to_vec()].concat();
            Ok(())
        }
        "nest" => {
            start.argv = vec!["dist/main.js".to_owned()];
            Ok(())
        }
        _ if SUPERVISORS.contains(&program) || SUPERVISORS.contains(&first.as_str()) => {
            Err(format!("`{shown}` looks after other processes; make an image of each"))
        }
        _ if DESK.contains(&program) => Err(format!(
            "`{shown}` is for a desk: compile the app in a build script, and start the result with node"
        )),
        _ if has_ending(program, &["sh"]) || first.starts_with("./") => {
            script(project, recipe, first, rest, start)
        }
        _ if has_ending(program, &["js", "mjs", "cjs"]) => node(&words, start),
        _ => match script(project, recipe, first, rest, start) {
            Ok(()) => Ok(()),
            Err(_) => Err(format!("`{shown}` does not start node")),
        },
    }
}

/// `node node x.js`, which an entrypoint that is `node` makes of `CMD ["node", "x.js"]`, starts nothing.
fn node(args: &[String], start: &mut Start) -> Result<(), String> {
    let args: Vec<String> =
        args.iter().skip_while(|word| matches!(word.as_str(), "node" | "nodejs")).cloned().collect();
    if let Some(flag) = args.iter().find(|word| word.starts_with("--inspect") || *word == "--watch") {
        return Err(format!("`{flag}` is for a desk"));
    }
    if args.is_empty() {
        return Err("`node` without a file is a prompt for people".to_owned());
    }
    start.argv = args;
    Ok(())
}

/// The script of the official image, and none of the app's.
fn is_of_base(project: &Project, recipe: &Recipe, path: &str) -> bool {
    let is_copied = recipe
        .copies
        .iter()
        .any(|copied| copied.sources.iter().any(|source| source.ends_with("docker-entrypoint.sh")));
    let is_wrapped = recipe.run.base.is_some_and(|base| base.wraps);
    is_wrapped && !is_copied && !project.has("docker-entrypoint.sh") && !path.starts_with("./")
}

fn script(
    project: &Project,
    recipe: &Recipe,
    path: &str,
    rest: &[String],
    start: &mut Start,
) -> Result<(), String> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let lies = project.scripts.keys().find(|file| file.rsplit('/').next() == Some(name));
    let Some(file) = lies else {
        return Err(format!("`{path}` is no file of the app"));
    };
    start.script = Some(file.clone());
    // What the script is given is what it starts in the end; what that is, it may decide itself.
    if !rest.is_empty() {
        let mut inner = Start { app: start.app.clone(), ..Start::default() };
        if unwrap_at(project, recipe, rest.to_vec(), &mut inner, 4).is_ok() && !inner.argv.is_empty() {
            start.argv = inner.argv;
            start.env.extend(inner.env);
        }
    }
    Ok(())
}

fn manager(
    project: &Project,
    recipe: &Recipe,
    program: &str,
    rest: &[String],
    start: &mut Start,
    depth: usize,
) -> Result<(), String> {
    let shown = format!("{program} {}", rest.join(" "));
    let package = project.package(&start.app);
    let words: Vec<&str> = rest.iter().map(String::as_str).filter(|word| !word.starts_with('-')).collect();
    let name = match (program, words.as_slice()) {
        (
            _,
            ["run" | "run-script", name, ..] | ["workspace", _, "run", name, ..] | ["workspace", _, name, ..],
        ) => *name,
        ("npx", [_, ..]) => {
            let inner = rest.iter().filter(|word| !word.starts_with('-')).cloned().collect();
            return unwrap_at(project, recipe, inner, start, depth - 1);
        }
        // `pnpm --filter api start`
        (_, [one, name, ..])
            if rest
                .first()
                .is_some_and(|flag| matches!(flag.as_str(), "--filter" | "-F" | "-w" | "--workspace")) =>
        {
            let _ = one;
            if *name == "run" { words.get(2).copied().unwrap_or("start") } else { *name }
        }
        ("node", _) => "start",
        (_, [name, ..]) => *name,
        _ => "start",
    };
    if !package.scripts.contains_key(name) {
        // `npm start` without such a script runs server.js.
        let found = default_start(&project.facts, &start.app).map_err(|error| error.to_string())?;
        (start.argv, start.env) = (found.argv, found.env);
    } else if let Ok(found) = script_start(&project.facts, &start.app, name)
        && found.aside.is_empty()
        && found.folder == start.app
    {
        start.env.extend(found.env);
        start.argv = found.argv;
    } else {
        let script = package.scripts[name].clone();
        if script.contains(shown.trim()) {
            return Err(format!("the script `{name}` runs itself"));
        }
        return from_line(project, recipe, &script, start, depth - 1);
    }
    start.because = Some(format!("a package manager hands on no signals: `{}` runs this", shown.trim()));
    Ok(())
}

/// The workspace project that the old file starts: the one whose folder or name it uses.
fn app_folder(project: &Project, recipe: &Recipe) -> String {
    let forms = [&recipe.entrypoint, &recipe.cmd];
    let text: Vec<String> = forms
        .into_iter()
        .flatten()
        .map(|set| match &set.value {
            Form::Exec(words) => words.iter().map(|word| word.value.as_str()).collect::<Vec<_>>().join(" "),
            Form::Shell(line) => line.value.clone(),
        })
        .collect();
    let text = format!(" {} ", text.join(" "));
    for (folder, package) in &project.facts.workspace {
        let by_workdir = recipe.workdir.ends_with(&format!("/{folder}"));
        let by_name = package.name.as_deref().is_some_and(|name| {
            [" ", "\"", "..."].iter().any(|end| text.contains(&format!(" {name}{end}")))
                || text.contains(&format!("={name} "))
        });
        let by_path = text.contains(&format!(" {folder}/"))
            || text.contains(&format!("/{folder}/"))
            || text.contains(&format!(" {folder} "));
        if by_workdir || by_name || by_path {
            return folder.clone();
        }
    }
    String::new()
}

fn is_program(word: &str) -> bool {
    matches!(word, "npm" | "pnpm" | "yarn" | "npx" | "sh" | "bash" | "tini" | "dumb-init" | "/bin/sh")
}

fn has_ending(path: &str, endings: &[&str]) -> bool {
    path.rsplit_once('.').is_some_and(|(_, ending)| endings.contains(&ending))
}
