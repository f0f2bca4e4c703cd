/// The name of an image, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageName {
    /// Without tag and digest, and without `docker.io/` and `library/`.
    pub name: String,
    /// After `:`.
    pub tag: Option<String>,
    /// After `@`.
    pub digest: Option<String>,
}

impl ImageName {
    /// Reads `name[:tag][@digest]`.
    pub fn parse(text: &str) -> Self {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.to_owned())),
            None => (text, None),
        };
        // A colon before the last slash belongs to a port.
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag.to_owned())),
            _ => (rest, None),
        };
        let name = match name.split_once('/') {
            Some((host, rest)) if host == "docker.io" || host.ends_with(".docker.io") => rest,
            _ => name,
        };
        let name = name.strip_prefix("library/").unwrap_or(name);
        Self { name: name.to_owned(), tag, digest }
    }

    /// The parts of the tag between dashes.
    pub fn tag_words(&self) -> Vec<&str> {
        self.tag.as_deref().map(|tag| tag.split('-').collect()).unwrap_or_default()
    }

    /// Whether the name can be that of an image: not empty, no upper case, no blanks.
    pub fn is_valid(text: &str) -> bool {
        let name = Self::parse(text).name;
        let is_part =
            |char: char| char.is_ascii_lowercase() || char.is_ascii_digit() || "._-/:".contains(char);
        let host_end = name.find('/').unwrap_or(0);
        let path = name.get(host_end..).unwrap_or_default();
        !name.is_empty()
            && !name.starts_with(['/', ':', '-', '.'])
            && !name.ends_with(['/', ':'])
            && path.chars().all(is_part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_apart() {
        let name = ImageName::parse("docker.io/library/node:24-slim@sha256:00");
        assert_eq!((name.name.as_str(), name.tag.as_deref()), ("node", Some("24-slim")));
        assert_eq!(ImageName::parse("a.example:5000/x/y").tag, None);
        assert!(ImageName::is_valid("node:24") && ImageName::is_valid("A.example/x"));
        for text in ["", ":24", "node/", "Node Js", "/x"] {
            assert!(!ImageName::is_valid(text), "{text}");
        }
    }
}
