//! Names of variables that hold secrets.

/// Words that make a name one of a secret, and words that take it back. Source: BuildKit's check `SecretsUsedInArgOrEnv`.
const SECRET: [&str; 12] = [
    "apikey",
    "auth",
    "credential",
    "credentials",
    "key",
    "passwd",
    "password",
    "pat",
    "pwd",
    "pword",
    "secret",
    "token",
];
const HARMLESS: [&str; 8] = ["public", "file", "version", "path", "id", "name", "enabled", "expiry"];

/// Whether a variable of that name holds a secret.
pub(crate) fn is_secret(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let words: Vec<&str> = lower.split(['_', '-']).collect();
    words.iter().any(|word| SECRET.contains(word)) && !words.iter().any(|word| HARMLESS.contains(word))
}

/// The id under which a builder is given the secret.
pub(crate) fn id(name: &str) -> String {
    name.to_ascii_lowercase()
}

/// Whether a text of an `.npmrc` holds a credential in clear.
pub(crate) fn has_credential(npmrc: &str) -> bool {
    npmrc.lines().filter_map(|line| line.split_once('=')).any(|(key, value)| {
        let key = key.trim();
        let is_credential = [":_authToken", ":_auth", ":_password", "_authToken", "_auth"]
            .iter()
            .any(|end| key.ends_with(end));
        is_credential && !value.trim().is_empty() && !value.contains("${")
    })
}

/// The variables that a text uses: `${NAME}` and `$NAME`.
pub(crate) fn variables(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (at, _) in text.match_indices('$') {
        let rest = text[at + 1..].trim_start_matches('{');
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        let name = &rest[..end];
        if !name.is_empty() && !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart() {
        for name in ["NPM_TOKEN", "API_KEY", "db_password", "NODE_AUTH_TOKEN", "JWT_SECRET"] {
            assert!(is_secret(name), "{name}");
        }
        for name in
            ["PORT", "PUBLIC_KEY", "TOKEN_FILE", "AUTHOR", "KEYBOARD", "AWS_ACCESS_KEY_ID", "NODE_VERSION"]
        {
            assert!(!is_secret(name), "{name}");
        }
        assert!(has_credential("//r.invalid/:_authToken=abc"));
        assert!(!has_credential("//r.invalid/:_authToken=${NPM_TOKEN}\nregistry=https://r.invalid/"));
        assert_eq!(variables("a ${B_1}/$C-$D"), ["B_1", "C", "D"]);
    }
}
