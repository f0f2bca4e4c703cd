//! Extended attributes of what lies in a folder, links and files without permissions among it.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::ffi::OsStrExt;

use rustix::fs::{Mode, OFlags, chmod, openat};
use rustix::io::Errno;

use crate::Dir;

/// The largest list of names, and the largest value. Source: xattr(7).
const MAX: usize = 64 << 10;
/// Most fit in here.
const USUAL: usize = 256;

impl Dir {
    /// The extended attributes of a name of this very folder; none where the file system has no such thing.
    pub fn attributes_here(&self, name: &OsStr) -> io::Result<Vec<(String, Vec<u8>)>> {
        let path = self.anchored(name);
        let names = match filled(|buffer| rustix::fs::llistxattr(&path[..], buffer)) {
            Ok(names) => names,
            Err(Errno::NOTSUP) => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        let mut found = Vec::new();
        for name in names.split(|&byte| byte == 0).filter(|name| !name.is_empty()) {
            let value = filled(|buffer| rustix::fs::lgetxattr(&path[..], name, buffer))?;
            found.push((String::from_utf8_lossy(name).into_owned(), value));
        }
        Ok(found)
    }

    /// Changes the permissions of a file or folder of this very folder; of a link, nothing changes but an error comes.
    pub fn set_mode_here(&self, name: &OsStr, mode: u32) -> io::Result<()> {
        // What may not be opened can still be reached by a descriptor that is no more than a place.
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let place = openat(self.as_fd(), name.as_bytes(), flags, Mode::empty())?;
        Ok(chmod(format!("/proc/self/fd/{}", place.as_raw_fd()), Mode::from_raw_mode(mode))?)
    }

    /// A name of this very folder for calls that know no descriptors: the kernel goes on from the folder held open.
    fn anchored(&self, name: &OsStr) -> Vec<u8> {
        let mut path = format!("/proc/self/fd/{}/", self.as_fd().as_raw_fd()).into_bytes();
        path.extend(name.as_bytes());
        path
    }
}

fn filled(read: impl Fn(&mut Vec<u8>) -> rustix::io::Result<usize>) -> rustix::io::Result<Vec<u8>> {
    let mut buffer = vec![0; USUAL];
    let length = match read(&mut buffer) {
        Err(Errno::RANGE) => {
            buffer.resize(MAX, 0);
            read(&mut buffer)?
        }
        outcome => outcome?,
    };
    buffer.truncate(length);
    Ok(buffer)
}
