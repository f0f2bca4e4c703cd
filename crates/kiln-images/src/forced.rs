/// Where an image is said to be, whatever its name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Forced {
    Store,
    Registry,
}

/// `store:REFERENCE` and `registry:REFERENCE`, with the reference. An image may be called `store` or `registry` itself, and so may a host:
/// what follows is a tag where it has no sign of a whole name, and a port where it is digits before a slash.
pub(crate) fn forced(text: &str) -> (Option<Forced>, &str) {
    for (prefix, place) in [("store:", Forced::Store), ("registry:", Forced::Registry)] {
        if let Some(reference) = text.strip_prefix(prefix)
            && is_name(reference)
        {
            return (Some(place), reference);
        }
    }
    (None, text)
}

fn is_name(text: &str) -> bool {
    let is_digit = |c: char| c.is_ascii_digit();
    match text.split_once(['/', '@']) {
        Some((port, _)) if text[port.len()..].starts_with('/') => {
            port.is_empty() || !port.chars().all(is_digit)
        }
        // `registry:2.8@sha256:…` is the image of Docker's registry.
        Some((tag, _)) => tag.contains(':') || !tag.starts_with(is_digit),
        None => text.contains(':'),
    }
}

/// The name of an image without the word that says where it is.
pub fn unforced(text: &str) -> &str {
    forced(text).1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_for_a_place_is_no_name_and_a_name_no_place() {
        for (text, place, rest) in [
            ("store:app:1", Some(Forced::Store), "app:1"),
            ("registry:r.invalid/app", Some(Forced::Registry), "r.invalid/app"),
            ("registry:2", None, "registry:2"),
            ("store:latest", None, "store:latest"),
            ("registry:5000/team/app:1", None, "registry:5000/team/app:1"),
            ("store:5000/app", None, "store:5000/app"),
            ("store:registry:5000/app", Some(Forced::Store), "registry:5000/app"),
            ("registry:registry:5000/app", Some(Forced::Registry), "registry:5000/app"),
            ("registry:2.8.3@sha256:00", None, "registry:2.8.3@sha256:00"),
            ("registry:app@sha256:00", Some(Forced::Registry), "app@sha256:00"),
            ("registry:r.invalid/2@sha256:00", Some(Forced::Registry), "r.invalid/2@sha256:00"),
            ("store:2:1@sha256:00", Some(Forced::Store), "2:1@sha256:00"),
            ("app:1", None, "app:1"),
        ] {
            assert_eq!(forced(text), (place, rest), "{text}");
        }
    }
}
