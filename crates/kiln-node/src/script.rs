/// One command of a script, as far as it can be taken apart without a shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Variables set before it, in order.
    pub env: Vec<(String, String)>,
    /// Program and arguments.
    pub argv: Vec<String>,
}

/// Takes a script apart into one command; `None` where it needs a shell: lists, pipes, redirections, expansions,
/// globs. A leading `cross-env` and `exec` are understood.
pub fn words(script: &str) -> Option<Command> {
    let mut argv = split(script)?;
    let mut env = Vec::new();
    while let Some(first) = argv.first() {
        if first == "cross-env" || first == "exec" {
            argv.remove(0);
        } else if let Some((name, value)) = first.split_once('=').filter(|(name, _)| is_name(name)) {
            env.push((name.to_owned(), value.to_owned()));
            argv.remove(0);
        } else {
            return Some(Command { env, argv });
        }
    }
    None
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn split(script: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = script.chars();
    while let Some(c) = characters.next() {
        match c {
            ' ' | '\t' => words.extend(word.take()),
            '\'' | '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match characters.next()? {
                        end if end == c => break,
                        '\\' if c == '"' => word.push(characters.next()?),
                        '$' | '`' if c == '"' => return None,
                        other => word.push(other),
                    }
                }
            }
            '\\' => word.get_or_insert_default().push(characters.next()?),
            '$' | '`' | '&' | '|' | ';' | '<' | '>' | '(' | ')' | '*' | '?' | '\n' => return None,
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argv(script: &str) -> Option<Vec<String>> {
        words(script).map(|command| command.argv)
    }

    #[test]
    fn plain_commands_come_apart() {
        assert_eq!(argv("node  dist/server.js").unwrap(), ["node", "dist/server.js"]);
        assert_eq!(argv("node 'a b.js' \"c\\\"d\"").unwrap(), ["node", "a b.js", "c\"d"]);
        let command = words("cross-env NODE_ENV=production PORT=80 node .").unwrap();
        assert_eq!(command.argv, ["node", "."]);
        assert_eq!(command.env[1], ("PORT".to_owned(), "80".to_owned()));
    }

    #[test]
    fn what_needs_a_shell_is_left_whole() {
        for script in ["a && b", "node $X", "a | b", "node 'a", "A=1", "", "node *.js", "a > b"] {
            assert_eq!(words(script), None, "{script}");
        }
    }
}
