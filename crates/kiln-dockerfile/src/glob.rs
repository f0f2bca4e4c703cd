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

/// A pattern that cannot be: what is wrong with it.
pub(crate) type BadPattern = &'static str;

/// Reads a pattern.
pub(crate) fn parse(text: &str, has_deep: bool) -> Result<Vec<Element>, BadPattern> {
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

/// All ways through a pattern that a text leaves open, followed at once, so that no pattern is slow.
pub(crate) struct Ways<'a> {
    elements: &'a [Element],
    /// Whether the text so far is what stands before each element, and at last the whole pattern.
    open: Vec<bool>,
    next: Vec<bool>,
}

impl<'a> Ways<'a> {
    /// Before any text.
    pub(crate) fn start(elements: &'a [Element]) -> Self {
        let blank = vec![false; elements.len() + 1];
        let mut ways = Self { elements, open: blank.clone(), next: blank };
        ways.enter(0);
        std::mem::swap(&mut ways.open, &mut ways.next);
        ways
    }

    /// After all of `text`.
    pub(crate) fn through(elements: &'a [Element], text: &str) -> Self {
        let mut ways = Self::start(elements);
        text.chars().for_each(|char| ways.step(char));
        ways
    }

    /// One character more.
    pub(crate) fn step(&mut self, char: char) {
        self.next.fill(false);
        for (at, element) in self.elements.iter().enumerate() {
            if !self.open[at] {
                continue;
            }
            match element {
                Element::Char(wanted) if *wanted == char => self.enter(at + 1),
                Element::One { but } if *but != char => self.enter(at + 1),
                Element::Many { but } if *but != char => self.enter(at),
                Element::Rest => self.enter(at),
                Element::Folders => {
                    // Inside: stay, without the way that takes nothing.
                    self.next[at] = true;
                    if char == '/' {
                        self.enter(at + 1);
                    }
                }
                Element::Class { is_negated, ranges } => {
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
        self.open.last() == Some(&true)
    }

    /// More text after it could match.
    pub(crate) fn may_go_on(&self) -> bool {
        self.open.iter().take(self.elements.len()).any(|is_open| *is_open)
    }

    /// Opens the way to an element, and to those behind elements that match nothing.
    fn enter(&mut self, mut at: usize) {
        self.next[at] = true;
        while matches!(self.elements.get(at), Some(Element::Many { .. } | Element::Rest | Element::Folders)) {
            at += 1;
            self.next[at] = true;
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
        parse(pattern, false).map(|elements| Self { elements }).map_err(str::to_owned)
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
}
