use kiln_fetch::Url;
use kiln_oci::{Reference, answering_host, normal_host, normal_path};
use kiln_text::percent::{Encoded, Plain};

use crate::RegistrySettings;
use crate::error::{Error, ErrorKind};

/// Where the requests for one repository go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// The registry as people write it; credentials are kept under this name.
    pub(crate) host: String,
    /// The host that is asked.
    pub(crate) api: String,
    /// The repository there.
    pub(crate) name: String,
    /// Its port is named, and that of TLS: nobody else is asked, also where another port would be.
    pub(crate) is_tls: bool,
}

/// How a name ends that names the port of TLS. Its usual form has no port, and would lead to that of plain HTTP, too.
const TLS_PORT: &str = ":443";

impl Endpoint {
    /// The registry itself.
    pub(crate) fn of(reference: &Reference) -> Result<Self, Error> {
        let host = reference.host().ok_or_else(|| ErrorKind::NoHost { name: reference.to_string() })?;
        let is_tls = host.ends_with(TLS_PORT);
        let host = normal_host(host);
        let name = normal_path(&host, reference.path());
        Ok(Self { api: answering_host(&host).to_owned(), host, name, is_tls })
    }

    /// The mirrors of this registry, in the order they are asked.
    pub(crate) fn mirrors(&self, settings: &RegistrySettings) -> Vec<Self> {
        let own = settings.mirrors.iter().filter(|(host, _)| normal_host(host) == self.host);
        let listed = own.flat_map(|(_, mirrors)| mirrors);
        listed
            .map(|mirror| {
                let mirror = mirror.trim_end_matches('/');
                let (host, prefix) = mirror.split_once('/').unwrap_or((mirror, ""));
                let slash = if prefix.is_empty() { "" } else { "/" };
                let is_tls = host.ends_with(TLS_PORT);
                let host = normal_host(host);
                Self {
                    api: answering_host(&host).to_owned(),
                    host,
                    name: format!("{prefix}{slash}{}", self.name),
                    is_tls,
                }
            })
            .collect()
    }

    /// What a token must allow.
    pub(crate) fn scope(&self, actions: &str) -> String {
        format!("repository:{}:{actions}", self.name)
    }

    /// The address of `path` (`manifests/…`, `blobs/…`) in this repository.
    pub(crate) fn url(&self, scheme: &str, path: &str) -> Result<Url, Error> {
        address(&format!("{scheme}://{}/v2/{}/{path}", self.api, self.name))
    }
}

pub(crate) fn address(text: &str) -> Result<Url, Error> {
    Url::read(text).map_err(|source| ErrorKind::Fetch { source }.into())
}

/// Whether `host[:port]` is this machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    if let Some((address, _)) = host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return address.parse::<std::net::Ipv6Addr>().is_ok_and(|address| address.is_loopback());
    }
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name == "localhost" || name.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

/// `text` as the value of a query parameter.
pub(crate) fn query_value(text: &str) -> Encoded<'_> {
    Plain::SCOPE.encode(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(text: &str) -> Endpoint {
        Endpoint::of(&text.parse().unwrap()).unwrap()
    }

    #[test]
    fn short_names_of_docker_hub_are_official_images() {
        let node = endpoint("docker.io/node:24");
        assert_eq!(node.name, "library/node");
        assert_ne!(node.api, node.host);
        assert_eq!(endpoint("docker.io/me/app").name, "me/app");
        for spelling in [
            "index.docker.io/node:24",
            "Docker.IO:443/library/node:24",
            "registry-1.docker.io/library/node:24",
        ] {
            let spelled = endpoint(spelling);
            assert_eq!(
                (&spelled.host, &spelled.api, &spelled.name),
                (&node.host, &node.api, &node.name),
                "{spelling}"
            );
        }
        assert_eq!(endpoint("r.invalid/app").name, "app");
        assert!(Endpoint::of(&"app".parse().unwrap()).is_err());
    }

    #[test]
    fn a_mirror_may_keep_repositories_below_a_prefix() {
        let mut settings = RegistrySettings::default();
        let mirrors = vec!["m.invalid/hub/".to_owned(), "n.invalid:5000".to_owned()];
        settings.mirrors.insert("docker.io".to_owned(), mirrors);
        let mirrors = endpoint("docker.io/node").mirrors(&settings);
        let urls: Vec<String> = mirrors.iter().map(|m| m.url("https", "manifests/1").unwrap().text).collect();
        assert_eq!(
            urls,
            [
                "https://m.invalid/v2/hub/library/node/manifests/1",
                "https://n.invalid:5000/v2/library/node/manifests/1"
            ]
        );
        assert!(endpoint("other.invalid/node").mirrors(&settings).is_empty());
        let spelled = RegistrySettings {
            mirrors: [("Index.docker.io:443".to_owned(), vec!["n.invalid:5000".to_owned()])].into(),
            ..RegistrySettings::default()
        };
        assert_eq!(endpoint("docker.io/node").mirrors(&spelled).len(), 1);
    }

    #[test]
    fn a_port_that_is_named_as_that_of_tls_is_asked_by_tls() {
        for (name, is_tls) in [
            ("127.0.0.1:443/a", true),
            ("localhost:443/a", true),
            ("[::1]:443/a", true),
            ("127.0.0.1/a", false),
            ("127.0.0.1:4430/a", false),
            ("[::443]/a", false),
        ] {
            assert_eq!(endpoint(name).is_tls, is_tls, "{name}");
            let host = name.split('/').next().unwrap().to_owned();
            let mirrors = [("docker.io".to_owned(), vec![host])].into();
            let settings = RegistrySettings { mirrors, ..RegistrySettings::default() };
            assert_eq!(endpoint("docker.io/node").mirrors(&settings)[0].is_tls, is_tls, "{name}");
        }
    }

    #[test]
    fn only_this_machine_is_this_machine() {
        for host in ["localhost", "localhost:5000", "127.0.0.1:1", "127.9.9.9", "[::1]", "[::1]:5000"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in
            ["localhost.invalid", "127.0.0.1.invalid", "10.0.0.1:5000", "a.invalid", "[2001:db8::1]:1"]
        {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
