//! Credentials, by what they look like. A rule is a literal that starts (or marks) a credential and a check of what follows;
//! the checks are strict, because a report full of false alarms is read by nobody.

mod config;
mod files;
mod rules;

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};
use kiln_pkg::{Place, Secret};

use self::rules::RULES;
use crate::window::Window;

pub use config::in_config;
pub(crate) use config::without;
pub(crate) use files::FILES;

/// Secrets kept for one file.
const MAX_PER_FILE: usize = 16;

/// Leftmost-first, so that the search can skip ahead by vectors.
static MARKS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let marks = RULES.iter().map(|rule| rule.mark);
    AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(marks).expect("a dozen short patterns")
});

/// Searches streams, one after the other.
pub(crate) struct Search {
    window: Window,
    found: BTreeSet<(&'static str, String)>,
}

impl Search {
    pub(crate) fn new() -> Self {
        Self { window: Window::new(), found: BTreeSet::new() }
    }

    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        let found = &mut self.found;
        self.window.feed(bytes, |view, turn| look(view, turn, found));
    }

    /// What was found in the stream that ends here, which is the file at `path`.
    pub(crate) fn finish(&mut self, path: &str) -> Vec<Secret> {
        let found = &mut self.found;
        self.window.finish(|view, turn| look(view, turn, found));
        let place = Place { path: path.to_owned(), layer: None };
        let published = path.split('/').any(|part| part == "node_modules");
        let secret = |(rule, shown): (&str, String)| Secret {
            rule: rule.to_owned(),
            place: place.clone(),
            shown,
            deleted: false,
            published,
        };
        std::mem::take(&mut self.found).into_iter().map(secret).collect()
    }
}

fn look(view: &[u8], turn: Range<usize>, found: &mut BTreeSet<(&'static str, String)>) {
    let mut from = turn.start;
    while let Some(hit) = view.get(from..).and_then(|rest| MARKS.find(rest)) {
        let (start, end) = (from + hit.start(), from + hit.end());
        if start >= turn.end || found.len() >= MAX_PER_FILE {
            return;
        }
        if let Some(rule) = RULES.get(hit.pattern().as_usize())
            && let Some(length) =
                (rule.check)(view.get(..start).unwrap_or_default(), view.get(end..).unwrap_or_default())
        {
            let pem = rule.mark.ends_with('-');
            let shown = if pem {
                format!("-----BEGIN … {}", rule.mark)
            } else {
                redact(rule.mark, end - start + length)
            };
            found.insert((rule.name, shown));
        }
        from = start + 1;
    }
}

/// The first characters, which say what kind it is, and the length.
pub(crate) fn redact(start: &str, length: usize) -> String {
    let start: String = start.chars().take(11).collect();
    format!("{start}… ({length} characters)")
}
