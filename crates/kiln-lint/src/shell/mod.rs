//! Shell scripts taken apart into simple commands, as far as a linter needs. What is not understood is said
//! ([`Script::is_known`]), never guessed.

mod lexer;
mod parser;
mod script;

pub use parser::parse;
pub use script::{Joined, Redirect, Script, SimpleCommand, Word};

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
