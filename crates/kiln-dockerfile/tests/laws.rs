//! Nothing panics, nothing is lost, places are places.

use kiln_dockerfile::{
    Chmod, Ignore, Mount, Nothing, Parents, Wildcard, expand, expand_heredoc, expand_words, has_wildcard,
    parse, parse_duration, parse_ports, parse_signal, syntax_of,
};
use proptest::prelude::*;

/// Pieces that mean something, so that their mixtures reach deep.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            "FROM", "RUN", "COPY", "ADD", "ENV", "ARG", "LABEL", "CMD", "ENTRYPOINT", "ONBUILD", "HEALTHCHECK", "EXPOSE",
            "SHELL", "VOLUME", "USER", "WORKDIR", "STOPSIGNAL", "MAINTAINER", "NONE", "AS", "scratch", "node:24",
            "--from=a", "--mount=type=cache,target=/a", "--chmod=u=rwX", "--link", "--", "--x", "<<EOF", "<<-'EOF'", "EOF",
            "# escape=`", "# syntax=a", "# check=skip=all", "#", "[\"a\", \"b\"]", "[", "]", "\"", "'", "\\", "`", "$a",
            "${a", "${a:-", "${a//", "}", "/", "%%", "##", "=", "\\\n", "`\n", "\\ \t\n", "\r\n", "\n", "\n", " ", " ",
            "\t", "\u{feff}", "80/tcp", "ä", "😀", "&&", "|",
        ]).prop_map(str::to_owned),
        1 => "\\PC{0,4}",
        1 => prop::char::any().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn tokens_are_the_text(text in pieces()) {
        let file = parse(&text);
        let mut end = 0;
        for token in &file.tokens {
            prop_assert_eq!(token.span.start, end);
            prop_assert!(token.span.end > end);
            end = token.span.end;
        }
        prop_assert_eq!(end, text.len());
        let joined: String = file.tokens.iter().map(|token| file.text_of(token.span)).collect();
        prop_assert_eq!(joined, text);
    }

    #[test]
    fn places_are_in_the_text(text in pieces()) {
        let file = parse(&text);
        let is_place = |span: kiln_dockerfile::Span| text.get(span.range()).is_some();
        prop_assert!(file.problems.iter().all(|problem| is_place(problem.span)));
        for instruction in &file.instructions {
            prop_assert!(is_place(instruction.span) && instruction.span.contains(instruction.head));
            prop_assert_eq!(file.text_of(instruction.keyword.span).replace("\\\n", "").is_empty(),
                instruction.keyword.value.is_empty());
            prop_assert!(instruction.flags.iter().all(|flag| is_place(flag.span) && is_place(flag.name.span)));
            prop_assert!(instruction.heredocs.iter().all(|heredoc| file.text_of(heredoc.span) == heredoc.content));
        }
        for comment in &file.comments {
            prop_assert_eq!(file.text_of(comment.text.span), &comment.text.value);
        }
        let stages = file.stages();
        for index in 0..stages.list.len() {
            prop_assert!(stages.reachable(index, &|_| None)[index]);
        }
        stages.cycles(&|_| None);
    }

    #[test]
    fn a_refused_instruction_has_a_problem(text in pieces()) {
        let file = parse(&text);
        let is_bad = |command: &kiln_dockerfile::Command| {
            matches!(command, kiln_dockerfile::Command::Invalid | kiln_dockerfile::Command::Unknown)
        };
        if file.instructions.iter().any(|instruction| is_bad(&instruction.command)) {
            prop_assert!(file.has_errors());
        }
    }

    #[test]
    fn replacing_ends(text in pieces(), value in "[a-c*/.]{0,12}") {
        let variables = |name: &str| (name != "n").then(|| value.clone());
        for escape in ['\\', '`'] {
            let _ = expand(&text, &variables, escape);
            let _ = expand(&text, &Nothing, escape);
            let _ = expand_words(&text, &variables, escape);
            let _ = expand_heredoc(&text, &variables, escape);
        }
    }

    #[test]
    fn text_without_specials_stays(text in "[a-zA-Z0-9 ./:_-]{0,40}") {
        prop_assert_eq!(expand(&text, &Nothing, '\\').unwrap().value, text);
    }

    #[test]
    fn trimming_gives_parts(value in "[a-c.]{0,12}", pattern in "[a-c.*?]{0,5}") {
        let variables = |_: &str| Some(value.clone());
        for operator in ["#", "##"] {
            let kept = expand(&format!("${{v{operator}{pattern}}}"), &variables, '\\').unwrap().value;
            prop_assert!(value.ends_with(&kept));
        }
        for operator in ["%", "%%"] {
            let kept = expand(&format!("${{v{operator}{pattern}}}"), &variables, '\\').unwrap().value;
            prop_assert!(value.starts_with(&kept));
        }
    }

    #[test]
    fn walking_agrees_with_asking(
        patterns in prop::collection::vec("!?(\\*\\*/)?[ab*?]{1,3}(/[ab*]{1,2})?(/\\*\\*)?", 0..6),
        path in "[ab](/[ab]{1,2}){0,3}",
    ) {
        let ignore = Ignore::parse(&patterns.join("\n"));
        let mut parents = Parents::default();
        let mut is_out = false;
        let mut is_pruned = false;
        let ends: Vec<usize> = path.match_indices('/').map(|(at, _)| at).chain([path.len()]).collect();
        for end in ends {
            (is_out, parents) = ignore.enter(&path[..end], &parents);
            is_pruned |= is_out && end < path.len() && !ignore.may_descend(&path[..end]);
        }
        prop_assert_eq!(is_out, ignore.is_ignored(&path));
        // What a walker does not look at is left out.
        prop_assert!(!is_pruned || is_out, "{:?} {}", patterns, path);
    }

    #[test]
    fn small_parsers_do_not_panic(text in "\\PC{0,24}", mode in 0_u32..0o10000) {
        let _ = Mount::parse(&text);
        let _ = parse_ports(&text);
        let _ = parse_duration(&text);
        let _ = parse_signal(&text);
        let _ = syntax_of(&text);
        let _ = has_wildcard(&text);
        if let Ok(chmod) = Chmod::parse(&text) {
            prop_assert!(chmod.apply(mode, false) <= 0o7777);
        }
        if let Ok(wildcard) = Wildcard::parse(&text) {
            wildcard.is_match(&text);
            if let Some(literal) = wildcard.literal() {
                prop_assert!(wildcard.is_match(&literal));
            }
        }
    }
}
