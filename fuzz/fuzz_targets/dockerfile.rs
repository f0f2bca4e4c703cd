#![no_main]
//! A Dockerfile: nothing panics, nothing is lost, and its words can be expanded.

use kiln_dockerfile::{Command, Mount, Nothing, Wildcard, expand, expand_words, parse, syntax_of};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let file = parse(text);
    let joined: String = file.tokens.iter().map(|token| file.text_of(token.span)).collect();
    assert_eq!(joined, text);
    syntax_of(text);
    let stages = file.stages();
    stages.cycles(&|_| None);
    for index in 0..stages.list.len().min(16) {
        stages.reachable(index, &|_| None);
    }
    let set = |name: &str| (name.len() < 4).then(|| "a/b.c*".to_owned());
    for instruction in &file.instructions {
        assert!(text.get(instruction.span.range()).is_some());
        for word in instruction.arguments.value.split(' ').take(64) {
            drop(expand(word, &set, file.escape));
            drop(expand_words(word, &Nothing, file.escape));
        }
        match &instruction.command {
            Command::Run(run) => {
                run.input(&instruction.heredocs);
                run.mounts.iter().for_each(|mount| drop(Mount::parse(&mount.raw.value)));
            }
            Command::Copy(copy) => {
                for path in copy.transfer.paths() {
                    drop(Wildcard::parse(&path.value).map(|wildcard| wildcard.is_match("a/b")));
                }
            }
            _ => {}
        }
    }
});
