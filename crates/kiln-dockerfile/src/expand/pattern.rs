//! The patterns of `${name#pattern}` and its like: `*`, `?` and escapes.

use crate::glob::{Element, Ways, merged};

/// A pattern that can be matched.
#[derive(Debug)]
pub(crate) struct Pattern {
    elements: Vec<Element>,
}

impl Pattern {
    /// Reads a pattern; `Err` holds what is escaped without need.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut elements = Vec::new();
        let mut chars = text.chars().peekable();
        while let Some(char) = chars.next() {
            elements.push(match char {
                '*' => Element::Many { but: '\n' },
                '?' => Element::One { but: '\n' },
                // `/` and `}` would end the pattern, so they may be escaped without being special.
                '\\' if matches!(chars.peek(), Some('}' | '/')) => continue,
                '\\' => match chars.next() {
                    Some(next @ ('*' | '?' | '\\')) => Element::Char(next),
                    other => return Err(other.map(String::from).unwrap_or_default()),
                },
                char => Element::Char(char),
            });
        }
        Ok(Self { elements: merged(elements) })
    }

    /// How many characters at the start match: the fewest or the most.
    pub(crate) fn prefix(&self, text: &[char], is_greedy: bool) -> Option<usize> {
        prefix(&self.elements, text, is_greedy)
    }

    /// How many characters at the end match: the fewest or the most.
    pub(crate) fn suffix(&self, text: &[char], is_greedy: bool) -> Option<usize> {
        let elements: Vec<Element> = self.elements.iter().rev().cloned().collect();
        let text: Vec<char> = text.iter().rev().copied().collect();
        prefix(&elements, &text, is_greedy)
    }
}

fn prefix(elements: &[Element], text: &[char], is_greedy: bool) -> Option<usize> {
    let mut ways = Ways::start(elements);
    let mut found = None;
    for at in 0..=text.len() {
        if ways.is_match() {
            found = Some(at);
            if !is_greedy {
                return found;
            }
        }
        let Some(char) = text.get(at).filter(|_| ways.may_go_on()) else { break };
        ways.step(*char);
    }
    found
}
