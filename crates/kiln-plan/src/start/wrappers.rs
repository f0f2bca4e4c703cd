//! Programs that set variables and start another, which the image does not need.

use kiln_node::{Word, assignment};

/// Takes what only sets variables off the front of a command. The error says what cannot be taken off.
pub(super) fn unwrap(
    words: &mut Vec<Word>,
    env: &mut Vec<(String, String)>,
    notes: &mut Vec<String>,
) -> Result<(), String> {
    loop {
        let Some(first) = words.first().and_then(Word::text).map(str::to_owned) else { return Ok(()) };
        if let Some((name, value)) = assignment(&first) {
            env.push((name.to_owned(), value.to_owned()));
            words.remove(0);
            continue;
        }
        let taken = match first.as_str() {
            "exec" | "cross-env" | "cross-env-shell" | "env" | "command" => 1,
            "tini" | "dumb-init" => 1 + usize::from(is(words, 1, "--")),
            "npx" | "bunx" | "pnpx" => 1 + flags(words, 1),
            "pnpm" | "npm" | "yarn" if is(words, 1, "exec") => 2 + flags(words, 2),
            "dotenv" | "dotenv-flow" | "env-cmd" => {
                notes.push(without_files(&first));
                1 + of_files(words, 1, env)?
            }
            "dotenvx" if is(words, 1, "run") => {
                notes.push(without_files(&first));
                2 + of_files(words, 2, env)?
            }
            "sudo" | "gosu" | "su-exec" => {
                return Err(format!("`{first}` changes the user, and the image has one that is not root"));
            }
            "concurrently" | "npm-run-all" | "run-p" | "run-s" => {
                return Err(format!(
                    "`{first}` starts several programs, and an image starts one: make an image of each"
                ));
            }
            _ => return Ok(()),
        };
        words.drain(..taken.min(words.len()));
    }
}

/// How many words from `at` on tell such a program of files and variables; the variables are kept.
fn of_files(words: &[Word], at: usize, env: &mut Vec<(String, String)>) -> Result<usize, String> {
    let mut end = at;
    while let Some(word) = words.get(end).and_then(Word::text).filter(|word| word.starts_with('-')) {
        end += 1;
        let value = words.get(end).and_then(Word::text);
        match word {
            "--" => break,
            "-e" | "-f" | "-p" | "-c" | "-r" | "-fk" | "--file" | "--env-file" | "--environments"
            | "--rc-file" => end += 1,
            "-v" | "--env" => {
                let set = value.and_then(assignment).ok_or_else(|| format!("`{word}` sets no variable"))?;
                env.push((set.0.to_owned(), set.1.to_owned()));
                end += 1;
            }
            "-o" | "--overload" | "--override" | "--quiet" | "-q" | "--silent" | "--fallback" | "-x" => {}
            _ if word.contains('=') => {}
            _ => {
                return Err(format!(
                    "kiln does not know the option `{word}` of a program that reads files of variables"
                ));
            }
        }
    }
    Ok(end - at)
}

fn without_files(program: &str) -> String {
    format!("`{program}` is left out: files of variables (.env) are in no image; set them where it runs")
}

fn is(words: &[Word], at: usize, text: &str) -> bool {
    words.get(at).and_then(Word::text) == Some(text)
}

/// How many of the words from `at` on are flags, with the `--` behind them.
fn flags(words: &[Word], at: usize) -> usize {
    let mut end = at;
    while let Some(word) = words.get(end).and_then(Word::text).filter(|word| word.starts_with('-')) {
        end += 1;
        if word == "--" {
            break;
        }
    }
    end - at
}
