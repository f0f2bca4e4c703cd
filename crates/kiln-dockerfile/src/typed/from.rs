use super::{Parts, error, place};
use crate::flags::Reader;
use crate::{Command, From, Problem};

pub(super) fn from(parts: &Parts<'_>, problems: &mut Vec<Problem>) -> Option<Command> {
    let mut flags = Reader::new(&parts.flags, problems);
    let platform = flags.text("platform");
    let is_fine = flags.finish("FROM");
    let words = if parts.arguments.is_empty() { Vec::new() } else { parts.arguments.words() };
    let (image, name) = match words.as_slice() {
        [image] => (image, None),
        [image, word, name] if word.text().eq_ignore_ascii_case("as") => (image, Some((word, name))),
        [] => {
            error(
                problems,
                "missing-argument",
                parts.keyword.span(),
                "FROM needs an image, `scratch` or a stage",
            );
            return None;
        }
        [image, name] if !name.text().eq_ignore_ascii_case("as") => {
            let help = format!("FROM {} AS {}", image.text(), name.text());
            let message = "FROM takes an image, or an image, `AS` and a name";
            problems.push(Problem::error("from-arguments", place(parts), message).with_help(help));
            return None;
        }
        _ => {
            error(
                problems,
                "from-arguments",
                place(parts),
                "FROM takes an image, or an image, `AS` and a name",
            );
            return None;
        }
    };
    if let Some((_, name)) = name.filter(|(_, name)| !is_stage_name(name.text())) {
        let message = format!("`{}` cannot name a stage", name.text());
        let help = "a letter, then letters, digits, `-`, `_` and `.`";
        problems.push(Problem::error("stage-name", name.span(), message).with_help(help));
        return None;
    }
    is_fine.then(|| {
        Command::From(From {
            platform,
            image: image.spanned(),
            as_word: name.map(|(word, _)| word.spanned()),
            name: name.map(|(_, name)| name.spanned()),
        })
    })
}

fn is_stage_name(name: &str) -> bool {
    let name = name.to_lowercase();
    name.starts_with(|char: char| char.is_ascii_lowercase())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte))
}
