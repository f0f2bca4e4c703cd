//! PAX extended header records: `<length> <key>=<value>\n` (POSIX.1-2001).

/// Appends one record. The length counts itself.
pub(crate) fn put(records: &mut Vec<u8>, key: &str, value: &[u8]) {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + digits(rest);
    if digits(length) > digits(rest) {
        length += 1;
    }
    records.extend_from_slice(format!("{length} {key}=").as_bytes());
    records.extend_from_slice(value);
    records.push(b'\n');
}

fn digits(number: usize) -> usize {
    number.to_string().len()
}

/// Splits records into keys and values; `None` where they are malformed.
pub(crate) fn read(mut records: &[u8]) -> Option<Vec<(&str, &[u8])>> {
    let mut pairs = Vec::new();
    while !records.is_empty() {
        let blank = records.iter().position(|&b| b == b' ')?;
        let length: usize = std::str::from_utf8(&records[..blank]).ok()?.parse().ok()?;
        if length <= blank + 1 || length > records.len() {
            return None;
        }
        let (record, rest) = records.split_at(length);
        let body = record[blank + 1..].strip_suffix(b"\n")?;
        let equals = body.iter().position(|&b| b == b'=')?;
        pairs.push((std::str::from_utf8(&body[..equals]).ok()?, &body[equals + 1..]));
        records = rest;
    }
    Some(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_count_themselves() {
        for size in 0..200 {
            let mut records = Vec::new();
            let value = vec![b'x'; size];
            put(&mut records, "path", &value);
            put(&mut records, "k", b"v");
            assert_eq!(read(&records), Some(vec![("path", &value[..]), ("k", &b"v"[..])]), "{size}");
        }
    }

    #[test]
    fn malformed_records_are_refused() {
        for records in ["x", "5 a=b", "99 a=b\n", "0 \n", "3 a\n", "6 path\n"] {
            assert_eq!(read(records.as_bytes()), None, "{records:?}");
        }
    }
}
