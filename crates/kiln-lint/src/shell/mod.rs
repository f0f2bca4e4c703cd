//! Shell scripts taken apart into simple commands, as far as a linter needs. What is not understood is said
//! ([`Script::is_known`]), never guessed.

mod lexer;
mod parser;

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

/// Takes a script apart.
pub fn parse(text: &str) -> Script {
    parser::parse(text)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let script = parse(text);
        let show = |command: &SimpleCommand| {
            let words: Vec<&str> = command.words.iter().map(|word| word.value.as_str()).collect();
            let mark = match command.joined {
                Joined::First => "",
                Joined::And => "&& ",
                Joined::Or => "|| ",
                Joined::Then => "; ",
                Joined::Pipe => "| ",
            };
            format!("{mark}{}", words.join(" "))
        };
        script.commands.iter().map(show).collect()
    }

    #[test]
    fn lists_and_pipes() {
        assert_eq!(shown("a b && c | d || e; f &"), ["a b", "&& c", "| d", "|| e", "; f"]);
        assert_eq!(shown("a\nb # c\n\nd"), ["a", "; b", "; d"]);
        assert_eq!(shown("(a; b) && { c; }"), ["a", "; b", "&& c"]);
    }

    #[test]
    fn quotes_and_variables() {
        let script = parse("a 'b c' \"d $e\" f\\ g $(h i) `j` x='1'");
        let values: Vec<_> =
            script.commands.last().unwrap().words.iter().map(|word| word.value.as_str()).collect();
        assert_eq!(values, ["a", "b c", "d $e", "f g", "$(h i)", "`j`", "x=1"]);
        assert_eq!(script.commands[0].words[0].value, "h");
        assert_eq!(script.commands[1].words[0].value, "j");
        let literal: Vec<_> = script.commands[2].words.iter().map(|word| word.is_literal).collect();
        assert_eq!(literal, [true, true, false, true, false, false, true]);
        assert_eq!(parse("A=1 B=\"x y\" node").commands[0].env[1].1.value, "x y");
    }

    #[test]
    fn conditions_and_loops() {
        let text =
            "if [ -f a ]; then npm ci; else npm i; fi; for x in 1 2; do echo $x; done; while a; do b; done";
        assert_eq!(shown(text), ["[ -f a ]", "; npm ci", "; npm i", "; echo $x", "; a", "; b"]);
        assert!(parse(text).is_known);
        assert!(!parse("case $x in a) b;; esac").is_known);
        assert!(!parse("a 'b").is_known);
        assert!(!parse("f() { a; }").is_known);
    }

    #[test]
    fn redirections_and_heredocs() {
        let script = parse("a > b 2>&1 <<EOF && c\nnot a command\nEOF\nd >>e");
        assert_eq!(script.commands.len(), 3);
        assert_eq!(script.commands[0].redirects[0].target.value, "b");
        assert_eq!(script.commands[2].redirects[0].operator, ">>");
    }

    #[test]
    fn what_starts_a_program_is_not_it() {
        let program =
            |text: &str| parse(text).commands.last().map(|command| command.program().to_owned()).unwrap();
        assert_eq!(program("exec node a.js"), "node");
        assert_eq!(program("env A=1 B=2 /usr/bin/npm ci"), "npm");
        assert_eq!(program("tini -- node a.js"), "node");
        assert_eq!(program("sudo -E apt-get update"), "apt-get");
        assert_eq!(shown("sh -c 'npm ci && x'"), ["sh -c npm ci && x", "npm ci", "&& x"]);
    }
}
