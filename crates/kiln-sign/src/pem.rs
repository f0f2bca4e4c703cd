//! Just enough PEM: one block with one of the given labels. Source: RFC 7468.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

pub(crate) fn write(label: &str, bytes: &[u8]) -> String {
    let body = BASE64.encode(bytes);
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in body.as_bytes().chunks(64) {
        text.push_str(&String::from_utf8_lossy(line));
        text.push('\n');
    }
    text + &format!("-----END {label}-----\n")
}

pub(crate) fn read(labels: &[&str], text: &str) -> Option<Vec<u8>> {
    let text = text.trim();
    let body = labels.iter().find_map(|label| {
        text.strip_prefix(&format!("-----BEGIN {label}-----"))?
            .strip_suffix(&format!("-----END {label}-----"))
    })?;
    BASE64.decode(body.split_whitespace().collect::<String>()).ok()
}
