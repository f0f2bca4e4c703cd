//! The one matcher of the patterns that Docker knows: those of COPY (Go's `filepath.Match`), those of .dockerignore, which know
//! `**` too, and those of `${name#pattern}` ([`crate::expand`]).
//!
//! Every other pattern of kiln is a `kiln_text::Glob`. These are not, because each differs from what crates for globs match:
//! `**` of .dockerignore takes part of a name (`**x` is whatever ends with `x`), Go's classes have other errors, a star of a
//! shell pattern crosses `/` and not line ends; and what is asked of them is more than yes or no: whether a walk must
//! look below a folder, or how much of a value a prefix takes.

/// One element of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Element {
    Char(char),
    /// `?`: one character but this one.
    One {
        but: char,
    },
    /// `*`: characters but this one.
    Many {
        but: char,
    },
    /// `**/` before more: nothing, or anything up to and with a `/`.
    Folders,
    /// `**` at the end: anything.
    Rest,
    /// `[…]`
    Class {
        is_negated: bool,
        ranges: Vec<(char, char)>,
    },
}

/// The longest pattern, in bytes: a longer line of a `.dockerignore` is an error of Docker's, too (`bufio.MaxScanTokenSize` of Go).
pub(crate) const PATTERN_MAX: usize = 64 << 10;

/// A pattern that cannot be: what is wrong with it.
pub(crate) type BadPattern = &'static str;

/// Reads a pattern.
pub(crate) fn parse(text: &str, has_deep: bool) -> Result<Vec<Element>, BadPattern> {
    if text.len() > PATTERN_MAX {
        return Err("it has more than 64 KiB");
    }
    let chars: Vec<char> = text.chars().collect();
    let mut elements = Vec::new();
    let mut at = 0;
    while let Some(&char) = chars.get(at) {
        at += 1;
        elements.push(match char {
            '*' if has_deep && chars.get(at) == Some(&'*') => {
                at += 1;
                if chars.get(at) == Some(&'/') {
                    at += 1;
                }
                if at >= chars.len() { Element::Rest } else { Element::Folders }
            }
            '*' => Element::Many { but: '/' },
            '?' => Element::One { but: '/' },
            '\\' => {
                let escaped = *chars.get(at).ok_or("nothing follows its `\\`")?;
                at += 1;
                Element::Char(escaped)
            }
            '[' => {
                let (class, next) = class(&chars, at)?;
                at = next;
                class
            }
            char => Element::Char(char),
        });
    }
    Ok(elements)
}

fn class(chars: &[char], mut at: usize) -> Result<(Element, usize), BadPattern> {
    let is_negated = chars.get(at) == Some(&'^');
    at += usize::from(is_negated);
    let mut ranges = Vec::new();
    loop {
        if chars.get(at) == Some(&']') && !ranges.is_empty() {
            return Ok((Element::Class { is_negated, ranges }, at + 1));
        }
        let (low, next) = class_char(chars, at)?;
        at = next;
        let mut high = low;
        if chars.get(at) == Some(&'-') {
            (high, at) = class_char(chars, at + 1)?;
        }
        ranges.push((low, high));
    }
}

fn class_char(chars: &[char], at: usize) -> Result<(char, usize), BadPattern> {
    match chars.get(at) {
        None => Err("its `[` has no `]`"),
        Some('-' | ']') => Err("`-` or `]` stands where its `[` needs a character; put `\\` before it"),
        Some('\\') => chars.get(at + 1).map(|char| (*char, at + 2)).ok_or("nothing follows its `\\`"),
        Some(char) => Ok((*char, at + 1)),
    }
}

/// The same pattern without stars that add nothing to the ones before them.
pub(crate) fn merged(mut elements: Vec<Element>) -> Vec<Element> {
    elements.dedup_by(|next, before| next == before && next.may_be_nothing());
    elements
}

impl Element {
    /// Whether no character at all is enough for it.
    fn may_be_nothing(&self) -> bool {
        matches!(self, Self::Many { .. } | Self::Rest | Self::Folders)
    }
}

/// A way through a pattern: the text so far is what stands before the element `at`, or goes on inside it.
#[derive(Clone, Copy)]
struct Way {
    at: usize,
    /// Part of what [`Element::Folders`] stands for has come, so that it ends with a `/`.
    is_inside: bool,
}

/// All ways through a pattern that a text leaves open, followed at once, so that no pattern is slow. Only those that are open cost
/// anything: they are listed by their place, each once.
pub(crate) struct Ways<'a> {
    elements: &'a [Element],
    open: Vec<Way>,
    next: Vec<Way>,
}

impl<'a> Ways<'a> {
    /// Before any text.
    pub(crate) fn start(elements: &'a [Element]) -> Self {
        let mut ways = Self { elements, open: Vec::new(), next: Vec::new() };
        ways.enter(0);
        std::mem::swap(&mut ways.open, &mut ways.next);
        ways
    }

    /// After all of `text`.
    pub(crate) fn through(elements: &'a [Element], text: &str) -> Self {
        let mut ways = Self::start(elements);
        for char in text.chars() {
            if ways.open.is_empty() {
                break;
            }
            ways.step(char);
        }
        ways
    }

    /// One character more.
    pub(crate) fn step(&mut self, char: char) {
        self.next.clear();
        for index in 0..self.open.len() {
            let Way { at, .. } = self.open[index];
            match self.elements.get(at) {
                Some(Element::Char(wanted)) if *wanted == char => self.enter(at + 1),
                Some(Element::One { but }) if *but != char => self.enter(at + 1),
                Some(Element::Many { but }) if *but != char => self.enter(at),
                Some(Element::Rest) => self.enter(at),
                Some(Element::Folders) => {
                    // Without the way that takes nothing.
                    self.open_way(Way { at, is_inside: true });
                    if char == '/' {
                        self.enter(at + 1);
                    }
                }
                Some(Element::Class { is_negated, ranges }) => {
                    let is_in = ranges.iter().any(|(low, high)| (*low..=*high).contains(&char));
                    if is_in != *is_negated {
                        self.enter(at + 1);
                    }
                }
                _ => {}
            }
        }
        std::mem::swap(&mut self.open, &mut self.next);
    }

    /// All of the text is the whole pattern.
    pub(crate) fn is_match(&self) -> bool {
        self.open.last().is_some_and(|way| way.at == self.elements.len())
    }

    /// More text after it could match.
    pub(crate) fn may_go_on(&self) -> bool {
        self.open.first().is_some_and(|way| way.at < self.elements.len())
    }

    /// Opens the way to an element, and to those behind elements that may be nothing.
    fn enter(&mut self, mut at: usize) {
        loop {
            self.open_way(Way { at, is_inside: false });
            // What was open before has opened those behind it.
            let is_new = self.next.last().is_some_and(|last| last.at == at && !last.is_inside);
            if !is_new || !self.elements.get(at).is_some_and(Element::may_be_nothing) {
                return;
            }
            at += 1;
        }
    }

    /// Ways are opened in the order of their places.
    fn open_way(&mut self, way: Way) {
        if self.next.last().is_none_or(|last| last.at < way.at) {
            self.next.push(way);
        }
    }
}

/// A pattern as the sources of `COPY` and `ADD` have it: Go's `filepath.Match`.
#[derive(Clone, Debug)]
pub struct Wildcard {
    elements: Vec<Element>,
}

impl Wildcard {
    /// Reads a pattern. What is wrong with it is a fragment that fits after "the pattern: ".
    pub fn parse(pattern: &str) -> Result<Self, String> {
        parse(pattern, false).map(|elements| Self { elements: merged(elements) }).map_err(str::to_owned)
    }

    /// Whether it is all of `path`. `*` and `?` do not match `/`.
    pub fn is_match(&self, path: &str) -> bool {
        Ways::through(&self.elements, path).is_match()
    }

    /// Whether something below the folder `path` could match.
    pub fn may_match_below(&self, path: &str) -> bool {
        let below = if path.is_empty() { String::new() } else { format!("{path}/") };
        let ways = Ways::through(&self.elements, &below);
        ways.may_go_on() || ways.is_match()
    }

    /// The text it stands for, where it has no wildcard: `a\*b` is `a*b`.
    pub fn literal(&self) -> Option<String> {
        self.elements
            .iter()
            .map(|element| match element {
                Element::Char(char) => Some(*char),
                // `[x]` is how a pattern writes a character that would be special.
                Element::Class { is_negated: false, ranges } => match ranges.as_slice() {
                    [(low, high)] if low == high => Some(*low),
                    _ => None,
                },
                _ => None,
            })
            .collect()
    }
}

/// Whether a source has a character that makes it a pattern.
pub fn has_wildcard(source: &str) -> bool {
    let mut chars = source.chars();
    while let Some(char) = chars.next() {
        match char {
            '*' | '?' | '[' => return true,
            '\\' => {
                chars.next();
            }
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_of_go() {
        let is = |pattern: &str, path: &str| Wildcard::parse(pattern).unwrap().is_match(path);
        assert!(is("*.json", "package.json"));
        assert!(!is("*.json", "a/package.json"));
        assert!(is("package*.json", "package-lock.json"));
        assert!(is("a?c", "abc") && !is("a?c", "a/c"));
        assert!(is("[a-c]x", "bx") && !is("[^a-c]x", "bx") && is("[[]x", "[x"));
        assert!(is("\\*", "*") && !is("\\*", "a"));
        assert!(!is("**/a", "b/c/a"));
        for pattern in ["[", "[]a]", "[-]", "a[", "\\", "[a-]", "[^]"] {
            assert!(Wildcard::parse(pattern).is_err(), "{pattern}");
        }
        assert_eq!(Wildcard::parse("a[[]b").unwrap().literal().unwrap(), "a[b");
        assert_eq!(Wildcard::parse("a*").unwrap().literal(), None);
    }

    #[test]
    fn hostile_patterns_are_not_slow() {
        let pattern = Wildcard::parse(&"*a".repeat(200)).unwrap();
        assert!(!pattern.is_match(&"a".repeat(150)));
    }

    /// As a set of flags says it, one for each element: slow, and plain to see.
    fn plainly(elements: &[Element], text: &[char]) -> bool {
        let Some((element, rest)) = elements.split_first() else { return text.is_empty() };
        let Some((char, after)) = text.split_first() else {
            return element.may_be_nothing() && plainly(rest, text);
        };
        match element {
            Element::Char(wanted) => wanted == char && plainly(rest, after),
            Element::One { but } => but != char && plainly(rest, after),
            Element::Many { but } => plainly(rest, text) || (but != char && plainly(elements, after)),
            Element::Rest => true,
            Element::Folders => {
                let mut ends = (0..text.len()).filter(|at| text[*at] == '/');
                plainly(rest, text) || ends.any(|at| plainly(rest, &text[at + 1..]))
            }
            Element::Class { .. } => unreachable!("none of these patterns has one"),
        }
    }

    #[test]
    fn every_short_pattern_is_followed_as_it_is_meant() {
        let words = |letters: &[&str], most: usize| {
            let mut all = vec![String::new()];
            let mut last = all.clone();
            for _ in 0..most {
                last = last
                    .iter()
                    .flat_map(|word| letters.iter().map(move |more| format!("{word}{more}")))
                    .collect();
                all.extend(last.clone());
            }
            all
        };
        let texts = words(&["a", "b", "/"], 4);
        for pattern in words(&["a", "?", "*", "**/", "**", "/"], 4) {
            let elements = parse(&pattern, true).unwrap();
            let short = merged(elements.clone());
            for text in &texts {
                let chars: Vec<char> = text.chars().collect();
                let expected = plainly(&elements, &chars);
                assert_eq!(Ways::through(&elements, text).is_match(), expected, "{pattern} {text}");
                assert_eq!(Ways::through(&short, text).is_match(), expected, "{pattern} {text} merged");
            }
        }
    }

    #[test]
    fn a_pattern_longer_than_any_is_refused() {
        for pattern in ["?", "*", "**/", "[a]"] {
            let long = pattern.repeat(PATTERN_MAX);
            assert!(Wildcard::parse(&format!("{long}x")).unwrap_err().contains("64 KiB"));
        }
    }
}
