//! Debian's version order. Source: Debian policy §5.6.12 and deb-version(7); agrees with
//! `dpkg --compare-versions`.

use std::cmp::Ordering;

/// The order of two Debian versions, `[epoch:]upstream[-revision]`. Equal does not mean the same text
/// (`1.0` and `1.00` are equal).
pub fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (Parts::of(a), Parts::of(b));
    compare_number(a.epoch, b.epoch)
        .then_with(|| compare_part(a.upstream, b.upstream))
        .then_with(|| compare_part(a.revision, b.revision))
}

/// The upstream part of a version: without epoch and revision.
pub fn upstream(version: &str) -> &str {
    let rest = version.split_once(':').map_or(version, |(_, rest)| rest);
    rest.rsplit_once('-').map_or(rest, |(upstream, _)| upstream)
}

struct Parts<'a> {
    epoch: &'a [u8],
    upstream: &'a [u8],
    revision: &'a [u8],
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Self {
        let text = text.trim();
        let (epoch, rest) = text.split_once(':').unwrap_or(("", text));
        let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
        Self { epoch: epoch.as_bytes(), upstream: upstream.as_bytes(), revision: revision.as_bytes() }
    }
}

/// Compares runs of non-digits by [`weight`] and runs of digits as numbers, in turns.
fn compare_part(mut a: &[u8], mut b: &[u8]) -> Ordering {
    loop {
        let (text_a, rest_a) = split(a, |byte| !byte.is_ascii_digit());
        let (text_b, rest_b) = split(b, |byte| !byte.is_ascii_digit());
        let (number_a, after_a) = split(rest_a, u8::is_ascii_digit);
        let (number_b, after_b) = split(rest_b, u8::is_ascii_digit);
        let order = compare_text(text_a, text_b).then_with(|| compare_number(number_a, number_b));
        if order.is_ne() || (after_a.is_empty() && after_b.is_empty()) {
            return order;
        }
        (a, b) = (after_a, after_b);
    }
}

fn compare_text(a: &[u8], b: &[u8]) -> Ordering {
    let length = a.len().max(b.len());
    let weight_at = |text: &[u8], at: usize| text.get(at).map_or(0, |&byte| weight(byte));
    (0..length)
        .map(|at| weight_at(a, at).cmp(&weight_at(b, at)))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// `~` sorts before the end of the part, letters before everything else.
fn weight(byte: u8) -> i32 {
    match byte {
        b'~' => -1,
        b'A'..=b'Z' | b'a'..=b'z' => i32::from(byte),
        _ => i32::from(byte) + 256,
    }
}

/// Numbers of any length; no digits is zero.
pub(super) fn compare_number(a: &[u8], b: &[u8]) -> Ordering {
    let strip = |digits: &'_ [u8]| digits.iter().take_while(|&&digit| digit == b'0').count();
    let (a, b) = (a.get(strip(a)..).unwrap_or_default(), b.get(strip(b)..).unwrap_or_default());
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

pub(super) fn split(text: &[u8], belongs: impl Fn(&u8) -> bool) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !belongs(byte)).unwrap_or(text.len());
    text.split_at(end)
}
