//! New namespaces for the calling process, which must have one thread.
#![expect(unsafe_code, reason = "unshare and the interface ioctl have no safe form")]

use std::fs;
use std::io;
use std::os::fd::AsRawFd;

use rustix::thread::UnshareFlags;

use crate::setup::{SetupError, step};
use crate::{Ids, Job, Network, User};

/// What a process has of its own.
#[derive(Clone, Copy)]
pub(crate) struct Made {
    /// A user namespace.
    pub(crate) user: bool,
}

/// Leaves the namespaces of this machine. Under [`Ids::One`], the calling user becomes the user of the job; otherwise
/// the ids are still to be mapped, see [`map_many`].
pub(crate) fn unshare(job: &Job) -> Result<Made, SetupError> {
    let (uid, gid) = (rustix::process::getuid(), rustix::process::getgid());
    let mut flags = UnshareFlags::NEWNS | UnshareFlags::NEWPID | UnshareFlags::NEWIPC | UnshareFlags::NEWUTS;
    if job.network != Network::Host {
        flags |= UnshareFlags::NEWNET;
    }
    // SAFETY: this process has a single thread and shares no file table or memory with another.
    let with_user = unsafe { rustix::thread::unshare_unsafe(flags | UnshareFlags::NEWUSER) };
    match (with_user, job.ids) {
        (Ok(()), Ids::One) => map_one(&job.user, uid.as_raw(), gid.as_raw()).map(|()| Made { user: true }),
        (Ok(()), Ids::Many { .. }) => Ok(Made { user: true }),
        // Root in a container may be allowed everything but a user namespace, and needs none.
        // SAFETY: as above.
        (Err(_), Ids::One) if uid.is_root() => {
            step("unshare the namespaces", unsafe { rustix::thread::unshare_unsafe(flags) })?;
            Ok(Made { user: false })
        }
        (Err(error), _) => step("make a user namespace", Err(error)),
    }
}

fn map_one(user: &User, uid: u32, gid: u32) -> Result<(), SetupError> {
    // Without this, the kernel refuses an unprivileged gid map (CVE-2014-8989).
    step("write the id map: setgroups", fs::write("/proc/self/setgroups", "deny"))?;
    step("write the id map: users", fs::write("/proc/self/uid_map", format!("{} {uid} 1", user.uid)))?;
    step("write the id map: groups", fs::write("/proc/self/gid_map", format!("{} {gid} 1", user.gid)))
}

/// Maps all ids of a process that has made its user namespace; called outside, by root.
pub(crate) fn map_many(pid: u32, first: u32, count: u32) -> Result<(), SetupError> {
    for map in ["uid_map", "gid_map"] {
        let line = format!("0 {first} {count}");
        step("write the id map", fs::write(format!("/proc/{pid}/{map}"), line))?;
    }
    Ok(())
}

/// Takes the ids of root inside, in place of ids that do not exist inside.
pub(crate) fn become_root() -> Result<(), SetupError> {
    step("become root inside", become_user(&User::default()))?;
    // Whoever changes ids can no longer be looked at through /proc, not even by itself (prctl(2)).
    step(
        "stay open to itself",
        rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::Dumpable),
    )
}

/// Takes the ids of a user.
pub(crate) fn become_user(user: &User) -> io::Result<()> {
    use rustix::process::{Gid, Uid};
    let groups: Vec<Gid> = user.groups.iter().map(|&group| Gid::from_raw(group)).collect();
    let (uid, gid) = (Uid::from_raw(user.uid), Gid::from_raw(user.gid));
    rustix::thread::set_thread_groups(&groups)?;
    rustix::thread::set_thread_res_gid(gid, gid, gid)?;
    rustix::thread::set_thread_res_uid(uid, uid, uid)?;
    Ok(())
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
