use kiln_finding::Failure;
use kiln_trust::{Claim, Matcher};

/// What a text must be, of which at most one is given.
pub fn matcher(exact: Option<&str>, pattern: Option<&str>) -> Result<Option<Matcher>, Failure> {
    Ok(match (exact, pattern) {
        (Some(text), _) => Some(Matcher::exact(text)?),
        (None, Some(text)) => Some(Matcher::pattern(text)?),
        (None, None) => None,
    })
}

/// `CLAIM=VALUE`
pub fn claim(text: &str) -> Result<(Claim, Matcher), Failure> {
    let known = || Claim::ALL.map(Claim::as_str).join(", ");
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    let claim = Claim::ALL.into_iter().find(|claim| claim.as_str() == name).ok_or_else(|| {
        Failure::usage(format!("ask for the claim `{text}`: there is none of that name"))
            .with_help(format!("name one of {}, as CLAIM=VALUE", known()))
    })?;
    Ok((claim, Matcher::exact(value)?))
}
