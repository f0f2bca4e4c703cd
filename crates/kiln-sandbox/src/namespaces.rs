//! New namespaces for the calling process, which must have one thread.
#![expect(unsafe_code, reason = "unshare and the interface ioctl have no safe form")]

use std::fs;
use std::io;
use std::os::fd::AsRawFd;

use rustix::thread::UnshareFlags;

use crate::Network;
use crate::setup::{SetupError, step};

/// Leaves the namespaces of this machine. The calling user becomes root inside.
pub(crate) fn unshare(network: Network) -> Result<(), SetupError> {
    let (uid, gid) = (rustix::process::getuid(), rustix::process::getgid());
    let mut flags = UnshareFlags::NEWNS | UnshareFlags::NEWPID | UnshareFlags::NEWIPC | UnshareFlags::NEWUTS;
    if network == Network::None {
        flags |= UnshareFlags::NEWNET;
    }
    // SAFETY: this process has a single thread and shares no file table or memory with another.
    let with_user = unsafe { rustix::thread::unshare_unsafe(flags | UnshareFlags::NEWUSER) };
    match with_user {
        Ok(()) => map_ids(uid.as_raw(), gid.as_raw()),
        // Root in a container may be allowed everything but a user namespace, and needs none.
        // SAFETY: as above.
        Err(_) if uid.is_root() => {
            step("unshare the namespaces", unsafe { rustix::thread::unshare_unsafe(flags) })
        }
        Err(error) => step("make a user namespace", Err(error)),
    }
}

fn map_ids(uid: u32, gid: u32) -> Result<(), SetupError> {
    // Without this, the kernel refuses an unprivileged gid map (CVE-2014-8989).
    step("write the id map: setgroups", fs::write("/proc/self/setgroups", "deny"))?;
    step("write the id map: users", fs::write("/proc/self/uid_map", format!("0 {uid} 1")))?;
    step("write the id map: groups", fs::write("/proc/self/gid_map", format!("0 {gid} 1")))
}

/// Brings up the loopback of a new network namespace, which starts without one.
pub(crate) fn loopback_up() -> io::Result<()> {
    let socket = std::net::UdpSocket::bind(("0.0.0.0", 0))?;
    // SAFETY: an all-zero ifreq is valid; the name is NUL-terminated; the kernel reads the flags alone.
    let outcome = unsafe {
        let mut request: libc::ifreq = std::mem::zeroed();
        request.ifr_name[0] = libc::c_char::from_ne_bytes([b'l']);
        request.ifr_name[1] = libc::c_char::from_ne_bytes([b'o']);
        request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
        libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS as _, &request)
    };
    if outcome == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
