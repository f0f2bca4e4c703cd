//! Addresses that are not connected to when it is others who say what is fetched: there are services that trust whoever asks.

use std::io;
use std::net::{IpAddr, ToSocketAddrs};

use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// Addresses, each with how many of its first bits count.
#[derive(Clone, Debug, Default)]
pub struct Closed(Vec<(IpAddr, u8)>);

impl Closed {
    /// Closes these networks: an address, and how many of its first bits count.
    pub fn new(networks: &[(IpAddr, u8)]) -> Self {
        Self(networks.to_vec())
    }

    fn has(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|(network, bits)| match (network, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                same(network.to_bits().into(), address.to_bits().into(), 32, *bits)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                same(network.to_bits(), address.to_bits(), 128, *bits)
            }
            _ => false,
        })
    }

    /// Refuses a host that is such an address, however it is spelled, or has one by name: a proxy would be asked for it. What this
    /// machine cannot look up is left to whoever can.
    pub(crate) fn refuse(&self, host: &str) -> Result<(), Error> {
        if self.0.is_empty() {
            return Ok(());
        }
        let bare = match host.strip_prefix('[') {
            Some(v6) => v6.split(']').next().unwrap_or_default(),
            None => host.split(':').next().unwrap_or_default(),
        };
        let mut found = (bare, 0).to_socket_addrs().into_iter().flatten().map(|address| address.ip());
        found.find(|address| self.has(*address)).map_or(Ok(()), |address| Err(refused(address)))
    }
}

/// Whether the first `bits` of two numbers of `width` bits are the same.
fn same(one: u128, other: u128, width: u8, bits: u8) -> bool {
    (one ^ other).checked_shr(u32::from(width - bits)).unwrap_or(0) == 0
}

fn refused(address: IpAddr) -> Error {
    let why =
        format!("{address} is an address of services that trust whoever asks; nothing is fetched from there");
    Error::Io(io::Error::new(io::ErrorKind::PermissionDenied, why))
}

/// Finds the addresses of a host, and keeps to those that are not closed.
#[derive(Debug)]
pub(crate) struct Open {
    closed: Closed,
    inner: DefaultResolver,
}

impl Open {
    pub(crate) fn but(closed: Closed) -> Self {
        Self { closed, inner: DefaultResolver::default() }
    }
}

impl Resolver for Open {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let found = self.inner.resolve(uri, config, timeout)?;
        let mut open = self.empty();
        for address in found.iter().filter(|address| !self.closed.has(address.ip())) {
            open.push(*address);
        }
        match found.first() {
            Some(first) if open.is_empty() => Err(refused(first.ip())),
            _ => Ok(open),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_closed_by_their_first_bits() {
        let parse = |text: &str| text.parse::<IpAddr>().unwrap();
        let closed =
            Closed::new(&[(parse("169.254.0.0"), 16), (parse("168.63.129.16"), 32), (parse("fe80::"), 10)]);
        for address in ["169.254.169.254", "168.63.129.16", "fe80::1", "febf::1", "::ffff:169.254.169.254"] {
            assert!(closed.has(parse(address)), "{address}");
        }
        for address in ["169.255.0.1", "168.63.129.17", "fec0::1", "127.0.0.1", "::1"] {
            assert!(!closed.has(parse(address)), "{address}");
        }
        for host in [
            "169.254.169.254",
            "169.254.169.254:80",
            "[fe80::1]:80",
            "[::ffff:169.254.0.1]",
            "2852039166:80",
            "0xa9fea9fe",
        ] {
            assert!(closed.refuse(host).is_err(), "{host}");
        }
        assert!(closed.refuse("127.0.0.1:80").is_ok() && Closed::default().refuse("169.254.169.254").is_ok());
        assert!(Closed::new(&[(parse("0.0.0.0"), 0)]).has(parse("1.2.3.4")));
    }
}
