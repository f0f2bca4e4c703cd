//! What is built into Node.js, as its startup snapshot holds `process.versions`: the values, one after the other, without
//! their names. Names are given only where a known order of them fits all that can be checked: the version of Node.js that
//! follows, the OpenSSL and the V8 that name themselves elsewhere, the shape of the time-zone data.

use kiln_pkg::Part;

/// The orders of names.
const ORDERS: &str = include_str!("../../data/node_parts.txt");
/// Start of a string in the snapshot: an empty hash, then the length, then the characters, padded to eight bytes.
const HEADER: &[u8] = b"\x03\0\0\0";
/// Bytes between the end of a string and the header of the next.
const BETWEEN: usize = 4;
const PAD: usize = 8;
const LONGEST: usize = 48;
/// Values read to each side.
const MOST: usize = 40;
/// Counts that have no release of their own: they say which add-ons fit.
const INTERFACES: &[&str] = &["modules", "napi"];

/// The values around the version of V8 whose `-node.` starts at `at`; empty where this is no snapshot.
pub(super) fn values(view: &[u8], at: usize) -> (Vec<String>, Vec<String>) {
    let digits = view.get(..at).unwrap_or_default().iter().rev();
    let start = at - digits.take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
    let Some(v8) = start.checked_sub(PAD).and_then(|header| string_at(view, header)) else {
        return (Vec::new(), Vec::new());
    };
    let mut before = Vec::new();
    let mut header = start - PAD;
    while let Some((at, text)) = string_before(view, header).filter(|_| before.len() < MOST) {
        before.push(text);
        header = at;
    }
    before.reverse();
    let mut after = Vec::new();
    let mut end = start + padded(v8.len());
    while let Some(text) = string_at(view, end + BETWEEN).filter(|_| after.len() < MOST) {
        end += BETWEEN + PAD + padded(text.len());
        after.push(text);
    }
    before.push(v8);
    (before, after)
}

fn padded(length: usize) -> usize {
    length.div_ceil(PAD) * PAD
}

fn string_at(view: &[u8], header: usize) -> Option<String> {
    let rest = view.get(header..)?.strip_prefix(HEADER)?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let length =
        usize::try_from(u32::from_le_bytes(*length)).ok().filter(|length| (2..=LONGEST).contains(length))?;
    let text = std::str::from_utf8(rest.get(..length)?).ok()?;
    text.bytes().all(|byte| byte.is_ascii_graphic()).then(|| text.to_owned())
}

/// The string whose padded end lies right before the string with this header.
fn string_before(view: &[u8], header: usize) -> Option<(usize, String)> {
    let end = header.checked_sub(BETWEEN)?;
    (PAD..=padded(LONGEST)).step_by(PAD).find_map(|length| {
        let header = end.checked_sub(length + PAD)?;
        let text = string_at(view, header)?;
        (padded(text.len()) == length).then_some((header, text))
    })
}

/// Names the values; empty where no known order fits, or two that say different things.
pub(super) fn named(before: &[String], after: &[String], node: &str, openssl: Option<&str>) -> Vec<Part> {
    let orders = ORDERS.lines().filter(|line| !line.starts_with('#'));
    let orders = orders.map(|line| line.split(' ').collect::<Vec<_>>());
    let mut fitting = orders.filter_map(|order| fit(&order, before, after, node, openssl));
    let first = fitting.next().unwrap_or_default();
    if fitting.all(|other| other == first) { first } else { Vec::new() }
}

fn fit(
    order: &[&str],
    before: &[String],
    after: &[String],
    node: &str,
    openssl: Option<&str>,
) -> Option<Vec<Part>> {
    let v8 = order.iter().position(|name| *name == "v8")?;
    let (front, back) = order.split_at(v8 + 1);
    // The version of the whole comes next.
    if after.get(back.len()).is_none_or(|next| next != node) {
        return None;
    }
    let whole = format!("v{node}");
    let before: Vec<&String> = before.iter().filter(|value| **value != whole).collect();
    if before.len() > front.len() {
        return None;
    }
    let front = front.get(front.len() - before.len()..)?;
    let pairs = front.iter().zip(before).chain(back.iter().zip(after));
    let parts: Vec<Part> =
        pairs.map(|(name, value)| Part { name: (*name).to_owned(), version: value.clone() }).collect();
    let checked = ["openssl", "tz"].iter().all(|name| parts.iter().any(|part| part.name == *name));
    let fits = parts.iter().all(|part| match part.name.as_str() {
        "openssl" => openssl.is_none_or(|openssl| openssl == part.version),
        "tz" => part.version.len() == 5 && part.version.starts_with("20"),
        "modules" | "napi" => part.version.bytes().all(|byte| byte.is_ascii_digit()),
        // Unicode's data has two numbers, software three or more.
        "cldr" | "icu" | "unicode" => part.version.split('.').count() == 2,
        _ => part.version.split('.').count() > 2,
    });
    let mut parts = Some(parts).filter(|_| checked && fits)?;
    parts.retain(|part| !INTERFACES.contains(&part.name.as_str()));
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(values: &[&str]) -> Vec<u8> {
        let mut bytes = vec![7; 64];
        for value in values {
            bytes.extend_from_slice(b"\x01\x0cQa\x03\0\0\0");
            bytes.extend_from_slice(&u32::try_from(value.len()).unwrap().to_le_bytes());
            bytes.extend_from_slice(value.as_bytes());
            bytes.resize(bytes.len() + padded(value.len()) - value.len(), 0);
        }
        bytes
    }

    const TWENTY: [&str; 21] = [
        "v20.20.2",
        "1.1.0",
        "2.2.0",
        "48.0",
        "78.2",
        "9.3.1",
        "115",
        "1.61.0",
        "3.0.19",
        "6.4.2",
        "2025c",
        "6.24.1",
        "17.0",
        "1.46.0",
        "0.0.23",
        "11.3.244.8-node.38",
        "1.3.1-e00f703",
        "20.20.2",
        "8.16.0",
        "2.9.2",
        "1.34.6",
    ];

    fn parts(values: &[&str], node: &str) -> Vec<Part> {
        let bytes = snapshot(values);
        let at = bytes.windows(6).position(|window| window == b"-node.").unwrap();
        let (before, after) = super::values(&bytes, at);
        named(&before, &after, node, Some("3.0.19"))
    }

    #[test]
    fn names_what_fits_and_nothing_else() {
        let found = parts(&TWENTY, "20.20.2");
        let shown: Vec<String> = found.iter().map(|part| format!("{} {}", part.name, part.version)).collect();
        assert_eq!(shown[..4], ["brotli 1.1.0", "cjs_module_lexer 2.2.0", "cldr 48.0", "icu 78.2"]);
        assert!(
            shown.contains(&"undici 6.24.1".to_owned())
                && !shown.iter().any(|part| part.starts_with("modules"))
        );
        assert_eq!(shown.last().unwrap(), "zlib 1.3.1-e00f703");
        assert_eq!(parts(&TWENTY, "20.20.1"), []);
        let mut shifted = TWENTY.to_vec();
        shifted.remove(9);
        assert_eq!(parts(&shifted, "20.20.2"), []);
    }
}
