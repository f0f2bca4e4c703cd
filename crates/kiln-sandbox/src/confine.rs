//! What a job may not do, though it is root in its namespaces.

use std::collections::BTreeMap;
use std::io;

use rustix::thread::{CapabilitySet, remove_capability_from_bounding_set, set_no_new_privs};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch, apply_filter};

use crate::setup::{SetupError, step};

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

/// System calls that no build needs and that kernels have been broken through.
const REFUSED: [libc::c_long; 26] = [
    libc::SYS_acct,
    libc::SYS_add_key,
    libc::SYS_bpf,
    libc::SYS_delete_module,
    libc::SYS_finit_module,
    libc::SYS_fsopen,
    libc::SYS_init_module,
    libc::SYS_io_uring_setup,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_mount,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_open_by_handle_at,
    libc::SYS_open_tree,
    libc::SYS_perf_event_open,
    libc::SYS_pivot_root,
    libc::SYS_quotactl,
    libc::SYS_reboot,
    libc::SYS_request_key,
    libc::SYS_setns,
    libc::SYS_swapon,
    libc::SYS_syslog,
    libc::SYS_umount2,
    libc::SYS_unshare,
    libc::SYS_userfaultfd,
];

/// Gives up capabilities and system calls, for this process and all it starts, for good.
pub(crate) fn confine() -> Result<(), SetupError> {
    for capability in CapabilitySet::all().difference(KEPT).iter() {
        // A kernel that does not know a capability cannot grant it.
        if let Err(error) = remove_capability_from_bounding_set(capability)
            && error != rustix::io::Errno::INVAL
        {
            return step("give up capabilities", Err(error));
        }
    }
    step("give up new privileges", set_no_new_privs(true))?;
    let filter = step("build the system call filter", filter())?;
    step("apply the system call filter", apply_filter(&filter).map_err(io::Error::other))
}

fn filter() -> io::Result<BpfProgram> {
    let arch = TargetArch::try_from(std::env::consts::ARCH).map_err(io::Error::other)?;
    // Call numbers are 32 bits wide; c_long is what the library and libc share.
    let rules: BTreeMap<i64, _> = REFUSED.iter().map(|&call| (call, Vec::new())).collect();
    let refuse = SeccompAction::Errno(libc::EPERM.cast_unsigned());
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refuse, arch).map_err(io::Error::other)?;
    filter.try_into().map_err(io::Error::other)
}
