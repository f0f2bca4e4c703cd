//! How files beside an app start it: its Dockerfile, its Procfile.

use kiln_disk::Dir;
use kiln_dockerfile::{Command, Form};
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

/// What an image of the last stage starts, from where its files are; `None` where it says nothing, or needs variables.
fn started(text: &str) -> Option<String> {
    let file = kiln_dockerfile::parse(text);
    let stages = file.stages();
    let (mut entrypoint, mut command, mut folder) = (None, None, String::new());
    for instruction in &stages.list.last()?.instructions {
        match &instruction.command {
            Command::Entrypoint(form) => (entrypoint, command) = (Some(words(form)), None),
            Command::Cmd(form) => command = Some(words(form)),
            Command::Workdir(path) => folder = format!("{}/", path.value.trim_end_matches('/')),
            _ => {}
        }
    }
    let all: Vec<String> = entrypoint.into_iter().chain(command).flatten().collect();
    let own = all.iter().skip_while(|word| OF_BASES.contains(&word.rsplit('/').next().unwrap_or(word)));
    let inside = own.map(|word| word.strip_prefix(&folder).filter(|_| folder.len() > 1).unwrap_or(word));
    let line = inside.collect::<Vec<_>>().join(" ");
    (!line.is_empty()).then_some(line)
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
            ("", None),
        ] {
            assert_eq!(started(text).as_deref(), expected, "{text}");
        }
        assert_eq!(web("# x\nworker: node w.js\nweb: node server.js\n").as_deref(), Some("node server.js"));
        assert_eq!(web("release: node r.js\n"), None);
    }
}
