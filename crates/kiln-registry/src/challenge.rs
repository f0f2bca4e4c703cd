//! What a registry wants to see. Source: RFC 9110 §11.6.1; distribution, "Token Authentication Specification".

use std::collections::BTreeMap;

/// One challenge of a `WWW-Authenticate` header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// In lower case: `basic`, `bearer`.
    pub scheme: String,
    /// Names in lower case.
    pub parameters: BTreeMap<String, String>,
}

/// The challenges in a header's value; what is malformed is left out.
pub fn parse(header: &str) -> Vec<Challenge> {
    let mut challenges: Vec<Challenge> = Vec::new();
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let (word, after) = rest.split_at(rest.find(|c| !is_token(c)).unwrap_or(rest.len()));
        if word.is_empty() {
            // Nothing that could be a name: skip one character, whatever it is.
            let mut characters = rest.chars();
            if characters.next().is_none() {
                return challenges;
            }
            rest = characters.as_str();
            continue;
        }
        match (after.trim_start_matches([' ', '\t']).strip_prefix('='), challenges.last_mut()) {
            (Some(value), Some(challenge)) => {
                let (value, after) = read_value(value.trim_start_matches([' ', '\t']));
                challenge.parameters.entry(word.to_ascii_lowercase()).or_insert(value);
                rest = after;
            }
            (Some(value), None) => rest = read_value(value).1,
            (None, _) => {
                let scheme = word.to_ascii_lowercase();
                challenges.push(Challenge { scheme, parameters: BTreeMap::new() });
                rest = after;
            }
        }
    }
}

/// A value, in quotes or not, and what follows it.
fn read_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, after) = text.split_at(text.find([',', ' ', '\t']).unwrap_or(text.len()));
        return (value.to_owned(), after);
    };
    let mut value = String::new();
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => break,
            '\\' => value.extend(characters.next()),
            other => value.push(other),
        }
    }
    (value, characters.as_str())
}

fn is_token(character: char) -> bool {
    character.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(character)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn reads_what_registries_send() {
        let [bearer] = &parse(
            r#"Bearer realm="https://a.invalid/token",service="a.invalid",scope="repository:x/y:pull,push""#,
        )[..] else {
            panic!("one challenge");
        };
        assert_eq!(bearer.scheme, "bearer");
        assert_eq!(bearer.parameters["realm"], "https://a.invalid/token");
        assert_eq!(bearer.parameters["scope"], "repository:x/y:pull,push");
    }

    #[test]
    fn reads_several_and_odd_ones() {
        let schemes = |text: &str| parse(text).into_iter().map(|one| one.scheme).collect::<Vec<_>>();
        assert_eq!(schemes(r#"Basic realm="a, b", Bearer realm=x"#), ["basic", "bearer"]);
        assert_eq!(schemes("BASIC"), ["basic"]);
        assert!(schemes("Negotiate abc==, Basic realm=\"x\"").contains(&"negotiate".to_owned()));
        for text in ["", ",,,", "=", "\"", "Bearer realm=\"unfinished \\", "realm=x", "é Basic"] {
            parse(text);
        }
        assert_eq!(parse(r#"Bearer realm="a\"b""#)[0].parameters["realm"], "a\"b");
    }
}
