use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::*;

/// Every source file of every crate that ends up in kiln, without tests.
fn sources() -> Vec<(PathBuf, String)> {
    fn collect(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                collect(&path, found);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned();
                let is_test = path.components().any(|part| {
                    let part = part.as_os_str().to_string_lossy();
                    matches!(part.as_ref(), "tests" | "tests.rs" | "testing.rs")
                });
                if !is_test {
                    found.push((path, text));
                }
            }
        }
    }
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut found = Vec::new();
    for entry in std::fs::read_dir(crates).unwrap().map(Result::unwrap) {
        let source = entry.path().join("src");
        if source.is_dir() {
            collect(&source, &mut found);
        }
    }
    found
}

/// The text literals of some code, in order.
fn literals(code: &str) -> impl Iterator<Item = &str> {
    code.split('"').skip(1).step_by(2)
}

/// What comes after each place where `mark` stands, up to where braces or parentheses that it opens close.
fn after<'a>(text: &'a str, mark: &'a str) -> impl Iterator<Item = &'a str> {
    text.match_indices(mark).map(move |(at, _)| {
        let rest = &text[at + mark.len()..];
        let mut depth = 1;
        let end = rest.char_indices().find(|(_, char)| {
            depth += match char {
                '(' | '{' | '[' => 1,
                ')' | '}' | ']' => -1,
                _ => 0,
            };
            depth == 0
        });
        &rest[..end.map_or(rest.len(), |(at, _)| at)]
    })
}

fn is_code(text: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty()
            && word.chars().all(|char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '_')
    };
    text.split_once('.').is_some_and(|(crate_name, what)| is_word(crate_name) && is_word(what))
}

#[test]
fn every_code_of_an_error_is_explained_and_no_other_is() {
    let mut used: BTreeSet<String> = BTreeSet::from(["kiln.usage".to_owned()]);
    for (_, text) in sources() {
        let diagnosed = after(&text, "fn code(&self) -> &'static str {").flat_map(literals);
        let failures = after(&text, "Failure::new(").filter_map(|code| literals(code).next());
        used.extend(diagnosed.chain(failures).filter(|text| is_code(text)).map(str::to_owned));
    }
    let known: BTreeSet<String> = table(CODES).into_iter().map(|topic| topic.id.to_owned()).collect();
    let missing: Vec<_> = used.difference(&known).collect();
    let unused: Vec<_> = known.difference(&used).collect();
    assert!(missing.is_empty(), "data/codes.tsv lacks {missing:?}");
    assert!(unused.is_empty(), "nothing has the codes {unused:?} of data/codes.tsv");
}

/// What begins a sentence; everything else that an error begins with is the verb of what could not be done.
const BEGIN_SENTENCES: &[&str] = &[
    "cannot",
    "it",
    "no",
    "nobody",
    "nothing",
    "packageManager",
    "path",
    "signature",
    "the",
    "there",
    "what",
];

#[test]
fn errors_begin_with_a_verb_that_is_known_or_are_sentences() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let displayed = after(&text, "#[error(").filter_map(|code| literals(code).next());
        let usage = after(&text, "Failure::usage(").filter_map(|code| literals(code).next());
        let failures = after(&text, "Failure::new(").filter_map(|code| literals(code).nth(1));
        for what in displayed.chain(usage).chain(failures) {
            let first = what.split(' ').next().unwrap_or_default();
            let is_told = kiln_finding::sentence(what) != what
                || BEGIN_SENTENCES.contains(&first)
                || first.chars().next().is_none_or(|char| !char.is_ascii_lowercase());
            if !is_told {
                wrong.push(format!("{}: {what}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "kiln_finding::sentence knows no verb that these begin with: {wrong:#?}");
}

#[test]
fn tables_are_sorted_and_every_line_is_a_sentence() {
    for text in [CODES, FINDINGS] {
        let topics = table(text);
        assert_eq!(topics.len(), text.lines().count());
        assert!(topics.iter().map(|topic| topic.id).is_sorted());
        assert!(topics.iter().all(|topic| topic.title.ends_with('.')));
    }
}

#[test]
fn no_id_means_two_things() {
    let ids: Vec<&str> =
        chapters().iter().flat_map(|chapter| &chapter.topics).map(|topic| topic.id).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
}

#[test]
fn names_of_others_lead_to_checks_and_rules() {
    let topics = chapters();
    let is_known = |id: &str| topics.iter().flat_map(|chapter| &chapter.topics).any(|topic| topic.id == id);
    assert!(elsewhere().all(|(_, id)| is_known(id)));
    assert_eq!(ids("dl3002"), ["DF023"]);
    assert_eq!(ids("JSONArgsRecommended"), ["DF035"]);
    assert_eq!(ids("supply-chain-attestations"), ["SG002", "SG003"]);
    assert_eq!(ids("Default non-root user"), ["IM001"]);
    assert_eq!(ids("sign.password"), ["sign.password"]);
    assert!(ids("nothing of ours").is_empty());
}

/// A page that sends its reader to a command which is not there helps nobody.
#[test]
fn no_page_names_a_command_that_is_not_there() {
    let chapters = chapters();
    let pages =
        chapters.iter().flat_map(|chapter| &chapter.topics).flat_map(|topic| [Some(topic.title), topic.page]);
    for page in pages.flatten().chain([include_str!("../../../../README.md")]) {
        for (at, mark) in page.match_indices("`kiln ") {
            let name = page[at + mark.len()..]
                .split(|char: char| !char.is_ascii_lowercase())
                .next()
                .unwrap_or_default();
            let is_known =
                name.is_empty() || crate::commands::COMMANDS.iter().any(|command| command.name() == name);
            assert!(is_known, "`kiln {name}` in {}", page.lines().next().unwrap_or_default());
        }
    }
}
