use kiln_dockerfile::{Scope, expand};

/// The text with variables replaced; `None` where one has no value.
pub(super) fn expanded(text: &str, scope: &Scope, escape: char) -> Option<String> {
    if !text.contains(['$', '"', '\'', escape]) {
        return Some(text.to_owned());
    }
    let expansion = expand(text, scope, escape).ok()?;
    // A variable with `:-` may be missing; then something stands there all the same.
    let is_whole = expansion.unset.is_empty() || text.contains(":-") || text.contains(":+");
    is_whole.then_some(expansion.value)
}
