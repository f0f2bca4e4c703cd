//! Scripts of `package.json`, taken apart as far as that goes without a shell.

/// One command of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Program and arguments, as they stand there: variables set before it, and programs that start it, among them.
    pub words: Vec<Word>,
    /// What stands between it and the next.
    pub joint: Joint,
}

/// One word of a command, without its quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// A text that a shell does not change.
    Text(String),
    /// `$NAME`, `${NAME}` or `${NAME:-default}`, and nothing else.
    Variable {
        /// `PORT`
        name: String,
        /// What stands for it where it is not set.
        default: Option<String>,
    },
}

/// What stands behind a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joint {
    /// Nothing.
    End,
    /// `&&`
    And,
    /// `;`
    Then,
    /// `||`
    Or,
    /// `|`
    Pipe,
    /// `&`
    Background,
}

impl Word {
    /// The text, where it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Variable { .. } => None,
        }
    }
}

impl std::fmt::Display for Word {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Variable { name, default: None } => write!(f, "${name}"),
            Self::Variable { name, default: Some(default) } => write!(f, "${{{name}:-{default}}}"),
        }
    }
}

/// Takes a script apart into its commands. The error says what in it only a shell understands. Source: POSIX.1-2024, "Shell Command
/// Language", 2.2 and 2.3.
pub fn commands(script: &str) -> Result<Vec<Command>, &'static str> {
    let mut reader =
        Reader { rest: script.chars().peekable(), words: Vec::new(), word: None, commands: Vec::new() };
    reader.read()?;
    Ok(reader.commands)
}

/// A script that is one command without anything for a shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlainCommand {
    /// Variables set before it, in order.
    pub env: Vec<(String, String)>,
    /// Program and arguments.
    pub argv: Vec<String>,
}

/// The one command that a script is; `None` where it is several, or needs a shell. A leading `cross-env` and `exec` are understood.
pub fn plain(script: &str) -> Option<PlainCommand> {
    let commands = commands(script).ok()?;
    let [command] = &commands[..] else { return None };
    let words: Option<Vec<&str>> = command.words.iter().map(Word::text).collect();
    let (mut env, mut argv) = (Vec::new(), Vec::new());
    for word in words? {
        match assignment(word) {
            Some((name, value)) if argv.is_empty() => env.push((name.to_owned(), value.to_owned())),
            _ if argv.is_empty() && matches!(word, "cross-env" | "exec") => {}
            _ => argv.push(word.to_owned()),
        }
    }
    (!argv.is_empty() && command.joint == Joint::End).then_some(PlainCommand { env, argv })
}

/// Whether a word sets a variable for the command behind it, and which.
pub fn assignment(word: &str) -> Option<(&str, &str)> {
    let (name, value) = word.split_once('=')?;
    let is_name = !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    is_name.then_some((name, value))
}

struct Reader<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    words: Vec<Word>,
    /// The word that is being read.
    word: Option<Word>,
    commands: Vec<Command>,
}

impl Reader<'_> {
    fn read(&mut self) -> Result<(), &'static str> {
        while let Some(c) = self.rest.next() {
            match c {
                ' ' | '\t' => self.end_word(),
                '\'' => self.quoted()?,
                '"' => self.double_quoted()?,
                '\\' => {
                    let next = self.rest.next().ok_or("a backslash at its end")?;
                    self.push(next)?;
                }
                '$' => self.variable()?,
                '&' if self.rest.next_if_eq(&'&').is_some() => self.end_command(Joint::And)?,
                '|' if self.rest.next_if_eq(&'|').is_some() => self.end_command(Joint::Or)?,
                '&' => self.end_command(Joint::Background)?,
                '|' => self.end_command(Joint::Pipe)?,
                ';' | '\n' => self.end_command(Joint::Then)?,
                '<' | '>' => return Err("a redirection"),
                '`' => return Err("a command whose output is taken"),
                '(' | ')' => return Err("brackets"),
                '*' | '?' => return Err("a pattern of file names"),
                other => self.push(other)?,
            }
        }
        self.end_word();
        if !self.words.is_empty() {
            return self.end_command(Joint::End);
        }
        match self.commands.last_mut() {
            Some(last) if last.joint == Joint::Then => last.joint = Joint::End,
            Some(last) if last.joint == Joint::Background => {}
            _ => return Err("no command"),
        }
        Ok(())
    }

    fn push(&mut self, c: char) -> Result<(), &'static str> {
        match self.word.get_or_insert_with(|| Word::Text(String::new())) {
            Word::Text(text) => text.push(c),
            Word::Variable { .. } => return Err("a variable inside a word"),
        }
        Ok(())
    }

    fn quoted(&mut self) -> Result<(), &'static str> {
        self.word.get_or_insert_with(|| Word::Text(String::new()));
        loop {
            match self.rest.next().ok_or("a quote that does not end")? {
                '\'' => return Ok(()),
                other => self.push(other)?,
            }
        }
    }

    fn double_quoted(&mut self) -> Result<(), &'static str> {
        if self.rest.next_if_eq(&'$').is_some() {
            self.variable()?;
            return self.rest.next_if_eq(&'"').map(|_| ()).ok_or("a variable inside a word");
        }
        self.word.get_or_insert_with(|| Word::Text(String::new()));
        loop {
            match self.rest.next().ok_or("a quote that does not end")? {
                '"' => return Ok(()),
                '\\' => match self.rest.next().ok_or("a quote that does not end")? {
                    '\n' => {}
                    next @ ('$' | '`' | '"' | '\\') => self.push(next)?,
                    // Before all else it stands for itself.
                    next => {
                        self.push('\\')?;
                        self.push(next)?;
                    }
                },
                '$' => return Err("a variable inside a word"),
                '`' => return Err("a command whose output is taken"),
                other => self.push(other)?,
            }
        }
    }

    /// What follows a `$`.
    fn variable(&mut self) -> Result<(), &'static str> {
        let in_braces = self.rest.next_if_eq(&'{').is_some();
        let mut name = String::new();
        while let Some(c) = self.rest.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
            name.push(c);
        }
        let mut default = None;
        if in_braces {
            let mut text = String::new();
            loop {
                match self.rest.next().ok_or("a bracket that does not end")? {
                    '}' => break,
                    '$' | '`' | '"' | '\'' | '\\' => return Err("a variable with a rule"),
                    other => text.push(other),
                }
            }
            default = match text.strip_prefix(":-").or_else(|| text.strip_prefix('-')) {
                Some(value) => Some(value.to_owned()),
                None if text.is_empty() => None,
                None => return Err("a variable with a rule"),
            };
        }
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            return Err("something that only a shell replaces");
        }
        if self.word.is_some() {
            return Err("a variable inside a word");
        }
        self.word = Some(Word::Variable { name, default });
        Ok(())
    }

    fn end_word(&mut self) {
        self.words.extend(self.word.take());
    }

    fn end_command(&mut self, joint: Joint) -> Result<(), &'static str> {
        self.end_word();
        if self.words.is_empty() {
            return Err("no command where one belongs");
        }
        self.commands.push(Command { words: std::mem::take(&mut self.words), joint });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(script: &str) -> Vec<(String, Joint)> {
        let commands = commands(script).unwrap();
        let words =
            |command: &Command| command.words.iter().map(ToString::to_string).collect::<Vec<_>>().join("|");
        commands.iter().map(|command| (words(command), command.joint)).collect()
    }

    #[test]
    fn scripts_come_apart() {
        for (script, expected) in [
            ("node  dist/server.js", vec![("node|dist/server.js", Joint::End)]),
            ("node 'a b.js' \"c\\\"d\" ''", vec![("node|a b.js|c\"d|", Joint::End)]),
            ("A=1 node .;", vec![("A=1|node|.", Joint::End)]),
            (r#"node "^\d+" "a\"b""#, vec![(r#"node|^\d+|a"b"#, Joint::End)]),
            (
                "a && b; c || d | e",
                vec![
                    ("a", Joint::And),
                    ("b", Joint::Then),
                    ("c", Joint::Or),
                    ("d", Joint::Pipe),
                    ("e", Joint::End),
                ],
            ),
            ("a &", vec![("a", Joint::Background)]),
            ("x $PORT \"$HOST\" ${A} ${B:-3000}", vec![("x|$PORT|$HOST|$A|${B:-3000}", Joint::End)]),
        ] {
            let expected: Vec<_> =
                expected.into_iter().map(|(words, joint)| (words.to_owned(), joint)).collect();
            assert_eq!(shown(script), expected, "{script}");
        }
    }

    #[test]
    fn what_needs_a_shell_is_named() {
        for (script, why) in [
            ("a > b", "redirection"),
            ("a 2>&1", "redirection"),
            ("node $(x)", "shell replaces"),
            ("`x`", "output"),
            ("node *.js", "pattern"),
            ("node a$B", "inside a word"),
            ("node \"$A/b\"", "inside a word"),
            ("node 'a", "quote"),
            ("", "no command"),
            ("a && ", "no command"),
            ("&& a", "no command"),
            ("${A:?x}", "rule"),
            ("(a)", "brackets"),
            ("a \\", "backslash"),
            ("${A", "bracket"),
            ("$1", "shell replaces"),
        ] {
            assert!(commands(script).unwrap_err().contains(why), "{script}: {:?}", commands(script));
        }
    }

    #[test]
    fn assignments_are_told_from_words() {
        assert_eq!(assignment("NODE_ENV=production"), Some(("NODE_ENV", "production")));
        assert_eq!((assignment("1A=2"), assignment("--a=b"), assignment("=x")), (None, None, None));
    }
}
