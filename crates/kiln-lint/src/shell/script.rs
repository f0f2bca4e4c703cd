use std::ops::Range;

/// A script, flattened: lists, pipes, subshells and the bodies of `if` and loops become one row of commands.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// The commands in the order in which they are written; those of `$(…)` come before the command that uses them.
    pub commands: Vec<SimpleCommand>,
    /// All of it was understood. Otherwise what was found is there, and nothing may be concluded from what is not.
    pub is_known: bool,
}

/// One program with its arguments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SimpleCommand {
    /// `NAME=value` before the program.
    pub env: Vec<(String, Word)>,
    /// Program and arguments, as written.
    pub words: Vec<Word>,
    /// `>`, `<` and the like.
    pub redirects: Vec<Redirect>,
    /// What joins it to the command before.
    pub joined: Joined,
    /// How many subshells, braces, bodies and substitutions it is in.
    pub depth: usize,
    /// It stands in the argument of `sh -c`, so its ranges are those of that argument.
    pub is_quoted: bool,
    /// From its first word to its last.
    pub range: Range<usize>,
}

/// What stands between two commands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Joined {
    /// Nothing: it is the first, here or in its subshell.
    #[default]
    First,
    /// `&&`
    And,
    /// `||`
    Or,
    /// `;`, `&` or a line end.
    Then,
    /// `|`
    Pipe,
}

/// A word of a command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Word {
    /// Without quotes; variables and substitutions stay as they are written.
    pub value: String,
    /// Nothing in it is replaced by the shell.
    pub is_literal: bool,
    /// Where it is in the script.
    pub range: Range<usize>,
}

/// A redirection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// `>`, `>>`, `<`, `<<`, with the number before it.
    pub operator: String,
    /// The file.
    pub target: Word,
}

impl SimpleCommand {
    /// Program and arguments without what only starts them: `exec`, `sudo`, `env A=b`, `tini --` and the like.
    pub fn argv(&self) -> &[Word] {
        const STARTERS: [&str; 12] = [
            "exec",
            "sudo",
            "command",
            "time",
            "nohup",
            "builtin",
            "dumb-init",
            "tini",
            "/sbin/tini",
            "/usr/bin/tini",
            "/usr/bin/dumb-init",
            "nice",
        ];
        let mut words = self.words.as_slice();
        while let Some((first, rest)) = words.split_first() {
            let is_env = matches!(first.value.as_str(), "env" | "cross-env");
            if !is_env && !STARTERS.contains(&first.value.as_str()) || rest.is_empty() {
                break;
            }
            let skipped = rest
                .iter()
                .take_while(|word| word.value.starts_with('-') || (is_env && word.value.contains('=')));
            words = rest.get(skipped.count()..).unwrap_or_default();
        }
        words
    }

    /// The program, without its folder; empty where there is none.
    pub fn program(&self) -> &str {
        let name = self.argv().first().map_or("", |word| word.value.as_str());
        name.rsplit('/').next().unwrap_or(name)
    }

    /// The arguments as texts.
    pub fn args(&self) -> Vec<&str> {
        self.argv().iter().skip(1).map(|word| word.value.as_str()).collect()
    }

    /// Whether an argument is one of these flags, alone or with `=value`.
    pub fn has_flag(&self, flags: &[&str]) -> bool {
        self.flag(flags).is_some()
    }

    /// The argument that is one of these flags.
    pub fn flag(&self, flags: &[&str]) -> Option<&Word> {
        self.argv().iter().skip(1).find(|word| {
            let name = word.value.split('=').next().unwrap_or_default();
            flags.contains(&name)
        })
    }

    /// The arguments that are no flags.
    pub fn operands(&self) -> impl Iterator<Item = &Word> {
        self.argv().iter().skip(1).filter(|word| !word.value.starts_with('-'))
    }
}
