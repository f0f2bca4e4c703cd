/// Where an image is said to be, whatever its name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Forced {
    Store,
    Registry,
}

/// `store:REFERENCE` and `registry:REFERENCE`, with the reference. An image may be called `store` or `registry` itself: what follows is a
/// tag where it has no sign of a whole name.
pub(crate) fn forced(text: &str) -> (Option<Forced>, &str) {
    for (prefix, place) in [("store:", Forced::Store), ("registry:", Forced::Registry)] {
        if let Some(reference) = text.strip_prefix(prefix)
            && reference.contains([':', '/', '@'])
        {
            return (Some(place), reference);
        }
    }
    (None, text)
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
            ("app:1", None, "app:1"),
        ] {
            assert_eq!(forced(text), (place, rest), "{text}");
        }
    }
}
