//! Opening what lies below a folder. Source: openat2(2).

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::OnceLock;

use rustix::fs::{Mode, OFlags, ResolveFlags, openat, openat2, readlinkat};
use rustix::io::Errno;

/// How often a look-up starts again because something was renamed meanwhile.
const TRIES: usize = 32;
/// How many links one path may go through (Linux's `MAXSYMLINKS`).
const LINKS_MAX: usize = 40;

/// What becomes of symbolic links on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Links {
    /// They are refused (`ELOOP`, `ENOTDIR`).
    Refused,
    /// They lead where they would if the folder were `/`.
    InRoot,
}

/// Opens `path`, which is relative and has no `..`, below `folder`.
pub(crate) fn open(
    folder: BorrowedFd<'_>,
    path: &str,
    flags: OFlags,
    mode: Mode,
    links: Links,
) -> io::Result<OwnedFd> {
    let path = if path.is_empty() { "." } else { path };
    let flags = flags | OFlags::CLOEXEC;
    if !has_openat2() {
        return walk(folder, path, flags, mode, links);
    }
    let resolve = match links {
        Links::Refused => ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS,
        Links::InRoot => ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS,
    };
    for _ in 0..TRIES {
        match openat2(folder, path, flags, mode, resolve) {
            Err(Errno::AGAIN | Errno::INTR) => {}
            outcome => return Ok(outcome?),
        }
    }
    walk(folder, path, flags, mode, links)
}

/// Whether this kernel, and what filters calls to it, has `openat2`. Old container runtimes refuse what they do not know.
fn has_openat2() -> bool {
    static HAS: OnceLock<bool> = OnceLock::new();
    *HAS.get_or_init(|| {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        openat2(rustix::fs::CWD, ".", flags, Mode::empty(), ResolveFlags::BENEATH)
            .map_or_else(|error| !matches!(error, Errno::NOSYS | Errno::PERM), |_| true)
    })
}

/// The same, part by part, each by the descriptor of the one before.
pub(crate) fn walk(
    folder: BorrowedFd<'_>,
    path: &str,
    flags: OFlags,
    mode: Mode,
    links: Links,
) -> io::Result<OwnedFd> {
    let mut left: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
    let mut opened: Vec<OwnedFd> = Vec::new();
    let mut followed = 0;
    while let Some(part) = left.pop() {
        if part.is_empty() || part == "." {
            continue;
        }
        if part == ".." {
            // At the root, it stays there.
            opened.pop();
            continue;
        }
        let here = opened.last().map_or(folder, AsFd::as_fd);
        let is_last = left.iter().all(|part| part.is_empty() || part == ".");
        if links == Links::InRoot
            && !(is_last && flags.contains(OFlags::NOFOLLOW))
            && let Ok(target) = readlinkat(here, part.as_str(), Vec::new())
        {
            followed += 1;
            if followed > LINKS_MAX {
                return Err(Errno::LOOP.into());
            }
            let target = target.into_string().map_err(|_| io::Error::from(Errno::ILSEQ))?;
            if target.starts_with('/') {
                opened.clear();
            }
            left.extend(target.split('/').rev().map(str::to_owned));
            continue;
        }
        if is_last {
            return Ok(openat(here, part.as_str(), flags | OFlags::NOFOLLOW, mode)?);
        }
        let way = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        opened.push(openat(here, part.as_str(), way, Mode::empty())?);
    }
    let here = opened.last().map_or(folder, AsFd::as_fd);
    Ok(openat(here, ".", flags, mode)?)
}
