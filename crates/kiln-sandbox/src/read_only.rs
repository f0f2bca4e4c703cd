//! Makes a mount and all below it read-only.
#![expect(unsafe_code, reason = "mount_setattr has no safe form")]

use std::ffi::{CString, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use rustix::fs::{StatVfsMountFlags, statvfs};
use rustix::mount::{MountFlags, mount_remount};

/// `MOUNT_ATTR_RDONLY` of linux/mount.h.
const READ_ONLY: u64 = 1;

/// `struct mount_attr` of linux/mount.h.
#[repr(C)]
#[derive(Default)]
struct Attributes {
    set: u64,
    clear: u64,
    propagation: u64,
    namespace: u64,
}

/// Whatever is mounted below `target`, nothing there can be changed by it afterwards. `target` has no links in it.
pub(crate) fn make_read_only(target: &Path) -> io::Result<()> {
    match by_tree(target) {
        // Before Linux 5.12, or in a container whose filter is older than the call.
        Err(error) if matches!(error.raw_os_error(), Some(libc::ENOSYS | libc::EPERM)) => one_by_one(target),
        other => other,
    }
}

fn by_tree(target: &Path) -> io::Result<()> {
    let path = CString::new(target.as_os_str().as_bytes())?;
    let attributes = Attributes { set: READ_ONLY, ..Attributes::default() };
    // SAFETY: the path is NUL-terminated, and the size is that of the structure.
    let outcome = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            libc::AT_FDCWD,
            path.as_ptr(),
            libc::AT_RECURSIVE,
            &raw const attributes,
            size_of::<Attributes>(),
        )
    };
    if outcome == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn one_by_one(target: &Path) -> io::Result<()> {
    let mounts = fs::read("/proc/self/mountinfo")?;
    // Where the target is a descriptor, its name is looked up.
    let named = fs::read_link(target).ok().filter(|_| target.starts_with("/proc/self/fd"));
    let target = named.as_deref().unwrap_or(target);
    for mount in mount_points(&mounts).filter(|mount| mount.starts_with(target)) {
        remount(&mount)?;
    }
    Ok(())
}

fn remount(target: &Path) -> io::Result<()> {
    // A remount must repeat the flags that the machine has locked, or it is refused.
    let locked = statvfs(target)?.f_flag;
    let pairs = [
        (StatVfsMountFlags::NOSUID, MountFlags::NOSUID),
        (StatVfsMountFlags::NODEV, MountFlags::NODEV),
        (StatVfsMountFlags::NOEXEC, MountFlags::NOEXEC),
        (StatVfsMountFlags::NOATIME, MountFlags::NOATIME),
        (StatVfsMountFlags::RELATIME, MountFlags::RELATIME),
    ];
    let kept = pairs.iter().filter(|(seen, _)| locked.contains(*seen)).map(|(_, flag)| *flag);
    let flags = kept.fold(MountFlags::BIND | MountFlags::RDONLY, |all, flag| all | flag);
    Ok(mount_remount(target, flags, "")?)
}

/// The fifth field of each line, whose blanks are written as numbers. Source: proc_pid_mountinfo(5).
fn mount_points(mounts: &[u8]) -> impl Iterator<Item = PathBuf> {
    let lines = mounts.split(|&byte| byte == b'\n');
    lines.filter_map(|line| line.split(|&byte| byte == b' ').nth(4)).map(|field| {
        let mut path = Vec::new();
        let mut rest = field;
        while let Some((&first, after)) = rest.split_first() {
            let octal = after.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
            match octal.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
                Some(byte) if first == b'\\' => {
                    path.push(byte);
                    rest = &after[3..];
                }
                _ => {
                    path.push(first);
                    rest = after;
                }
            }
        }
        PathBuf::from(OsString::from_vec(path))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mount_points_are_read() {
        let text = b"1 2 0:3 / / rw shared:1 - ext4 /dev/x rw\n\
                     36 35 98:0 /mnt1 /a\\040b/c\\134d rw,noatime master:1 - ext3 /dev/root rw\n\nodd\n";
        let found: Vec<PathBuf> = mount_points(text).collect();
        assert_eq!(found, [Path::new("/"), Path::new("/a b/c\\d")]);
    }
}
