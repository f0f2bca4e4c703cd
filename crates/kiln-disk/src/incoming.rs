use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, RenameFlags};
use rustix::io::Errno;
use tempfile::{Builder, TempPath};

use crate::lock::{Holding, explained, lock};

const PREFIX: &str = ".kiln-";
const SUFFIX: &str = ".tmp";

/// A file in the making. It has no name until it is whole, or, where the file system has no such files, one that nobody can
/// guess, opened by nobody else and locked. Dropped before it got its name, it is gone; what a killed process left, [`sweep`]
/// tells by the lock that nobody holds.
#[derive(Debug)]
pub struct Incoming {
    file: File,
    folder: PathBuf,
    /// Its name while it is in the making, where it needs one.
    name: Option<TempPath>,
}

impl Incoming {
    /// Starts one in `folder`, which must be there and on the file system where the file is to go. `mode` is cut by the umask.
    pub fn start(folder: &Path, mode: u32) -> io::Result<Self> {
        match unnamed(folder, mode) {
            Some(file) => Ok(Self { file, folder: folder.to_owned(), name: None }),
            None => Self::named(folder, mode),
        }
    }

    /// Starts one beside the file that it is to become.
    pub fn beside(target: &Path, mode: u32) -> io::Result<Self> {
        Self::start(folder_of(target), mode)
    }

    fn named(folder: &Path, mode: u32) -> io::Result<Self> {
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        loop {
            let made = names().make_in(folder, |path| {
                Ok(File::from(rustix::fs::open(path, flags, Mode::from_raw_mode(mode))?))
            })?;
            let (file, name) = made.into_parts();
            // Where there are no locks, nobody finds this one free, and nobody sweeps it.
            let _ = lock(&file, Holding::Alone, true);
            // Somebody may have swept it between its opening and its lock.
            if file.metadata()?.nlink() > 0 {
                return Ok(Self { file, folder: folder.to_owned(), name: Some(name) });
            }
        }
    }

    /// The file itself.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Gives it its name. A file that has that name is replaced; a link is replaced, not followed; anything else stays.
    pub fn replace(mut self, target: &Path) -> io::Result<()> {
        if fs::symlink_metadata(target).is_ok_and(|found| !found.is_file() && !found.is_symlink()) {
            let why = "what has this name is no regular file";
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, why));
        }
        let name = match self.name.take() {
            Some(name) => name,
            None => self.link_somewhere()?,
        };
        name.persist(target).map_err(|failed| failed.error)
    }

    /// Gives it its name, if nothing has it: else it is an error of the kind `AlreadyExists`, and the file stays as it is.
    pub fn appear(&mut self, target: &Path) -> io::Result<()> {
        let Some(name) = &self.name else { return Ok(link(&self.file, target)?) };
        match rustix::fs::renameat_with(CWD, name.as_os_str(), CWD, target, RenameFlags::NOREPLACE) {
            // A file system that cannot rename so has hard links, which never replace.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => fs::hard_link(name, target),
            renamed => Ok(renamed?),
        }
    }

    /// A name for the moment before it gets its own: only a rename replaces what is there.
    fn link_somewhere(&self) -> io::Result<TempPath> {
        // Before it has a name, so that nobody finds it free.
        let _ = lock(&self.file, Holding::Alone, true);
        let linked = names().make_in(&self.folder, |path| Ok(link(&self.file, path)?))?;
        Ok(linked.into_temp_path())
    }
}

impl Write for Incoming {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Opens a file in the making that outlives its process, to go on with it: it has a name of its own, and whoever has it open has
/// it locked. `None` where another process is at it and `wait` is not set. Writing always goes to its end.
pub fn resume(path: &Path, wait: bool) -> io::Result<Option<File>> {
    let flags = OFlags::CREATE | OFlags::APPEND | OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    loop {
        let file = File::from(rustix::fs::open(path, flags, Mode::from_raw_mode(0o666))?);
        match lock(&file, Holding::Alone, wait) {
            Err(Errno::WOULDBLOCK) => return Ok(None),
            locked => locked.map_err(|error| explained(path, error))?,
        }
        // Another process may have moved or removed it between its opening and its lock.
        let (open, named) = (file.metadata()?, fs::symlink_metadata(path));
        if named.is_ok_and(|named| (named.ino(), named.dev()) == (open.ino(), open.dev())) {
            return Ok(Some(file));
        }
    }
}

/// A file without a name; `None` where the file system has none, or where it could not be given one.
fn unnamed(folder: &Path, mode: u32) -> Option<File> {
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    let file: File = rustix::fs::open(folder, flags, Mode::from_raw_mode(mode)).ok().map(OwnedFd::into)?;
    rustix::fs::access(descriptor(&file), rustix::fs::Access::EXISTS).is_ok().then_some(file)
}

fn descriptor(file: &File) -> String {
    format!("/proc/self/fd/{}", file.as_raw_fd())
}

/// Gives a file without a name one that nothing has. Source: open(2), `O_TMPFILE`.
fn link(file: &File, target: &Path) -> Result<(), Errno> {
    rustix::fs::linkat(CWD, descriptor(file), CWD, target, AtFlags::SYMLINK_FOLLOW)
}

fn names() -> Builder<'static, 'static> {
    let mut names = Builder::new();
    names.prefix(PREFIX).suffix(SUFFIX).rand_bytes(16);
    names
}

/// The folder that holds a file.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Whether a file of this name is one in the making.
pub fn is_incoming(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.starts_with(PREFIX.as_bytes()) && name.ends_with(SUFFIX.as_bytes())
}

/// Removes files from `folder` that killed processes left in the making.
pub fn sweep(folder: &Path) {
    sweep_where(folder, is_incoming);
}

/// Removes those files from `folder` whose name `is_one` says yes to and that nobody has locked.
pub fn sweep_where(folder: &Path, is_one: impl Fn(&OsStr) -> bool) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten().filter(|entry| is_one(&entry.file_name())) {
        if entry.file_type().is_ok_and(|kind| kind.is_file())
            && let Some(_held) = free(&entry.path())
        {
            // Held until it is gone, so that nobody takes it for his own. Another may sweep at the same time; either may win.
            drop(fs::remove_file(entry.path()));
        }
    }
}

/// The file, locked, if nobody has locked it.
fn free(path: &Path) -> Option<File> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file: File = rustix::fs::open(path, flags, Mode::empty()).ok().map(OwnedFd::into)?;
    lock(&file, Holding::Alone, false).is_ok().then_some(file)
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn names_in(folder: &Path) -> Vec<String> {
        let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Without a name of its own and with one, as file systems have it.
    const BOTH: [fn(&Path, u32) -> io::Result<Incoming>; 2] = [Incoming::start, Incoming::named];

    #[test]
    fn it_appears_whole_and_replaces_no_more_than_the_name() {
        let folder = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        let (target, victim) = (folder.path().join("target"), outside.path().join("victim"));
        fs::write(&victim, "victim").unwrap();
        for make in BOTH {
            let mut incoming = make(folder.path(), 0o640).unwrap();
            drop(fs::remove_file(&target));
            std::os::unix::fs::symlink(&victim, &target).unwrap();
            incoming.write_all(b"whole").unwrap();
            incoming.replace(&target).unwrap();
            assert_eq!(fs::read_to_string(&target).unwrap(), "whole");
            assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o737, 0o600);
            assert_eq!(fs::read_to_string(&victim).unwrap(), "victim");
            assert_eq!(names_in(folder.path()), ["target"]);
        }
    }

    #[test]
    fn what_is_there_is_not_replaced_unless_asked() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("target");
        for make in BOTH {
            let mut incoming = make(folder.path(), 0o640).unwrap();
            fs::write(&target, "old").unwrap();
            incoming.write_all(b"new").unwrap();
            let refused = incoming.appear(&target).unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
            fs::remove_file(&target).unwrap();
            incoming.appear(&target).unwrap();
            drop(incoming);
            assert_eq!(fs::read_to_string(&target).unwrap(), "new");
            assert_eq!(names_in(folder.path()), ["target"]);
        }
    }

    #[test]
    fn dropped_it_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        drop(BOTH.map(|make| make(folder.path(), 0o640).unwrap()));
        assert!(names_in(folder.path()).is_empty());
    }

    #[test]
    fn only_what_nobody_holds_is_swept() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path();
        let mut alive = Incoming::named(place, 0o600).unwrap();
        fs::write(place.join(".kiln-0123.tmp"), "left by a killed process").unwrap();
        fs::write(place.join("notes.tmp"), "of somebody else").unwrap();
        std::os::unix::fs::symlink("/etc/passwd", place.join(".kiln-link.tmp")).unwrap();
        sweep(place);
        alive.write_all(b"alive").unwrap();
        alive.replace(&place.join("target")).unwrap();
        assert_eq!(names_in(place), [".kiln-link.tmp", "notes.tmp", "target"]);
    }

    #[test]
    fn sweepers_and_writers_at_once_lose_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path();
        std::thread::scope(|scope| {
            for writer in 0..4 {
                scope.spawn(move || {
                    for round in 0..50 {
                        let mut incoming = BOTH[round % 2](place, 0o600).unwrap();
                        write!(incoming, "{writer} {round}").unwrap();
                        let target = place.join(format!("target-{writer}"));
                        incoming.replace(&target).unwrap();
                        let mut text = String::new();
                        File::open(&target).unwrap().read_to_string(&mut text).unwrap();
                        assert_eq!(text, format!("{writer} {round}"));
                        sweep(place);
                    }
                });
            }
        });
        assert_eq!(names_in(place).len(), 4);
    }
}
