//! Owners where only one id exists: changes of owner are noted on files, changes of the process's own ids are taken
//! for done. The kernel asks process 1 about these calls (seccomp_unotify(2)); no decision about safety hangs on them.
#![expect(unsafe_code, reason = "the questions of seccomp have no safe form")]

use std::ffi::CString;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::{OWNER, bpf};

/// Calls about the process's own ids, which do nothing and say that they did.
const IDS: [libc::c_long; 9] = [
    libc::SYS_setuid,
    libc::SYS_setgid,
    libc::SYS_setreuid,
    libc::SYS_setregid,
    libc::SYS_setresuid,
    libc::SYS_setresgid,
    libc::SYS_setgroups,
    libc::SYS_setfsuid,
    libc::SYS_setfsgid,
];
/// Calls that process 1 is asked about.
#[cfg(target_arch = "x86_64")]
const CHOWNS: [libc::c_long; 4] = [libc::SYS_chown, libc::SYS_lchown, libc::SYS_fchown, libc::SYS_fchownat];
#[cfg(not(target_arch = "x86_64"))]
const CHOWNS: [libc::c_long; 2] = [libc::SYS_fchown, libc::SYS_fchownat];

/// `_IOWR('!', 0, struct seccomp_notif)` and `_IOWR('!', 1, struct seccomp_notif_resp)`
const RECEIVE: libc::Ioctl = 0xc050_2100_u32 as libc::Ioctl;
const SEND: libc::Ioctl = 0xc018_2101_u32 as libc::Ioctl;

/// `AT_FDCWD` as it stands in a register.
const AT_FDCWD: u64 = libc::AT_FDCWD.cast_unsigned() as u64;

/// Where the kernel asks.
pub(crate) struct Listener(OwnedFd);

impl Listener {
    /// From now on the kernel asks about this process, too, and about all it starts.
    pub(crate) fn install() -> io::Result<Self> {
        let answers = [(&IDS[..], libc::SECCOMP_RET_ERRNO), (&CHOWNS[..], libc::SECCOMP_RET_USER_NOTIF)];
        bpf::listen(&bpf::answers(&answers)).map(Self)
    }

    /// Answers until `child` ends.
    pub(crate) fn serve(&self, child: &mut Child) -> io::Result<ExitStatus> {
        let pid = Pid::from_child(child);
        let ended = pidfd_open(pid, PidfdFlags::empty())?;
        loop {
            let mut sources = [PollFd::new(&self.0, PollFlags::IN), PollFd::new(&ended, PollFlags::IN)];
            match poll(&mut sources, None) {
                Err(rustix::io::Errno::INTR) => continue,
                other => drop(other?),
            }
            if sources[0].revents().contains(PollFlags::IN) {
                self.answer();
            } else if !sources[1].revents().is_empty() {
                return child.wait();
            }
        }
    }

    /// Answers one call. A process that is gone needs no answer.
    fn answer(&self) {
        // SAFETY: all-zero bytes are what the kernel wants to be given.
        let mut call: libc::seccomp_notif = unsafe { std::mem::zeroed() };
        // SAFETY: the kernel fills a structure of the size that the request's number says.
        if unsafe { libc::ioctl(self.0.as_raw_fd(), RECEIVE, &raw mut call) } != 0 {
            return;
        }
        let error = match change_owner(&call) {
            Ok(()) => 0,
            Err(error) => -error.raw_os_error().unwrap_or(libc::EIO),
        };
        let mut response = libc::seccomp_notif_resp { id: call.id, val: 0, error, flags: 0 };
        // SAFETY: as above.
        unsafe { libc::ioctl(self.0.as_raw_fd(), SEND, &raw mut response) };
    }
}

/// Notes the owner that a process wants to give to a file.
fn change_owner(call: &libc::seccomp_notif) -> io::Result<()> {
    let args = call.data.args;
    let number = libc::c_long::from(call.data.nr);
    let (path, owner, follow) = match number {
        libc::SYS_fchown => (of_descriptor(call.pid, args[0]), (args[1], args[2]), true),
        libc::SYS_fchownat => {
            let flags = args[4] as i32;
            let text = read_text(call.pid, args[1])?;
            let at_itself = text.is_empty() && flags & libc::AT_EMPTY_PATH != 0;
            let path =
                if at_itself { of_descriptor(call.pid, args[0]) } else { place(call.pid, args[0], &text)? };
            (path, (args[2], args[3]), at_itself || flags & libc::AT_SYMLINK_NOFOLLOW == 0)
        }
        // On this machine's other calls, the path comes first.
        _ => {
            let path = place(call.pid, AT_FDCWD, &read_text(call.pid, args[0])?)?;
            (path, (args[1], args[2]), !is_lchown(number))
        }
    };
    note_owner(&path, owner.0 as u32, owner.1 as u32, follow)
}

#[cfg(target_arch = "x86_64")]
fn is_lchown(number: libc::c_long) -> bool {
    number == libc::SYS_lchown
}

#[cfg(not(target_arch = "x86_64"))]
fn is_lchown(_number: libc::c_long) -> bool {
    false
}

fn of_descriptor(pid: u32, descriptor: u64) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}/fd/{}", descriptor as i32))
}

fn place(pid: u32, descriptor: u64, path: &[u8]) -> io::Result<PathBuf> {
    use std::os::unix::ffi::OsStrExt;
    if path.is_empty() {
        return Err(io::Error::from_raw_os_error(libc::ENOENT));
    }
    let path = Path::new(std::ffi::OsStr::from_bytes(path));
    let from = match descriptor as i32 {
        _ if path.is_absolute() => PathBuf::from(format!("/proc/{pid}/root")),
        libc::AT_FDCWD => PathBuf::from(format!("/proc/{pid}/cwd")),
        _ => of_descriptor(pid, descriptor),
    };
    Ok(from.join(path.strip_prefix("/").unwrap_or(path)))
}

fn read_text(pid: u32, address: u64) -> io::Result<Vec<u8>> {
    let memory = File::open(format!("/proc/{pid}/mem"))?;
    let mut text = vec![0; libc::PATH_MAX as usize];
    let mut filled = 0;
    // The text may end shortly before memory that is not there.
    while filled < text.len() {
        let page_end = 4096 - (address as usize + filled) % 4096;
        let end = (filled + page_end).min(text.len());
        match memory.read_at(&mut text[filled..end], address + filled as u64) {
            Ok(count) if count > 0 => {
                if let Some(zero) = text[filled..filled + count].iter().position(|&byte| byte == 0) {
                    text.truncate(filled + zero);
                    return Ok(text);
                }
                filled += count;
            }
            _ => return Err(io::Error::from_raw_os_error(libc::EFAULT)),
        }
    }
    Err(io::Error::from_raw_os_error(libc::ENAMETOOLONG))
}

fn note_owner(path: &Path, uid: u32, gid: u32, follow: bool) -> io::Result<()> {
    let metadata = if follow { fs::metadata(path)? } else { fs::symlink_metadata(path)? };
    if metadata.file_type().is_symlink() {
        // A link takes no notes, and its owner matters to nobody.
        return Ok(());
    }
    let mut known = [0; 64];
    let length = rustix::fs::getxattr(path, OWNER, &mut known).unwrap_or(0);
    let known = crate::upper::parse_owner(&known[..length]).unwrap_or((metadata.uid(), metadata.gid()));
    // All bits set leaves one as it is (chown(2)).
    let keep = |wanted, known| if wanted == u32::MAX { known } else { wanted };
    let text = CString::new(format!("{}:{}", keep(uid, known.0), keep(gid, known.1)))?;
    match rustix::fs::setxattr(path, OWNER, text.as_bytes(), rustix::fs::XattrFlags::empty()) {
        // What takes no notes (a device, a file of the kernel's) has no owner to remember.
        Ok(()) | Err(rustix::io::Errno::NOTSUP | rustix::io::Errno::PERM) => {}
        Err(error) => return Err(error.into()),
    }
    let mode = metadata.permissions().mode();
    if metadata.is_file() && mode & 0o6000 != 0 {
        // As the kernel does it, so that a new owner gets no rights of the old one.
        fs::set_permissions(path, fs::Permissions::from_mode(mode & 0o1777))?;
    }
    Ok(())
}
