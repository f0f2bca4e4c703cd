//! How files beside an app start it: its Dockerfile, its Procfile.

use kiln_disk::Dir;
use kiln_dockerfile::{Command, Form, Instruction, Source, Stages};
use kiln_node::StartCommand;

use crate::read_in::read_in;

/// The largest of these files that is read, in bytes.
const SIZE_MAX: u64 = 1 << 20;
/// What the base of Node.js starts before the command.
const OF_BASES: [&str; 4] = ["docker-entrypoint.sh", "tini", "dumb-init", "--"];

/// The commands of the files at the top, the one that counts first.
pub(crate) fn collect(root: &Dir) -> Vec<StartCommand> {
    let text = |name: &str| {
        let bytes = read_in(root, name, SIZE_MAX).ok()??;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    };
    let of = |by: &'static str, read: fn(&str) -> Option<String>| {
        Some(StartCommand { by, command: read(&text(by)?)? })
    };
    [of("Procfile", web), of("Dockerfile", started)].into_iter().flatten().collect()
}

/// What a Procfile runs as `web`. Source: Heroku Dev Center, "The Procfile".
fn web(text: &str) -> Option<String> {
    text.lines()
        .find_map(|line| Some(line.strip_prefix("web:")?.trim().to_owned()))
        .filter(|line| !line.is_empty())
}

/// What an image of the last stage starts, from where its files are; `None` where it says nothing, or where its files do not lie as they
/// do in the app.
fn started(text: &str) -> Option<String> {
    let file = kiln_dockerfile::parse(text);
    let stages = file.stages();
    let (mut entrypoint, mut command, mut folders) = (None, None, Vec::new());
    // Where in the app the folder lies that the command runs in.
    let mut inside = String::new();
    for instruction in lineage(&stages) {
        match &instruction.command {
            Command::Entrypoint(form) => (entrypoint, command) = (Some(words(form)), None),
            Command::Cmd(form) => command = Some(words(form)),
            Command::Workdir(path) => folders.push(path.value.trim_end_matches('/').to_owned()),
            Command::Copy(copy) if copy.from.is_none() => {
                let dest = &copy.transfer.dest.value;
                for source in &copy.transfer.sources {
                    match moves(source, dest) {
                        Some(from) if matches!(dest.as_str(), "." | "./") => inside = format!("{from}/"),
                        Some(_) => return None,
                        None => {}
                    }
                }
            }
            _ => {}
        }
    }
    folders.dedup();
    let (first, last) =
        (folders.first().cloned().unwrap_or_default(), folders.last().cloned().unwrap_or_default());
    let below = last.strip_prefix(&first)?.trim_start_matches('/');
    inside += below;
    let folder = format!("{last}/");
    let all: Vec<String> = entrypoint.into_iter().chain(command).flatten().collect();
    let own = all.iter().skip_while(|word| OF_BASES.contains(&word.rsplit('/').next().unwrap_or(word)));
    let own = own.map(|word| word.strip_prefix(&folder).filter(|_| folder.len() > 1).unwrap_or(word));
    let line = own.collect::<Vec<_>>().join(" ");
    let inside = inside.trim_end_matches('/');
    let enter = if inside.is_empty() { String::new() } else { format!("cd {} && ", quoted(inside)) };
    (!line.is_empty()).then(|| enter + &line)
}

/// The instructions of the last stage, after those of the stages that it is built on.
fn lineage<'a>(stages: &'a Stages<'a>) -> Vec<&'a Instruction> {
    let mut all: Vec<&Instruction> = Vec::new();
    let mut next = stages.list.last();
    while let Some(stage) = next {
        all.splice(0..0, stage.instructions.iter().copied());
        let base = stage.from.map(|from| from.image.value.to_lowercase());
        next = stages.list[..stage.index].iter().rfind(|below| below.name.is_some() && below.name == base);
    }
    all
}

/// The folder of the app that a COPY puts elsewhere than it lies: `COPY server/ .`, not `COPY . .` or `COPY src ./src`.
fn moves(source: &Source, dest: &str) -> Option<String> {
    let Source::Path(source) = source else { return None };
    let bare = |path: &str| path.trim_start_matches("./").trim_end_matches('/').to_owned();
    let (source, dest) = (bare(&source.value), bare(dest));
    let is_file = source.rsplit('/').next().is_some_and(|name| name.contains(['.', '*']));
    let stays =
        source.is_empty() || source == "." || is_file || dest.rsplit('/').next() == source.rsplit('/').next();
    (!stays).then_some(source)
}

/// Words of a list that a shell would part or change are in quotes; a line is as it stands.
fn words(form: &Form) -> Vec<String> {
    match form {
        Form::Exec(words) => words.iter().map(|word| quoted(&word.value)).collect(),
        Form::Shell(line) => vec![line.value.clone()],
    }
}

fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:@,+".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_stage_says_what_starts() {
        for (text, expected) in [
            ("FROM node\nWORKDIR /app\nCMD [\"node\", \"/app/dist/main.js\"]", Some("node dist/main.js")),
            (
                "FROM a\nCMD [\"x\"]\nFROM b\nENTRYPOINT [\"docker-entrypoint.sh\"]\nCMD [\"node\", \"a b.js\"]",
                Some("node 'a b.js'"),
            ),
            ("FROM a\nENTRYPOINT [\"/usr/bin/tini\", \"--\"]\nCMD npm start", Some("npm start")),
            ("FROM a\nCMD [\"node\"]\nENTRYPOINT [\"node\", \"b.js\"]", Some("node b.js")),
            ("FROM a\nRUN true", None),
            (
                "FROM node AS a\nWORKDIR /app\nCOPY . .\nCMD [\"node\", \"b.js\"]\nFROM a\nUSER node",
                Some("node b.js"),
            ),
            (
                "FROM node\nWORKDIR /app\nCOPY package*.json ./\nCOPY src ./src\nCMD node src/a.js",
                Some("node src/a.js"),
            ),
            (
                "FROM node\nWORKDIR /app\nCOPY . .\nWORKDIR /app/sub\nCMD node server.js",
                Some("cd sub && node server.js"),
            ),
            (
                "FROM node\nWORKDIR /app\nCOPY backend/ .\nCMD node server.js",
                Some("cd backend && node server.js"),
            ),
            ("FROM node\nWORKDIR /app\nCOPY a ./b\nCMD node server.js", None),
            ("FROM node\nWORKDIR /app\nWORKDIR /srv\nCMD node server.js", None),
            ("", None),
        ] {
            assert_eq!(started(text).as_deref(), expected, "{text}");
        }
        assert_eq!(web("# x\nworker: node w.js\nweb: node server.js\n").as_deref(), Some("node server.js"));
        assert_eq!(web("release: node r.js\n"), None);
    }
}
