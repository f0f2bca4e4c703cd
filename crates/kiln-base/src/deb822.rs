/// One paragraph of a control file: fields in their order. Source: deb822(5).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stanza<'a> {
    text: &'a str,
}

/// The paragraphs of `text`, which are separated by empty lines.
pub(crate) fn stanzas(text: &str) -> impl Iterator<Item = Stanza<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(['\n', '\r']);
        if rest.is_empty() {
            return None;
        }
        let end = rest.find("\n\n").unwrap_or(rest.len());
        let (text, after) = rest.split_at(end);
        rest = after;
        Some(Stanza { text })
    })
}

impl<'a> Stanza<'a> {
    /// The value of a field with its continuation lines, as written; names are compared without case.
    pub(crate) fn get(&self, name: &str) -> Option<&'a str> {
        self.fields().find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// All fields in one pass.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let mut rest = self.text;
        std::iter::from_fn(move || {
            loop {
                if rest.is_empty() {
                    return None;
                }
                let mut end = rest.find('\n').unwrap_or(rest.len());
                while rest[end..].starts_with("\n ") || rest[end..].starts_with("\n\t") {
                    end += 1 + rest[end + 1..].find('\n').unwrap_or(rest.len() - end - 1);
                }
                let (field, after) = rest.split_at(end);
                rest = after.trim_start_matches('\n');
                if let Some((name, value)) = field.split_once(':') {
                    return Some((name, value.trim()));
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_fields_with_continuation_lines() {
        let text =
            "Package: a\nDescription: short\n long\n .\n more\nSize: 1\n\n\nPackage: b\nnoise\nSize:2\n";
        let found: Vec<_> = stanzas(text).collect();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].get("description"), Some("short\n long\n .\n more"));
        assert_eq!(found[0].get("Size"), Some("1"));
        assert_eq!(found[1].get("Size"), Some("2"));
        assert_eq!(found[1].get("Nothing"), None);
    }
}
