//! The patterns of `${name#pattern}` and its like: `*`, `?` and escapes.

/// One element of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Element {
    Any,
    One,
    Char(char),
}

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
                '*' => Element::Any,
                '?' => Element::One,
                // `/` and `}` would end the pattern, so they may be escaped without being special.
                '\\' if matches!(chars.peek(), Some('}' | '/')) => continue,
                '\\' => match chars.next() {
                    Some(next @ ('*' | '?' | '\\')) => Element::Char(next),
                    other => return Err(other.map(String::from).unwrap_or_default()),
                },
                char => Element::Char(char),
            });
        }
        Ok(Self { elements })
    }

    /// How many characters at the start match: the fewest or the most.
    pub(crate) fn prefix(&self, text: &[char], is_greedy: bool) -> Option<usize> {
        prefix(&self.elements, text, is_greedy)
    }

    /// How many characters at the end match: the fewest or the most.
    pub(crate) fn suffix(&self, text: &[char], is_greedy: bool) -> Option<usize> {
        let elements: Vec<Element> = self.elements.iter().rev().copied().collect();
        let text: Vec<char> = text.iter().rev().copied().collect();
        prefix(&elements, &text, is_greedy)
    }
}

/// Follows all ways through the elements at once.
fn prefix(elements: &[Element], text: &[char], is_greedy: bool) -> Option<usize> {
    let mut states = vec![false; elements.len() + 1];
    enter(&mut states, elements, 0);
    let mut found = None;
    for at in 0..=text.len() {
        if states.last() == Some(&true) {
            found = Some(at);
            if !is_greedy {
                return found;
            }
        }
        let Some(char) = text.get(at) else { break };
        let mut next = vec![false; elements.len() + 1];
        for (state, element) in elements.iter().enumerate().filter(|(state, _)| states[*state]) {
            match element {
                Element::Any if *char != '\n' => enter(&mut next, elements, state),
                Element::One if *char != '\n' => enter(&mut next, elements, state + 1),
                Element::Char(wanted) if wanted == char => enter(&mut next, elements, state + 1),
                _ => {}
            }
        }
        if !next.contains(&true) {
            break;
        }
        states = next;
    }
    found
}

/// Marks a state, and those behind stars that match nothing.
fn enter(states: &mut [bool], elements: &[Element], mut state: usize) {
    states[state] = true;
    while elements.get(state) == Some(&Element::Any) {
        state += 1;
        states[state] = true;
    }
}
