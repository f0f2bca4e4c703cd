use serde::{Deserialize, Serialize};

/// What a package says about its licence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Licence {
    /// As the package declares it.
    pub declared: String,
    /// The same as an SPDX licence expression in canonical spelling; `None` where it is not one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spdx: Option<String>,
}

/// Longest licence text that is read as an expression; longer ones are prose.
const MAX_EXPRESSION: usize = 512;

impl Licence {
    /// The licence that `declared` names. Spellings that npm packages use for an SPDX id (`Apache 2.0`) are understood.
    pub fn declared(declared: &str) -> Self {
        let declared = declared.trim();
        let spdx = (declared.len() <= MAX_EXPRESSION).then(|| expression(declared)).flatten();
        Self { declared: declared.to_owned(), spdx }
    }
}

fn expression(text: &str) -> Option<String> {
    // A deprecated id is still an SPDX id: `GPL-2.0` and the `GPL-2.0+` of old.
    let mode = spdx::ParseMode {
        allow_deprecated: true,
        allow_imprecise_license_names: true,
        allow_postfix_plus_on_gpl: true,
        ..spdx::ParseMode::STRICT
    };
    let canonical = spdx::Expression::canonicalize(text).ok()?;
    let text = canonical.as_deref().unwrap_or(text);
    let parsed = spdx::Expression::parse_mode(text, mode).ok()?;
    Some(parsed.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_expressions_and_refuses_prose() {
        let spdx = |text: &str| Licence::declared(text).spdx;
        assert_eq!(spdx("MIT").as_deref(), Some("MIT"));
        assert_eq!(spdx("(MIT OR Apache-2.0)").as_deref(), Some("(MIT OR Apache-2.0)"));
        assert_eq!(spdx("BSD-3-Clause AND MIT").as_deref(), Some("BSD-3-Clause AND MIT"));
        assert_eq!(spdx("SEE LICENSE IN LICENSE.md"), None);
        assert_eq!(spdx("UNLICENSED"), None);
        assert_eq!(spdx(""), None);
    }
}
