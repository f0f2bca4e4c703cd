use crate::clean::lines;

/// The text, cleaned, with as many characters as the schema lets it have.
pub(crate) fn at_most(text: &str, characters: usize) -> String {
    lines(text).chars().take(characters).collect()
}
