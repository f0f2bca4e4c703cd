/// How repositories are reached that others can reach, too.
const SCHEMES: [&str; 4] = ["https", "http", "ssh", "git"];

/// The address of a remote as a statement may name it: a URL without passwords, tokens and queries. Nothing for what is a place on
/// this machine, and for what is no address.
pub(super) fn public(address: &str) -> Option<String> {
    if !address.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let (scheme, rest) = match address.split_once("://") {
        Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest.to_owned()),
        None => ("ssh".to_owned(), short(address)?),
    };
    if !SCHEMES.contains(&scheme.as_str()) {
        return None;
    }
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (user, host) =
        authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
    // The user of ssh is part of the address; of what else stands there a secret may be.
    let user = user
        .filter(|_| scheme == "ssh")
        .map(|user| format!("{}@", user.split(':').next().unwrap_or_default()));
    let path = path.trim_end_matches('/');
    // Behind an `@`, a statement has the revision.
    if path.contains('@') {
        return None;
    }
    (!host.is_empty() && !path.is_empty())
        .then(|| format!("{scheme}://{}{host}/{path}", user.unwrap_or_default()))
}

/// `git@host:org/app` as it stands in a URL. What has a slash before the colon is a path, and two colons name a program.
fn short(address: &str) -> Option<String> {
    let (host, path) = address.split_once(':')?;
    (!host.contains('/') && !path.is_empty() && !path.starts_with(':'))
        .then(|| format!("{host}/{}", path.trim_start_matches('/')))
}

#[cfg(test)]
mod tests {
    use super::public;

    #[test]
    fn addresses_hold_no_secrets_and_no_places() {
        for (address, expected) in [
            ("https://git.example/org/app.git", Some("https://git.example/org/app.git")),
            ("https://user:ghp_secret@git.example/org/app", Some("https://git.example/org/app")),
            ("https://ghp_secret@git.example:8443/org/app/", Some("https://git.example:8443/org/app")),
            ("https://a@b:c@git.example/org/app", Some("https://git.example/org/app")),
            ("HTTPS://git.example/org/app?private_token=x#y", Some("https://git.example/org/app")),
            ("git@git.example:org/app.git", Some("ssh://git@git.example/org/app.git")),
            ("ssh://git:secret@git.example:22/org/app", Some("ssh://git@git.example:22/org/app")),
            ("/srv/git/app.git", None),
            ("../app", None),
            ("./a:b", None),
            ("file:///home/me/app", None),
            ("ext::sh -c true", None),
            ("ext::sh", None),
            ("https://git.example/org/app@git.evil/x.git", None),
            ("https://git.example", None),
            ("https:///org/app", None),
            ("https://git.example/a\nb", None),
            ("", None),
        ] {
            assert_eq!(public(address).as_deref(), expected, "{address}");
        }
    }
}
