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
            "npx" | "bunx" | "pnpx" => 1 + flags(words, 1, &[]),
            "pnpm" | "npm" | "yarn" if is(words, 1, "exec") => 2 + flags(words, 2, &[]),
            "dotenv" | "env-cmd" | "dotenv-flow" => {
                notes.push(without_files(&first));
                1 + flags(words, 1, &["-e", "-v", "-p", "-c", "-f", "--file", "--environments"])
            }
            "dotenvx" if is(words, 1, "run") => {
                notes.push(without_files(&first));
                2 + flags(words, 2, &["-f", "--env-file", "-fk", "-e", "--env"])
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

fn without_files(program: &str) -> String {
    format!("`{program}` is left out: files of variables (.env) are in no image; set them where it runs")
}

fn is(words: &[Word], at: usize, text: &str) -> bool {
    words.get(at).and_then(Word::text) == Some(text)
}

/// How many of the words from `at` on are flags, with the values of those that take one, and the `--` behind them.
fn flags(words: &[Word], at: usize, with_value: &[&str]) -> usize {
    let mut end = at;
    while let Some(word) = words.get(end).and_then(Word::text).filter(|word| word.starts_with('-')) {
        end += 1 + usize::from(with_value.contains(&word));
        if word == "--" {
            break;
        }
    }
    end - at
}
