//! Variables: every operator, quotes, words, errors; and the scopes of ARG and ENV.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;

use kiln_dockerfile::{Command, Lookup, Nothing, Scope, expand, expand_heredoc, expand_words, parse};

fn variables(name: &str) -> Option<String> {
    let table = [
        ("a", "one"),
        ("e", ""),
        ("v", "24.11.1"),
        ("p", "/usr/local/bin/node"),
        ("w", "x  y z"),
        ("q", "a*b*c"),
    ];
    table.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
}

#[track_caller]
fn is(word: &str, value: &str) {
    assert_eq!(expand(word, &variables, '\\').unwrap().value, value, "{word}");
}

#[track_caller]
fn fails(word: &str, message: &str) {
    let error = expand(word, &variables, '\\').unwrap_err().to_string();
    assert!(error.contains(message), "{word}: {error}");
}

#[test]
fn plain_and_braced() {
    is("$a", "one");
    is("${a}b", "oneb");
    is("$ab", "");
    is("x$a/y", "xone/y");
    is("$", "$");
    is("$ x", "$ x");
    is("a$", "a$");
}

#[test]
fn special_parameters_are_empty() {
    for word in ["$1", "$12", "$@", "$*", "$#", "$?", "$-", "$$", "$!", "$0", "${1}"] {
        is(word, "");
    }
    is("$1a", "a");
}

#[test]
fn defaults_and_alternatives() {
    is("${a:-x}", "one");
    is("${n:-x}", "x");
    is("${e:-x}", "x");
    is("${e-x}", "");
    is("${n-x}", "x");
    is("${a:+x}", "x");
    is("${e:+x}", "");
    is("${e+x}", "x");
    is("${n+x}", "");
    is("${a:?gone}", "one");
    is("${e?gone}", "");
    is("${n:-${m:-$a}}", "one");
    is("${n:-\"a b\"}", "a b");
    is("${n:-}", "");
}

#[test]
fn required_variables_stop() {
    fails("${n:?set it}", "n: set it");
    fails("${n?}", "n: it must be set");
    fails("${e:?}", "e: it must not be empty");
}

#[test]
fn prefixes_and_suffixes() {
    is("${v%.*}", "24.11");
    is("${v%%.*}", "24");
    is("${v#*.}", "11.1");
    is("${v##*.}", "1");
    is("${p##*/}", "node");
    is("${p%/*}", "/usr/local/bin");
    is("${v#2?}", ".11.1");
    is("${v#x}", "24.11.1");
    is("${q#a\\*}", "b*c");
    is("${q%\\*?}", "a*b");
    is("${n#x}", "");
    fails("${v#\\d}", "escapes `d`");
}

#[test]
fn replacements() {
    is("${v/./-}", "24-11.1");
    is("${v//./-}", "24-11-1");
    is("${p/\\/usr/}", "/local/bin/node");
    is("${p//\\//:}", ":usr:local:bin:node");
    is("${v/*/x}", "x");
    is("${v//1/}", "24..");
    is("${v/1*/}", "24.");
    is("${v/z/y}", "24.11.1");
    is("${v/./$a}", "24one11.1");
    fails("${v/a}", "second `/`");
}

#[test]
fn what_is_no_operator() {
    fails("${a:=x}", "`:=`");
    fails("${a=x}", "`=`");
    fails("${a:#x}", "`:#`");
    fails("${a:%x}", "`:%`");
    fails("${a@Q}", "`@`");
    fails("${", "no `}`");
    fails("${a", "no `}`");
    fails("${a:-x", "no `}`");
    fails("${}", "no variable");
    fails("${{a}}", "no variable");
    fails("${:-x}", "no variable");
}

#[test]
fn quotes_and_escapes() {
    is("'$a'", "$a");
    is("\"$a b\"", "one b");
    is("\\$a", "$a");
    is("\"\\$a \\\\ \\\" \\n\"", "$a \\ \" \\n");
    is("a\\ b", "a b");
    is("a\\", "a");
    is("\"'$a'\"", "'one'");
    fails("'x", "single quote");
    fails("\"x", "double quote");
    assert_eq!(expand("`$a\\b", &variables, '`').unwrap().value, "$a\\b");
}

#[test]
fn words_are_split_after_replacing() {
    let words = |word: &str| expand_words(word, &variables, '\\').unwrap();
    assert_eq!(words("$w"), ["x", "y", "z"]);
    assert_eq!(words("\"$w\""), ["x  y z"]);
    assert_eq!(words("1$w 2"), ["1x", "y", "z", "2"]);
    assert_eq!(words("$n"), [""; 0]);
    assert_eq!(words("a\\ b c"), ["a b", "c"]);
}

#[test]
fn heredocs_keep_their_quotes() {
    assert_eq!(
        expand_heredoc("a='$a' \"$a\" \\$a\n", &variables, '\\').unwrap().value,
        "a='one' \"one\" $a\n"
    );
}

#[test]
fn what_was_asked_for_is_told() {
    let expansion = expand("$a-$n-${m:-$e}", &variables, '\\').unwrap();
    assert_eq!(expansion.used.into_iter().collect::<Vec<_>>(), ["a", "e"]);
    assert_eq!(expansion.unset.into_iter().collect::<Vec<_>>(), ["m", "n"]);
}

#[test]
fn nothing_grows_without_end() {
    fails(&"${n:-".repeat(100), "deep");
    let long = |_: &str| Some("x".repeat(100_000));
    assert!(expand(&"$a".repeat(1000), &long, '\\').unwrap_err().to_string().contains("bytes"));
    assert!(expand("${a//x/yyyyyyyyyyyyyyyy}", &long, '\\').is_err());
}

fn declare(scope: &mut Scope, line: &str) -> Vec<(String, Option<String>)> {
    let file = parse(&format!("FROM a\n{line}"));
    match &file.instructions[1].command {
        Command::Arg(args) => scope.declare(args, '\\').unwrap(),
        other => panic!("{other:?}"),
    }
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn args_come_from_the_command_line_then_the_file() {
    let mut global = Scope::global(map(&[("NODE", "26")]), map(&[("TARGETARCH", "arm64")]));
    declare(&mut global, "ARG NODE=24 TAG=${NODE}-slim");
    assert_eq!(expand("node:$TAG", &global, '\\').unwrap().value, "node:26-slim");
    assert_eq!(global.get("TARGETARCH").as_deref(), Some("arm64"));

    let mut stage = global.stage([("PATH".to_owned(), "/bin".to_owned())]);
    assert_eq!(stage.get("TAG"), None);
    assert_eq!(stage.get("TARGETARCH"), None);
    declare(&mut stage, "ARG TAG TARGETARCH NODE=20 NONE OWN=$PATH:x");
    assert_eq!(stage.get("TAG").as_deref(), Some("26-slim"));
    assert_eq!(stage.get("TARGETARCH").as_deref(), Some("arm64"));
    assert_eq!(stage.get("NODE").as_deref(), Some("26"));
    assert_eq!(stage.get("NONE"), None);
    assert_eq!(stage.get("OWN").as_deref(), Some("/bin:x"));
    assert_eq!(stage.args().count(), 5);
}

#[test]
fn env_and_arg_write_the_same_variables() {
    let mut scope = Scope::global(BTreeMap::new(), BTreeMap::new()).stage([]);
    declare(&mut scope, "ARG V=arg");
    scope.set("V", "env");
    assert_eq!(scope.get("V").as_deref(), Some("env"));
    declare(&mut scope, "ARG V");
    assert_eq!(scope.get("V").as_deref(), Some("env"));
}

#[test]
fn nothing_is_set_in_nothing() {
    assert_eq!(expand("a$b", &Nothing, '\\').unwrap().value, "a");
}
