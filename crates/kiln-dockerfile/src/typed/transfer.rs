use super::{Parts, error, no_flags, place};
use crate::flags::Reader;
use crate::json::{Array, array};
use crate::{Add, Chmod, Command, Copy, Problem, Source, Spanned, Transfer, heredoc};

pub(super) fn transfer(parts: &Parts<'_>, name: &str, problems: &mut Vec<Problem>) -> Option<Command> {
    let Some(mut words) = words(parts, problems) else {
        no_flags_of(parts, name, problems);
        return None;
    };
    let mut flags = Reader::new(&parts.flags, problems);
    let chown = flags.text("chown");
    let chmod = flags.text("chmod");
    let link = flags.switch("link").unwrap_or_default();
    let exclude = flags.list("exclude");
    let (from, parents, checksum, keep_git_dir, unpack) = if name == "COPY" {
        (flags.text("from"), flags.switch("parents").unwrap_or_default(), None, false, None)
    } else {
        let keep = flags.switch("keep-git-dir").unwrap_or_default();
        (None, false, flags.text("checksum"), keep, flags.switch("unpack"))
    };
    if let Some(chmod) = chmod.as_ref().filter(|chmod| !chmod.value.is_empty() && !chmod.value.contains('$'))
        && let Err(why) = Chmod::parse(&chmod.value)
    {
        flags.error(chmod.span, format!("`{}` {why}", chmod.value));
    }
    if let Some(from) = from.as_ref().filter(|from| from.value.contains('$')) {
        flags.error(
            from.span,
            "`--from` cannot be a variable; name a stage `FROM … AS name` with it and copy from that"
                .to_owned(),
        );
    }
    let is_fine = flags.finish(name);
    let dest = match words.pop() {
        Some(dest) if !words.is_empty() => dest,
        _ => {
            error(
                problems,
                "missing-destination",
                place(parts),
                format!("{name} needs a source and a destination"),
            );
            return None;
        }
    };
    if heredoc::is_word(&dest.value) {
        error(problems, "heredoc-destination", dest.span, "a heredoc cannot be the destination");
        return None;
    }
    let sources = words.into_iter().map(|word| source(word, parts)).collect();
    let transfer = Transfer { sources, dest, chown, chmod, link, exclude };
    is_fine.then_some(match name {
        "COPY" => Command::Copy(Copy { transfer, from, parents }),
        _ => Command::Add(Add { transfer, checksum, keep_git_dir, unpack }),
    })
}

fn source(word: Spanned<String>, parts: &Parts<'_>) -> Source {
    let index = heredoc::announced(&word.value)
        .and_then(|announced| parts.heredocs.iter().rposition(|heredoc| heredoc.name == announced.name));
    index.map_or(Source::Path(word), Source::Heredoc)
}

/// Flags of an instruction whose arguments are wrong already: only what no such instruction has is reported.
fn no_flags_of(parts: &Parts<'_>, name: &str, problems: &mut Vec<Problem>) {
    if parts.flags.is_empty() {
        return;
    }
    let mut ignored = Vec::new();
    no_flags(parts, name, &mut ignored);
    let known =
        ["chown", "chmod", "link", "exclude", "from", "parents", "checksum", "keep-git-dir", "unpack"];
    problems.extend(
        ignored
            .into_iter()
            .zip(&parts.flags)
            .filter_map(|(problem, flag)| (!known.contains(&flag.name.value.as_str())).then_some(problem)),
    );
}

/// The words, from an array or between blanks.
pub(super) fn words(parts: &Parts<'_>, problems: &mut Vec<Problem>) -> Option<Vec<Spanned<String>>> {
    let arguments = parts.arguments;
    if arguments.is_empty() {
        return Some(Vec::new());
    }
    match array(arguments.text()) {
        Array::Strings(strings) => {
            let spanned = |(range, value)| Spanned::new(value, arguments.part(range).span());
            Some(strings.into_iter().map(spanned).collect())
        }
        Array::NotOfStrings => {
            let message = "the array holds something else than strings";
            problems.push(Problem::error("not-strings", arguments.span(), message));
            None
        }
        Array::None => {
            Some(arguments.words().into_iter().map(super::super::logical::Part::spanned).collect())
        }
    }
}
