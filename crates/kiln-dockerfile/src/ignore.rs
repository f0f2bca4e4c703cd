use crate::glob::{self, Element, Ways};
use crate::{Problem, Span};

/// Patterns after these are not read.
const MAX_PATTERNS: usize = 10_000;
/// How much of a pattern that is refused is shown, in characters.
const SHOWN_MAX: usize = 200;

/// What a `.dockerignore` (or `COPY --exclude`) leaves out.
#[derive(Clone, Debug, Default)]
pub struct Ignore {
    /// The patterns, in order; the last that matches decides.
    pub patterns: Vec<Pattern>,
    /// Patterns that a builder refuses.
    pub problems: Vec<Problem>,
}

/// One pattern.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// The pattern without `!`, cleaned as paths are.
    pub text: String,
    /// `!`: what it matches is taken in again.
    pub is_exception: bool,
    /// The line it is on, from 1; 0 if it comes from no file.
    pub line: u32,
    /// Where it is.
    pub span: Span,
    matcher: Matcher,
}

#[derive(Clone, Debug)]
enum Matcher {
    /// `a/b`
    Exact,
    /// `a/**`: what is before the stars.
    Prefix(String),
    /// `**/a`: what is after the stars.
    Suffix(String),
    Elements(Vec<Element>),
}

/// Which patterns a folder matched, for what is inside it.
#[derive(Clone, Debug, Default)]
pub struct Parents {
    matched: Vec<bool>,
}

impl Ignore {
    /// Reads a `.dockerignore`.
    pub fn parse(text: &str) -> Self {
        let mut ignore = Self::default();
        let text_start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let mut at = text_start;
        for (number, line) in text.get(text_start..).unwrap_or_default().split_inclusive('\n').enumerate() {
            let start = at;
            at += line.len();
            let trimmed = line.trim();
            // Only a `#` in the first column makes a comment.
            if line.starts_with('#') || trimmed.is_empty() {
                continue;
            }
            let start = start + (line.len() - line.trim_start().len());
            let span = Span::new(start, start + trimmed.len());
            ignore.push(trimmed, number as u32 + 1, span);
        }
        ignore
    }

    /// The same for patterns that stand in no file, such as those of `--exclude`.
    pub fn from_patterns<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Self {
        let mut ignore = Self::default();
        for pattern in patterns.into_iter().map(str::trim).filter(|pattern| !pattern.is_empty()) {
            ignore.push(pattern, 0, Span::new(0, pattern.len()));
        }
        ignore
    }

    fn push(&mut self, line: &str, number: u32, span: Span) {
        if self.patterns.len() >= MAX_PATTERNS {
            if self.patterns.len() == MAX_PATTERNS
                && self.problems.iter().all(|problem| problem.code != "too-many-patterns")
            {
                let message = format!("only the first {MAX_PATTERNS} patterns are read");
                self.problems.push(Problem::error("too-many-patterns", span, message));
            }
            return;
        }
        let is_exception = line.starts_with('!');
        let body = if is_exception { line[1..].trim() } else { line };
        if body.is_empty() {
            self.problems.push(Problem::error("bad-pattern", span, "`!` needs a pattern after it"));
            return;
        }
        let mut text = clean(body);
        if text.len() > 1 && text.starts_with('/') {
            text.remove(0);
        }
        match matcher(&text) {
            Ok(matcher) => self.patterns.push(Pattern { text, is_exception, line: number, span, matcher }),
            Err(why) => {
                let start: String = body.chars().take(SHOWN_MAX).collect();
                let more = if start.len() < body.len() { "…" } else { "" };
                let message = format!("the pattern `{start}{more}`: {why}");
                self.problems.push(Problem::error("bad-pattern", span, message));
            }
        }
    }

    /// Whether any pattern takes something in again.
    pub fn has_exceptions(&self) -> bool {
        self.patterns.iter().any(|pattern| pattern.is_exception)
    }

    /// Whether a path, relative and with `/`, is left out. Walks ask [`Ignore::enter`], which is faster.
    pub fn is_ignored(&self, path: &str) -> bool {
        let mut parents = Parents::default();
        let mut is_ignored = false;
        let ends = path.match_indices('/').map(|(at, _)| at).chain(std::iter::once(path.len()));
        for end in ends.filter(|end| *end > 0) {
            (is_ignored, parents) = self.enter(path.get(..end).unwrap_or_default(), &parents);
        }
        is_ignored
    }

    /// Whether a path is left out, from what its folder matched; and what it matched itself. The root's is
    /// [`Parents::default`]. The root itself is never left out.
    pub fn enter(&self, path: &str, parents: &Parents) -> (bool, Parents) {
        if path.is_empty() || path == "." {
            return (false, Parents::default());
        }
        let mut is_ignored = false;
        let mut matched = Vec::with_capacity(self.patterns.len());
        for (at, pattern) in self.patterns.iter().enumerate() {
            let was_matched = parents.matched.get(at).copied().unwrap_or_default();
            // A pattern that could change nothing is not asked, and then not remembered either.
            let is_match = was_matched || (pattern.is_exception == is_ignored && pattern.is_match(path));
            matched.push(is_match);
            if is_match {
                is_ignored = !pattern.is_exception;
            }
        }
        (is_ignored, Parents { matched })
    }

    /// Whether a walk must look into a folder that is left out, because something inside may be taken in again.
    pub fn may_descend(&self, folder: &str) -> bool {
        let below = format!("{folder}/");
        let exceptions = self.patterns.iter().filter(|pattern| pattern.is_exception);
        exceptions.into_iter().any(|pattern| pattern.may_match_below(&below))
    }
}

impl Pattern {
    /// Whether the pattern itself, without those around it, matches a path.
    pub fn is_match(&self, path: &str) -> bool {
        match &self.matcher {
            Matcher::Exact => path == self.text,
            Matcher::Prefix(prefix) => path.starts_with(prefix.as_str()),
            Matcher::Suffix(suffix) => {
                path.ends_with(suffix.as_str()) || suffix.strip_prefix('/').is_some_and(|bare| path == bare)
            }
            Matcher::Elements(elements) => Ways::through(elements, path).is_match(),
        }
    }

    /// `below` ends with `/`.
    fn may_match_below(&self, below: &str) -> bool {
        match &self.matcher {
            Matcher::Exact => self.text.starts_with(below),
            Matcher::Prefix(prefix) => prefix.starts_with(below) || below.starts_with(prefix.as_str()),
            Matcher::Suffix(_) => true,
            Matcher::Elements(elements) => {
                let ways = Ways::through(elements, below);
                ways.may_go_on() || ways.is_match()
            }
        }
    }
}

/// BuildKit's matcher has short cuts, and they matter: `**x` is any path that ends with `x`.
fn matcher(text: &str) -> Result<Matcher, glob::BadPattern> {
    // Checked as Go's `filepath.Match` does, which does not know `**`.
    glob::parse(text, false)?;
    let elements = glob::parse(text, true)?;
    let is_char = |element: &Element| matches!(element, Element::Char(_));
    let has_escape = text.contains('\\') || text.contains(']');
    Ok(match elements.as_slice() {
        _ if has_escape => Matcher::Elements(glob::merged(elements)),
        all if all.iter().all(is_char) => Matcher::Exact,
        [before @ .., Element::Rest] if !before.is_empty() && before.iter().all(is_char) => {
            Matcher::Prefix(text.trim_end_matches('*').to_owned())
        }
        [Element::Folders, rest @ ..] if rest.iter().all(is_char) => {
            Matcher::Suffix(text.get(2..).unwrap_or_default().to_owned())
        }
        _ => Matcher::Elements(glob::merged(elements)),
    })
}

/// A path without `.`, `..` and double slashes, as Go's `filepath.Clean` writes it.
fn clean(path: &str) -> String {
    let is_absolute = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if is_absolute => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (is_absolute, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}
