//! What commands of builds reach: a network of their own through `pasta`, or that of this machine.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use kiln_disk::disk_failure;
use kiln_fetch::Url;
use kiln_fetch::endpoints::Npm;
use kiln_finding::{Class, Failure};
use kiln_sandbox::Bridge;

/// `host` or `pasta`; without it, `pasta` where it is installed.
const VARIABLE: &str = "KILN_SANDBOX_NETWORK";
const RESOLVER: &str = "/etc/resolv.conf";
const HOSTS: &str = "/etc/hosts";
/// Names that every machine has.
const LOCAL_NAMES: &str = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n";
/// Where a bridge answers for a name server that only this machine reaches. An address for examples (RFC 5737), which is
/// nobody's.
const NAME_SERVER: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 53));

/// The network of commands that have one.
pub struct Outside {
    /// What leads to a network of their own.
    pub(crate) bridge: Option<Bridge>,
    /// Why there is none.
    lacking: Option<&'static str>,
}

impl Outside {
    /// As the user says, or the best there is. A registry or proxy of `npm` on the loopback stays within reach.
    pub fn choose(npm: Option<&Npm>) -> Result<Self, Failure> {
        let wanted = std::env::var(VARIABLE).unwrap_or_default();
        let bridge = match &*wanted {
            "" => Bridge::find(),
            "host" => Err("KILN_SANDBOX_NETWORK=host asks for it"),
            "pasta" => Ok(Bridge { is_required: true, ..Bridge::find().map_err(no_pasta)? }),
            other => {
                let what = format!("{VARIABLE}={other}: this is neither `host` nor `pasta`");
                return Err(Failure::usage(what));
            }
        };
        let has_reachable_resolver = fs::read_to_string(RESOLVER).is_ok_and(|text| is_reachable(&text));
        let name_server = (!has_reachable_resolver).then_some(NAME_SERVER);
        let ports = npm.map(loopback_ports).unwrap_or_default();
        let lacking = bridge.as_ref().err().copied();
        Ok(Self { bridge: bridge.ok().map(|bridge| Bridge { ports, name_server, ..bridge }), lacking })
    }

    /// As provenance and reports name it.
    pub fn name(&self) -> &'static str {
        if self.bridge.is_some() { "pasta" } else { "host" }
    }

    /// What the name stands for.
    pub fn because(&self) -> String {
        match self.lacking {
            None => "steps that download reach what this machine reaches, but not its loopback or link-local addresses".to_owned(),
            Some(why) => format!("steps that download share this machine's network: {why}"),
        }
    }

    /// The `resolv.conf` of commands; `scratch` takes one that is made.
    pub fn resolver(&self, scratch: &Path) -> Result<Option<PathBuf>, Failure> {
        let name_server = self.bridge.as_ref().and_then(|bridge| bridge.name_server);
        let (Some(name_server), Ok(text)) = (name_server, fs::read_to_string(RESOLVER)) else {
            return Ok(Path::new(RESOLVER).exists().then(|| PathBuf::from(RESOLVER)));
        };
        let path = scratch.join("resolv.conf");
        if path.exists() {
            // An earlier step of the same run was given the same.
            return Ok(Some(path));
        }
        let others = text.lines().filter(|line| !line.trim_start().starts_with("nameserver"));
        let server = format!("nameserver {name_server}\n");
        let lines: Vec<&str> = others.chain([&*server]).collect();
        let written = kiln_disk::create(&path, lines.join("\n").as_bytes(), kiln_disk::PLAIN);
        written.map_err(|error| disk_failure("write", &path, &error))?;
        Ok(Some(path))
    }
}

fn no_pasta(why: &str) -> Failure {
    Failure::new("sandbox.network", Class::Environment, format!("{VARIABLE}=pasta: {why}"))
        .with_help("install it (Debian's `passt`) and let this user open /dev/net/tun, or unset the variable")
}

/// The `hosts` of commands, which knows their own name; `scratch` takes it. Those with a network know the names that this machine
/// knows, too.
pub(crate) fn hosts(scratch: &Path, hostname: &str, has_network: bool) -> Result<PathBuf, Failure> {
    let path = scratch.join(if has_network { "hosts" } else { "hosts-alone" });
    if path.exists() {
        // An earlier step of the same run was given the same.
        return Ok(path);
    }
    let known = if has_network { fs::read_to_string(HOSTS).ok() } else { None };
    let mut text = known.unwrap_or_else(|| LOCAL_NAMES.to_owned());
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text = format!("{text}127.0.0.1\t{hostname}\n::1\t{hostname}\n");
    let written = kiln_disk::create(&path, text.as_bytes(), kiln_disk::PLAIN);
    written.map_err(|error| disk_failure("write", &path, &error))?;
    Ok(path)
}

/// Whether some name server is neither on the loopback nor link-local, where no bridge leads.
fn is_reachable(resolver: &str) -> bool {
    let servers = resolver.lines().filter_map(|line| line.trim().strip_prefix("nameserver"));
    servers.filter_map(|server| server.trim().split('%').next()?.parse::<IpAddr>().ok()).any(|server| {
        match server {
            IpAddr::V4(server) => !server.is_loopback() && !server.is_link_local(),
            IpAddr::V6(server) => !server.is_loopback() && !server.is_unicast_link_local(),
        }
    })
}

/// Ports of registries and proxies that this machine runs itself.
fn loopback_ports(npm: &Npm) -> Vec<u16> {
    let addresses = npm.registry.iter().chain(npm.scopes.values()).chain(&npm.proxy);
    let mut ports: Vec<u16> =
        addresses.filter_map(|address| loopback_port(&Url::read(address).ok()?)).collect();
    ports.sort_unstable();
    ports.dedup();
    ports
}

fn loopback_port(url: &Url) -> Option<u16> {
    let (host, port) = match url.host.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
        _ => (url.host.as_str(), if url.https { 443 } else { 80 }),
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let is_loopback =
        bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    is_loopback.then_some(port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_servers_within_reach() {
        for text in ["nameserver 192.0.2.1\n", "# x\nnameserver 127.0.0.53\nnameserver 2001:db8::1\n"] {
            assert!(is_reachable(text), "{text}");
        }
        for text in [
            "",
            "nameserver 127.0.0.53\noptions edns0\n",
            "nameserver fe80::1%eth0",
            "nameserver 169.254.169.253",
        ] {
            assert!(!is_reachable(text), "{text}");
        }
    }

    #[test]
    fn ports_of_this_machine() {
        let port = |address: &str| loopback_port(&Url::read(address).unwrap());
        assert_eq!(port("http://localhost:4873/"), Some(4873));
        assert_eq!(port("https://127.0.0.1/npm"), Some(443));
        assert_eq!(port("http://name:secret@[::1]:3128"), Some(3128));
        assert_eq!(port("http://[::1]"), Some(80));
        assert_eq!(port("https://registry.example:4873"), None);
        assert_eq!(port("http://127.example/"), None);
    }
}
