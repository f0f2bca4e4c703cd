//! The version order of apk-tools 3: `1.2.3a_rc1~hash-r4`. Source: apk-package(5) "PACKAGE METADATA", and Gentoo's
//! PMS §3.3 for leading zeros.

use std::cmp::Ordering;

use super::deb::{compare_number, split};

/// Suffixes in rising order; those before `""` make a version older than the same version without.
const SUFFIXES: [&str; 10] = ["alpha", "beta", "pre", "rc", "", "cvs", "svn", "git", "hg", "p"];
const NO_SUFFIX: usize = 4;

/// One piece of a version. The order of the kinds decides between versions of different shape: the one whose
/// next piece has the lower kind goes on where the other has ended a level, and is newer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'a> {
    First(&'a [u8]),
    Digits(&'a [u8]),
    Letter(u8),
    Suffix(usize),
    SuffixNumber(&'a [u8]),
    Hash(&'a [u8]),
    Revision(&'a [u8]),
    End,
    Invalid(&'a [u8]),
}

impl Token<'_> {
    fn kind(self) -> u8 {
        match self {
            Self::First(_) => 1,
            Self::Digits(_) => 2,
            Self::Letter(_) => 3,
            Self::Suffix(_) => 4,
            Self::SuffixNumber(_) => 5,
            Self::Hash(_) => 6,
            Self::Revision(_) => 7,
            Self::End => 8,
            Self::Invalid(_) => 9,
        }
    }

    fn is_prerelease(self) -> bool {
        matches!(self, Self::Suffix(suffix) if suffix < NO_SUFFIX)
    }
}

/// The order of two apk versions. Texts that are no version sort below those that are, among themselves bytewise.
pub fn compare(a: &str, b: &str) -> Ordering {
    match (is_valid(a), is_valid(b)) {
        (true, true) => compare_valid(a.as_bytes(), b.as_bytes()),
        (valid_a, valid_b) => valid_a.cmp(&valid_b).then_with(|| a.cmp(b)),
    }
}

/// Whether `text` is a version by apk's grammar.
pub fn is_valid(text: &str) -> bool {
    let mut rest = text.as_bytes();
    let mut last = None;
    loop {
        let token = next(&mut rest, last);
        match token {
            Token::End => return last.is_some(),
            Token::Invalid(_) => return false,
            _ => last = Some(token),
        }
    }
}

fn compare_valid(mut a: &[u8], mut b: &[u8]) -> Ordering {
    let (mut last_a, mut last_b) = (None, None);
    loop {
        let (token_a, token_b) = (next(&mut a, last_a), next(&mut b, last_b));
        let order = match (token_a, token_b) {
            (Token::End, Token::End) => return Ordering::Equal,
            (Token::First(a), Token::First(b))
            | (Token::SuffixNumber(a), Token::SuffixNumber(b))
            | (Token::Revision(a), Token::Revision(b)) => compare_number(a, b),
            (Token::Digits(a), Token::Digits(b)) => compare_digits(a, b),
            (Token::Letter(a), Token::Letter(b)) => a.cmp(&b),
            (Token::Suffix(a), Token::Suffix(b)) => a.cmp(&b),
            (Token::Hash(a), Token::Hash(b)) => a.cmp(b),
            _ if token_a.is_prerelease() => Ordering::Less,
            _ if token_b.is_prerelease() => Ordering::Greater,
            _ => token_b.kind().cmp(&token_a.kind()),
        };
        if order.is_ne() {
            return order;
        }
        (last_a, last_b) = (Some(token_a), Some(token_b));
    }
}

/// A component with a leading zero is a fraction, compared as text.
fn compare_digits(a: &[u8], b: &[u8]) -> Ordering {
    if a.starts_with(b"0") || b.starts_with(b"0") { a.cmp(b) } else { compare_number(a, b) }
}

fn next<'a>(rest: &mut &'a [u8], last: Option<Token<'a>>) -> Token<'a> {
    let text = *rest;
    let Some((&byte, after)) = text.split_first() else { return Token::End };
    let (token, left) = match (last, byte) {
        (None, b'0'..=b'9') => number(text, Token::First),
        (Some(Token::First(_) | Token::Digits(_)), b'.') => number(after, Token::Digits),
        (Some(Token::First(_) | Token::Digits(_)), b'a'..=b'z') => (Token::Letter(byte), after),
        (Some(Token::Suffix(_)), b'0'..=b'9') => number(text, Token::SuffixNumber),
        (Some(Token::Revision(_) | Token::Hash(_)) | None, b'_' | b'~') => (Token::Invalid(text), text),
        (_, b'_') => {
            let (name, left) = split(after, u8::is_ascii_lowercase);
            let found = SUFFIXES.iter().position(|suffix| suffix.as_bytes() == name && !name.is_empty());
            (found.map_or(Token::Invalid(text), Token::Suffix), left)
        }
        (_, b'~') => {
            let (hash, left) = split(after, u8::is_ascii_hexdigit);
            (if hash.is_empty() { Token::Invalid(text) } else { Token::Hash(hash) }, left)
        }
        (Some(last), b'-') if !matches!(last, Token::Revision(_)) => match after.split_first() {
            Some((b'r', digits)) => number(digits, Token::Revision),
            _ => (Token::Invalid(text), text),
        },
        _ => (Token::Invalid(text), text),
    };
    *rest = left;
    token
}

fn number<'a>(text: &'a [u8], make: fn(&'a [u8]) -> Token<'a>) -> (Token<'a>, &'a [u8]) {
    let (digits, left) = split(text, u8::is_ascii_digit);
    if digits.is_empty() { (Token::Invalid(text), left) } else { (make(digits), left) }
}
