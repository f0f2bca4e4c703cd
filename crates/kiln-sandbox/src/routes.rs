//! Which addresses a bridged job does not reach, though the machine does. rtnetlink(7).
#![expect(unsafe_code, reason = "netlink has no safe form")]

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::Path;

/// Addresses, and how many of their first bits count. Link-local addresses are those of neighbours that ask nobody who they are,
/// most of all the services that give a cloud's machines their credentials; some of those have other addresses.
pub const CLOSED: [(IpAddr, u8); 4] = [
    (IpAddr::V4(Ipv4Addr::new(169, 254, 0, 0)), 16),
    (IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)), 32),
    (IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0)), 10),
    (IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)), 128),
];

const IPV4: u8 = libc::AF_INET.cast_unsigned() as u8;
const IPV6: u8 = libc::AF_INET6.cast_unsigned() as u8;
const FLAGS: u16 = (libc::NLM_F_REQUEST | libc::NLM_F_ACK | libc::NLM_F_CREATE).cast_unsigned() as u16;
/// Of linux/fib_rules.h: what a rule says, and which attributes say more.
const ACTION_UNREACHABLE: u8 = 7;
const DESTINATION: u16 = 1;
const PRIORITY: u16 = 6;
/// After the rule that finds the addresses of this namespace, before all others.
const SECOND: u32 = 1;

/// Makes them unreachable in the network namespace of this process.
pub(crate) fn close() -> io::Result<()> {
    // SAFETY: makes a descriptor, which is ours alone.
    let socket = unsafe {
        let fd = libc::socket(libc::AF_NETLINK, libc::SOCK_RAW | libc::SOCK_CLOEXEC, libc::NETLINK_ROUTE);
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        OwnedFd::from_raw_fd(fd)
    };
    let has_ipv6 = Path::new("/proc/net/if_inet6").exists();
    for (address, bits) in CLOSED {
        if address.is_ipv4() || has_ipv6 {
            ask(&socket, &request(address, bits))?;
        }
    }
    Ok(())
}

/// `struct nlmsghdr`, `struct fib_rule_hdr` and two attributes. A rule and no route: a program that names the interface
/// gets past an unreachable route of IPv6.
fn request(address: IpAddr, bits: u8) -> Vec<u8> {
    let (family, octets) = match address {
        IpAddr::V4(address) => (IPV4, address.octets().to_vec()),
        IpAddr::V6(address) => (IPV6, address.octets().to_vec()),
    };
    let mut body = vec![family, bits, 0, 0, 0, 0, 0, ACTION_UNREACHABLE];
    body.extend(0_u32.to_ne_bytes());
    for (kind, value) in [(DESTINATION, octets), (PRIORITY, SECOND.to_ne_bytes().to_vec())] {
        body.extend((value.len() as u16 + 4).to_ne_bytes());
        body.extend(kind.to_ne_bytes());
        body.extend(value);
    }
    let mut message = (body.len() as u32 + 16).to_ne_bytes().to_vec();
    message.extend(libc::RTM_NEWRULE.to_ne_bytes());
    message.extend(FLAGS.to_ne_bytes());
    message.extend([0; 8]);
    message.extend(body);
    message
}

/// The answer is a `struct nlmsgerr` with 0, or with the negative of an error's number.
fn ask(socket: &OwnedFd, message: &[u8]) -> io::Result<()> {
    let mut answer = [0_u8; 1024];
    // SAFETY: both buffers are as long as is said.
    let count = unsafe {
        if libc::send(socket.as_raw_fd(), message.as_ptr().cast(), message.len(), 0) < 0 {
            return Err(io::Error::last_os_error());
        }
        libc::recv(socket.as_raw_fd(), answer.as_mut_ptr().cast(), answer.len(), 0)
    };
    match usize::try_from(count) {
        Err(_) => Err(io::Error::last_os_error()),
        Ok(count) if count < 20 => Err(io::Error::other("a short answer")),
        Ok(_) => match i32::from_ne_bytes([answer[16], answer[17], answer[18], answer[19]]) {
            0 => Ok(()),
            error => Err(io::Error::from_raw_os_error(-error)),
        },
    }
}
