//! Landlock's scopes: what a job that shares the network of this machine does not reach in it. landlock(7).
#![expect(unsafe_code, reason = "landlock has no safe form")]

use std::io;

/// `LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET` and `LANDLOCK_SCOPE_SIGNAL` of linux/landlock.h.
const ABSTRACT_SOCKETS_AND_SIGNALS: u64 = 3;

/// `struct landlock_ruleset_attr`, as of the version that has scopes.
#[repr(C)]
struct Ruleset {
    files: u64,
    network: u64,
    scoped: u64,
}

/// Closes abstract sockets of processes outside to this process and all it starts. Whether that was possible: kernels
/// before 6.12 cannot, and some have no Landlock.
pub(crate) fn close_abstract_sockets() -> io::Result<bool> {
    let ruleset = Ruleset { files: 0, network: 0, scoped: ABSTRACT_SOCKETS_AND_SIGNALS };
    // SAFETY: the size is that of the structure.
    let fd = unsafe {
        libc::syscall(libc::SYS_landlock_create_ruleset, &raw const ruleset, size_of::<Ruleset>(), 0)
    };
    if fd < 0 {
        return Ok(false);
    }
    // SAFETY: the descriptor is ours; it is closed once, here.
    let outcome = unsafe {
        let outcome = libc::syscall(libc::SYS_landlock_restrict_self, fd, 0);
        libc::close(fd as i32);
        outcome
    };
    if outcome == 0 { Ok(true) } else { Err(io::Error::last_os_error()) }
}
