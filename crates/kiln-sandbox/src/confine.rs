//! What a job may not do, though it is root in its namespaces.

use std::io;

use rustix::thread::{CapabilitySet, remove_capability_from_bounding_set, set_no_new_privs};

use crate::setup::{SetupError, step};
use crate::{Network, bpf, profile, scope};

/// What is left: enough to install packages, nothing that changes a system. Docker's default set without
/// `MKNOD`, `NET_RAW` and `AUDIT_WRITE`.
const KEPT: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::KILL)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::SETUID)
    .union(CapabilitySet::SETPCAP)
    .union(CapabilitySet::NET_BIND_SERVICE)
    .union(CapabilitySet::SYS_CHROOT)
    .union(CapabilitySet::SETFCAP);

/// Gives up capabilities and system calls, for this process and all it starts, for good.
pub(crate) fn confine(network: Network) -> Result<(), SetupError> {
    for capability in CapabilitySet::all().difference(KEPT).iter() {
        // A kernel that does not know a capability cannot grant it.
        if let Err(error) = remove_capability_from_bounding_set(capability)
            && error != rustix::io::Errno::INVAL
        {
            return step("give up capabilities", Err(error));
        }
    }
    step("give up new privileges", set_no_new_privs(true))?;
    if network == Network::Host {
        step("close abstract sockets", scope::close_abstract_sockets())?;
    }
    let calls = profile::calls(std::env::consts::ARCH, KEPT)
        .ok_or_else(|| io::Error::other("there are no rules for this CPU"));
    let program = bpf::allow_list(&step("build the system call filter", calls)?);
    step("apply the system call filter", bpf::apply(&program))
}

/// Calls that set an extended attribute. `setxattrat` is newer than the list of calls that there are.
const NOTES: [libc::c_long; 6] = [
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
];

/// From here on no file takes extended attributes, as on file systems that have none.
pub(crate) fn close_notes() -> io::Result<()> {
    let refused = libc::SECCOMP_RET_ERRNO | libc::ENOTSUP.cast_unsigned();
    bpf::apply(&bpf::answers(&[(&NOTES, refused)]))
}
