use std::collections::BTreeSet;

/// More ports than this in one range are all there are.
const MAX_PORT: u32 = 65_535;

/// The ports of an `EXPOSE` word, normalised: `8080` is `8080/tcp`, `80-81/UDP` is `80/udp` and `81/udp`. What is wrong
/// with it is a fragment that fits after the word.
pub fn parse_ports(text: &str) -> Result<BTreeSet<String>, String> {
    let (ports, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let protocol = if protocol.is_empty() { "tcp".to_owned() } else { protocol.to_ascii_lowercase() };
    if !matches!(protocol.as_str(), "tcp" | "udp" | "sctp") {
        return Err(format!("has the protocol `{protocol}`; there are tcp, udp and sctp"));
    }
    // An address and a port of the host may stand before it; an image cannot keep them.
    let container = ports.rsplit(':').next().unwrap_or(ports);
    if container.is_empty() {
        return Err("names no port".to_owned());
    }
    let (first, last) = container.split_once('-').unwrap_or((container, container));
    let (first, last) = (port(first)?, port(last)?);
    if first > last {
        return Err("is a range whose end is before its start".to_owned());
    }
    Ok((first..=last).map(|port| format!("{port}/{protocol}")).collect())
}

/// Whether an `EXPOSE` word names an address or a port of the host, which an image cannot keep.
pub fn has_host_part(text: &str) -> bool {
    text.split('/').next().unwrap_or(text).contains(':')
}

fn port(text: &str) -> Result<u32, String> {
    let number = text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
    number.filter(|port| *port <= MAX_PORT).ok_or_else(|| "is no port from 0 to 65535".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_normalised() {
        let ports = |text| parse_ports(text).map(|ports| ports.into_iter().collect::<Vec<_>>().join(" "));
        assert_eq!(ports("80").unwrap(), "80/tcp");
        assert_eq!(ports("80/").unwrap(), "80/tcp");
        assert_eq!(ports("53/UDP").unwrap(), "53/udp");
        assert_eq!(ports("80-82/sctp").unwrap(), "80/sctp 81/sctp 82/sctp");
        assert_eq!(ports("127.0.0.1:80:8080").unwrap(), "8080/tcp");
        for text in ["", "x", "70000", "+80", "82-80", "80/http", "80:", "-1", "1-2-3"] {
            assert!(ports(text).is_err(), "{text}");
        }
    }
}
