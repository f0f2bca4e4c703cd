//! The next page of a list. Source: RFC 8288, and distribution-spec, "Listing Referrers".

/// The address with `rel="next"` in a `Link` header's value.
pub fn next(header: &str) -> Option<&str> {
    let mut rest = header;
    loop {
        let (address, after) = rest.split_once('<')?.1.split_once('>')?;
        let end = after.find('<').unwrap_or(after.len());
        let (parameters, following) = after.split_at(end);
        let is_next = parameters.split([';', ',']).any(|parameter| {
            parameter.split_once('=').is_some_and(|(name, value)| {
                name.trim().eq_ignore_ascii_case("rel")
                    && value.trim().trim_matches('"').split(' ').any(|rel| rel.eq_ignore_ascii_case("next"))
            })
        });
        if is_next {
            return Some(address);
        }
        rest = following;
    }
}

#[cfg(test)]
mod tests {
    use super::next;

    #[test]
    fn finds_the_next_page() {
        assert_eq!(next("</v2/a/referrers/x?last=1>; rel=\"next\""), Some("/v2/a/referrers/x?last=1"));
        assert_eq!(next("</a>; rel=prev, </b>; REL=next"), Some("/b"));
        for header in ["", "</a>", "</a>; rel=prev", "<", "<<>>;;rel", "</a; rel=next"] {
            assert_eq!(next(header), None, "{header}");
        }
    }
}
