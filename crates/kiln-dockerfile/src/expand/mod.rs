//! Replacing variables in the words of instructions.

mod error;
mod output;
mod pattern;
mod scope;
mod word;

pub use error::Error;
pub use scope::{PLATFORM, PREDEFINED, Scope, Variable};
pub use word::{Expansion, Lookup, Nothing};
pub(crate) use word::{Mode, expand_words_in};

/// Replaces the variables of one word and removes its quotes. `escape` is the escape character of the file.
///
/// ```
/// use kiln_dockerfile::{Nothing, expand};
/// let node = |name: &str| (name == "NODE").then(|| "24.1.0".to_owned());
/// assert_eq!(expand("node:${NODE%%.*}-\"slim\"", &node, '\\').unwrap().value, "node:24-slim");
/// assert_eq!(expand("${TAG:-latest}", &Nothing, '\\').unwrap().value, "latest");
/// ```
pub fn expand(word: &str, variables: &dyn Lookup, escape: char) -> Result<Expansion, Error> {
    word::expand(word, variables, Mode::plain(escape))
}

/// The same for a list: what variables hold is split at blanks, as a shell does.
pub fn expand_words(word: &str, variables: &dyn Lookup, escape: char) -> Result<Vec<String>, Error> {
    expand_words_in(word, variables, Mode::plain(escape))
}

/// The same for the content of a heredoc: quotes mean nothing there and stay.
pub fn expand_heredoc(content: &str, variables: &dyn Lookup, escape: char) -> Result<Expansion, Error> {
    word::expand_content(content, variables, Mode::plain(escape))
}
