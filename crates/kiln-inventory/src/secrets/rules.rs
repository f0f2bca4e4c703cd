/// A kind of credential. `check` gets what lies before the mark and after it, and gives how many bytes after the mark belong to
/// the credential.
pub(super) struct Rule {
    pub(super) name: &'static str,
    pub(super) mark: &'static str,
    pub(super) check: fn(&[u8], &[u8]) -> Option<usize>,
}

/// Formats as their issuers document them.
pub(super) static RULES: &[Rule] = &[
    Rule { name: "private-key", mark: "PRIVATE KEY-----", check: private_key },
    Rule {
        name: "npm-token",
        mark: "npm_",
        check: |before, after| token(before, after, 36..=36, alphanumeric),
    },
    Rule {
        name: "github-token",
        mark: "ghp_",
        check: |before, after| token(before, after, 36..=255, alphanumeric),
    },
    Rule {
        name: "github-token",
        mark: "gho_",
        check: |before, after| token(before, after, 36..=255, alphanumeric),
    },
    Rule {
        name: "github-token",
        mark: "ghs_",
        check: |before, after| token(before, after, 36..=255, alphanumeric),
    },
    Rule {
        name: "github-token",
        mark: "github_pat_",
        check: |before, after| token(before, after, 60..=255, word),
    },
    Rule {
        name: "gitlab-token",
        mark: "glpat-",
        check: |before, after| token(before, after, 20..=64, dashed),
    },
    Rule {
        name: "aws-access-key",
        mark: "AKIA",
        check: |before, after| token(before, after, 16..=16, capital),
    },
    Rule { name: "slack-token", mark: "xoxb-", check: slack },
    Rule { name: "slack-token", mark: "xoxp-", check: slack },
    Rule {
        name: "google-api-key",
        mark: "AIza",
        check: |before, after| token(before, after, 35..=35, dashed),
    },
    Rule {
        name: "stripe-key",
        mark: "sk_live_",
        check: |before, after| token(before, after, 24..=255, alphanumeric),
    },
];

/// Distinct characters a random credential has at least; placeholders (`xxxx`, `1234`) have fewer.
const MIN_DISTINCT: usize = 9;
/// Base64 characters that a private key has at least after its first line.
const MIN_KEY: usize = 64;

fn alphanumeric(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

fn word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn dashed(byte: u8) -> bool {
    word(byte) || byte == b'-'
}

fn capital(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

fn token(
    before: &[u8],
    after: &[u8],
    length: std::ops::RangeInclusive<usize>,
    belongs: fn(u8) -> bool,
) -> Option<usize> {
    // Inside a longer word, or a blob of base64, it is none.
    if before.last().is_some_and(|byte| byte.is_ascii_alphanumeric() || b"_+/-".contains(byte)) {
        return None;
    }
    let end = after.iter().position(|byte| !belongs(*byte)).unwrap_or(after.len());
    let text = after.get(..end)?;
    let next = after.get(end).is_some_and(|byte| b"+/=_".contains(byte) && *byte != b'=');
    let random = is_random(text) && !text.windows(7).any(|part| part == b"EXAMPLE");
    (length.contains(&end) && random && !next).then_some(end)
}

fn slack(before: &[u8], after: &[u8]) -> Option<usize> {
    let dashes = after.iter().take(40).filter(|byte| **byte == b'-').count();
    after.first().filter(|byte| byte.is_ascii_digit())?;
    token(before, after, 20..=255, dashed).filter(|_| dashes >= 1)
}

fn is_random(text: &[u8]) -> bool {
    let mut seen = [false; 256];
    for byte in text {
        seen[usize::from(*byte)] = true;
    }
    seen.iter().filter(|seen| **seen).count() >= MIN_DISTINCT && text.iter().any(u8::is_ascii_digit)
}

/// PEM (RFC 7468): `-----BEGIN … PRIVATE KEY-----`, then base64, also with line ends written as `\n`.
fn private_key(before: &[u8], after: &[u8]) -> Option<usize> {
    let start = before.len().saturating_sub(24);
    let begin = before.get(start..)?;
    if !begin.windows(11).any(|part| part == b"-----BEGIN ") {
        return None;
    }
    let mut count = 0;
    let mut escaped = false;
    for (at, &byte) in after.iter().enumerate() {
        match byte {
            b'\\' => escaped = true,
            b'n' | b'r' if escaped => escaped = false,
            b'\r' | b'\n' | b' ' | b'\t' => {}
            _ if byte.is_ascii_alphanumeric() || b"+/=".contains(&byte) => count += 1,
            // Headers of an encrypted key (`Proc-Type: 4,ENCRYPTED`).
            b':' | b',' | b'-' if at < 120 && count < MIN_KEY => count = 0,
            _ => return None,
        }
        if count >= MIN_KEY {
            return is_random(after.get(..at)?).then_some(at);
        }
    }
    None
}
