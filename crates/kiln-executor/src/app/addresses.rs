//! Whether a lock file takes packages of a registry from somewhere else.

use kiln_fetch::Url;
use kiln_fetch::endpoints::Npm;
use kiln_finding::{Class, Failure};

/// Refuses addresses of a lock file that are not those of the registry that the package is of: yarn 2 and newer, and bun, show that
/// registry's login to whatever stands there. `addresses` are names of packages with their addresses.
pub(super) fn check_addresses(addresses: &[(String, String)], npm: &Npm) -> Result<(), Failure> {
    let stranger = addresses.iter().find(|(name, address)| !is_of_registry(name, address, npm));
    let Some((name, address)) = stranger else { return Ok(()) };
    let shown =
        Url::read(address).map_or_else(|_| "an address that cannot be read".to_owned(), |url| url.shown());
    let what = format!("use the lock file: it takes `{name}` from {shown}, which is not its registry");
    Err(Failure::new("app.foreign_address", Class::Usage, what).with_help(
        "install again from the registry that your npm settings name, so that the lock file names no other",
    ))
}

fn is_of_registry(name: &str, address: &str, npm: &Npm) -> bool {
    let scope = name.split_once('/').map(|(scope, _)| scope);
    let registry = scope.and_then(|scope| npm.scopes.get(scope)).or(npm.registry.as_ref());
    let server = |text: &str| Url::read(text).ok().map(|url| (url.https, url.host));
    registry.and_then(|registry| server(registry)).is_some_and(|own| server(address) == Some(own))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_registry_of_a_package_is_asked_for_it() {
        let npm = Npm {
            registry: Some("https://npm.example/public".to_owned()),
            scopes: [("@team".to_owned(), "https://team.example:8443".to_owned())].into(),
            ..Npm::default()
        };
        let check =
            |name: &str, address: &str| check_addresses(&[(name.to_owned(), address.to_owned())], &npm);
        for (name, address) in [
            ("ms", "https://npm.example/public/ms/-/ms-2.1.3.tgz"),
            ("@other/ms", "https://npm.example/download/ms.tgz"),
            ("@team/a", "https://team.example:8443/a.tgz"),
        ] {
            check(name, address).unwrap();
        }
        for (name, address) in [
            ("ms", "https://evil.example/ms/-/ms-2.1.3.tgz"),
            ("ms", "http://npm.example/ms.tgz"),
            ("ms", "https://npm.example@evil.example/ms.tgz"),
            ("ms", "https://npm.example:444/ms.tgz"),
            ("ms", "https://team.example:8443/ms.tgz"),
            ("@team/a", "https://npm.example/a.tgz"),
            ("ms", "//npm.example/ms.tgz"),
            ("ms", ""),
        ] {
            assert_eq!(check(name, address).unwrap_err().code, "app.foreign_address", "{name} {address}");
        }
        assert!(
            check_addresses(&[("ms".to_owned(), "https://a.example/x".to_owned())], &Npm::default()).is_err()
        );
    }
}
