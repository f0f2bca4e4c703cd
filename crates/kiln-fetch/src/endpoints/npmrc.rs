use std::collections::BTreeMap;

/// The settings of one `.npmrc`. Source: npm docs, npmrc(5): ini lines, `;` and `#` comments, `${VAR}` expansion.
pub(crate) fn parse(text: &str, vars: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut settings = BTreeMap::new();
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with([';', '#', '[']) {
            continue;
        }
        let (key, value) = line.split_once('=').unwrap_or((line, "true"));
        let key = expand(key.trim(), vars);
        settings.insert(key, expand(unquote(value.trim()), vars));
    }
    settings
}

fn unquote(value: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some(inside) = value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return inside;
        }
    }
    value
}

/// `${NAME}` becomes the variable's value and stays as it is where there is none; `${NAME?}` becomes nothing.
fn expand(text: &str, vars: &BTreeMap<String, String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let Some(length) = rest[start..].find('}') else { break };
        let (whole, name) = (&rest[start..=start + length], &rest[start + 2..start + length]);
        out.push_str(&rest[..start]);
        match (vars.get(name.trim_end_matches('?')), name.ends_with('?')) {
            (Some(value), _) => out.push_str(value),
            (None, true) => {}
            (None, false) => out.push_str(whole),
        }
        rest = &rest[start + length + 1..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_npm_reads() {
        let vars = BTreeMap::from([("TOKEN".to_owned(), "abc".to_owned())]);
        let text = "; a comment\n# another\nregistry = \"https://a.invalid/npm/\"\n//a.invalid/npm/:_authToken=${TOKEN}\n\
                    x=${NONE}${NONE?}-\n@scope:registry=https://b.invalid\nfund\n";
        let settings = parse(text, &vars);
        assert_eq!(settings["registry"], "https://a.invalid/npm/");
        assert_eq!(settings["//a.invalid/npm/:_authToken"], "abc");
        assert_eq!(settings["x"], "${NONE}-");
        assert_eq!(settings["@scope:registry"], "https://b.invalid");
        assert_eq!(settings["fund"], "true");
        assert_eq!(settings.len(), 5);
    }
}
