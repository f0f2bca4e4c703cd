//! Programs of dependencies, and programs that keep others running.

use kiln_node::{Linker, LockKind, Word};
use kiln_rootfs::RootPath;
use serde_json::Value;

use super::follow::Follower;
use super::programs::{Asked, Program, ProgramKind};

/// Ends of files that say what is started.
const CONFIGURATIONS: [&str; 3] = [".json", ".yml", ".yaml"];

/// Variables of such a file that may stand in an image: others may be secrets, which are given where it runs.
const PLAIN: [&str; 5] = ["HOST", "HOSTNAME", "NODE_ENV", "PORT", "TZ"];

/// What such a file may say besides that changes what is started.
const MORE: [&str; 8] =
    ["args", "cwd", "env", "env_production", "interpreter", "node_args", "nodeArgs", "exec_interpreter"];
/// Options of pm2 and forever that take a value and only say how it is kept.
const WITH_VALUE: [&str; 20] = [
    "--name",
    "-n",
    "-i",
    "--instances",
    "--max-memory-restart",
    "-l",
    "--log",
    "-o",
    "--output",
    "-e",
    "--error",
    "--log-date-format",
    "-p",
    "--pid",
    "-m",
    "--minUptime",
    "--spinSleepTime",
    "--uid",
    "--env",
    "--kill-timeout",
];
/// Those that take none.
const ALONE: [&str; 9] = [
    "--no-daemon",
    "--no-autorestart",
    "--raw",
    "--json",
    "--merge-logs",
    "--time",
    "-a",
    "--append",
    "--auto-exit",
];

impl Follower<'_> {
    pub(super) fn program(&mut self, name: &str, program: Program, words: Vec<Word>) -> Result<(), String> {
        match program.kind {
            ProgramKind::Desk => Err(format!("`{name}` is for development: {}", program.instead)),
            ProgramKind::Keeper => {
                let texts = self.texts(words)?;
                self.kept(name, &texts)
            }
            ProgramKind::Output => {
                let is_desk =
                    |word: &Word| matches!(word.text(), Some("--watch" | "-w" | "--debug" | "-d" | "dev"));
                if words.iter().any(is_desk) {
                    return Err(format!("`{name}` with these options is for development"));
                }
                if words.len() > 1 {
                    return Err(format!(
                        "`{name}` with these options starts something else than usual: name the file"
                    ));
                }
                self.start.port = program.port;
                self.note(format!("`{name}` runs what its build leaves behind"));
                self.node(&[program.file.to_owned()])
            }
            ProgramKind::Server => self.server(name, program, words),
        }
    }

    /// A program of a dependency, run by node.
    fn server(&mut self, name: &str, program: Program, words: Vec<Word>) -> Result<(), String> {
        let package = program.package;
        if self.asked(package) != Asked::Production {
            return Err(self.missing(package, &format!("the script runs `{name}`")));
        }
        if matches!(words.first().and_then(Word::text), Some("dev" | "develop")) {
            return Err(format!("`{name} {}` is for development", words[0]));
        }
        let words = self.with_port(program, words);
        let (mut texts, known) = (self.texts(words)?, self.locked().find(|locked| locked.name == package));
        let file = known.and_then(|locked| locked.programs.get(name)).map_or(program.file, String::as_str);
        self.open(name, program.instead, &mut texts);
        let argv = [&[self.module(package, file)], &texts[..]].concat();
        self.start.port = port_among(&texts).or(self.start.port).or(program.port);
        self.node(&argv)
    }

    /// Lets others reach a server that listens for its own machine alone, unless the script says where it listens.
    fn open(&mut self, name: &str, opens: &str, texts: &mut Vec<String>) {
        let mut parts = opens.split(' ').filter(|part| !part.is_empty()).peekable();
        let Some(first) = parts.peek().copied() else { return };
        let is_said = if let Some((variable, value)) = first.split_once('=') {
            let is_set = self.start.env.iter().any(|(name, _)| name == variable);
            if !is_set {
                self.start.env.push((variable.to_owned(), value.to_owned()));
            }
            is_set
        } else {
            let said = ["-a", "--address", "-H", "--host", "-l", "--listen"];
            let is_said = texts.iter().any(|text| said.contains(&text.split('=').next().unwrap_or(text)));
            if !is_said {
                texts.extend(parts.map(str::to_owned));
            }
            is_said
        };
        if !is_said {
            self.note(format!("`{name}` listens for its own machine alone, so it is told `{opens}`"));
        }
    }

    /// Without `-p $PORT`, where the program reads the variable itself.
    fn with_port(&mut self, program: Program, mut words: Vec<Word>) -> Vec<Word> {
        let is_port = |word: &Word| matches!(word, Word::Variable { name, .. } if name == "PORT");
        let flag = |word: &Word| matches!(word.text(), Some("-p" | "--port" | "-l" | "--listen"));
        let at = words.windows(2).position(|pair| flag(&pair[0]) && is_port(&pair[1]));
        if let (Some(at), Some(_)) = (at, program.port) {
            if let Word::Variable { default: Some(port), .. } = &words[at + 1] {
                self.start.port = port.parse().ok();
                self.start.env.push(("PORT".to_owned(), port.clone()));
            }
            words.drain(at..at + 2);
            self.note("`$PORT` is left out of the arguments: the program reads the variable itself");
        }
        words
    }

    /// What a keeper of programs starts.
    fn kept(&mut self, name: &str, words: &[String]) -> Result<(), String> {
        let kept = kept(name, words)?;
        self.note(format!(
            "`{name}` is left out: where the image runs, what ends is started again, and copies are replicas"
        ));
        if matches!(kept.file, "npm" | "pnpm" | "yarn") {
            let words = std::iter::once(kept.file).chain(kept.arguments.iter().map(String::as_str));
            return self.command(words.map(|word| Word::Text(word.to_owned())).collect());
        }
        let is_configuration =
            kept.file.contains(".config.") || CONFIGURATIONS.iter().any(|end| kept.file.ends_with(end));
        let file = if is_configuration { self.configured(name, kept.file)? } else { kept.file.to_owned() };
        self.node(&[&[file], kept.arguments].concat())
    }

    /// The one script that a configuration of pm2 names.
    fn configured(&mut self, name: &str, file: &str) -> Result<String, String> {
        let text = RootPath::normalise(&format!("{}/{file}", self.start.folder))
            .ok()
            .and_then(|path| self.facts.sources.get(&path));
        // What is data is read as that, with the variables that it sets.
        if let Some(app) =
            text.and_then(|text| serde_json::from_str(text).ok()).and_then(|all| only_app(&all))
        {
            let odd = MORE.iter().find(|key| **key != "env" && app.get(**key).is_some());
            let script = app.get("script").and_then(Value::as_str).filter(|_| odd.is_none());
            let plain = texts(app.get("env"))
                .filter(|env| env.iter().all(|(name, _)| PLAIN.contains(&name.as_str())));
            if let (Some(script), Some(env)) = (script, plain) {
                self.start.env.extend(env);
                return Ok(script.to_owned());
            }
        }
        let says_more = MORE.iter().find(|key| text.is_some_and(|text| members(text, key).next().is_some()));
        if let Some(key) = says_more {
            return Err(format!(
                "`{file}` says `{key}`, too, which the image does not read: name what starts"
            ));
        }
        let scripts: Vec<&str> =
            text.into_iter().flat_map(|text| members(text, "script")).filter_map(quoted).collect();
        match scripts[..] {
            [one] => Ok(one.to_owned()),
            [] => {
                Err(format!("`{name}` starts what `{file}` says, and no plain `script: \"FILE\"` is in it"))
            }
            _ => Err(format!(
                "`{file}` starts several programs, and an image starts one: make an image of each"
            )),
        }
    }

    /// The path of a file of a package, from the folder that the app starts in.
    pub(super) fn module(&self, package: &str, file: &str) -> String {
        let file = file.trim_start_matches("./");
        // npm and yarn put what a project asks for at the root; pnpm below the project.
        let is_pnpm = self.facts.lock.as_ref().is_some_and(|(kind, _)| *kind == LockKind::Pnpm);
        let is_like_pnpm = self.facts.yarn.as_ref().is_some_and(|yarn| yarn.linker == Linker::Pnpm);
        let above = if is_pnpm || is_like_pnpm {
            self.start.folder.strip_prefix(&self.project).unwrap_or(&self.start.folder)
        } else {
            &self.start.folder
        };
        let up = "../".repeat(above.split('/').filter(|part| !part.is_empty()).count());
        format!("{up}node_modules/{package}/{file}")
    }
}

/// The one app of a configuration of pm2.
fn only_app(all: &Value) -> Option<Value> {
    match all
        .get("apps")
        .map_or(Some(std::slice::from_ref(all)), |apps| apps.as_array().map(Vec::as_slice))?
    {
        [app] => Some(app.clone()),
        _ => None,
    }
}

/// Names and texts of an object; `None` where something in it is neither a text nor a number.
fn texts(object: Option<&Value>) -> Option<Vec<(String, String)>> {
    let Some(object) = object else { return Some(Vec::new()) };
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    object.as_object()?.iter().map(|(name, value)| Some((name.clone(), text(value)?))).collect()
}

/// What a keeper is asked to start.
struct Kept<'a> {
    file: &'a str,
    arguments: &'a [String],
}

/// Takes apart what stands behind `pm2` or `forever`. Source: their `--help`.
fn kept<'a>(name: &str, words: &'a [String]) -> Result<Kept<'a>, String> {
    let mut rest = words;
    let mut file = None;
    while let Some((word, behind)) = rest.split_first() {
        let takes_value = WITH_VALUE.contains(&word.as_str());
        match word.as_str() {
            "--" => {
                rest = behind;
                break;
            }
            // What stands behind the file is the file's, for forever.
            _ if name == "forever" && file.is_some() => break,
            "start" | "run" if file.is_none() => rest = behind,
            _ if takes_value => rest = behind.get(1..).unwrap_or_default(),
            _ if ALONE.contains(&word.as_str()) => rest = behind,
            _ if word.starts_with('-') => {
                return Err(format!("kiln does not know the option `{word}` of `{name}`"));
            }
            _ if file.is_none() => {
                file = Some(word.as_str());
                rest = behind;
            }
            _ => return Err(format!("`{name}` is asked for several programs, and an image starts one")),
        }
    }
    let file = file.ok_or_else(|| format!("`{name}` is given no file"))?;
    Ok(Kept { file, arguments: rest })
}

/// The number behind `-p`, `--port` or `--port=`.
fn port_among(words: &[String]) -> Option<u16> {
    let behind = words
        .windows(2)
        .find(|pair| matches!(pair[0].as_str(), "-p" | "--port"))
        .map(|pair| pair[1].as_str());
    let joined =
        || words.iter().find_map(|word| word.strip_prefix("--port=").or_else(|| word.strip_prefix("-p=")));
    behind.or_else(joined)?.parse().ok()
}

/// What stands behind each `key:` in JavaScript or JSON, without looking at what it is about.
fn members<'t>(text: &'t str, key: &str) -> impl Iterator<Item = &'t str> {
    text.match_indices(key).filter_map(|(at, found)| {
        let begins_word = !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let rest = text[at + found.len()..].trim_start_matches(['\'', '"']).trim_start();
        rest.strip_prefix(':').filter(|_| begins_word).map(str::trim_start)
    })
}

/// The text in quotes that something begins with.
fn quoted(text: &str) -> Option<&str> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"' | '`'))?;
    text[1..].split_once(quote).map(|(value, _)| value)
}
