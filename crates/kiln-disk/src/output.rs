use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use crate::incoming::{Incoming, folder_of, sweep};
use crate::replace::{Durability, PLAIN};

/// Where links are the system's own: `/dev/stdout`, `/dev/fd/3`.
const OF_SYSTEM: [&str; 2] = ["/dev", "/proc"];

/// What a link is in the place of an output. Those of the system, and those to kiln's own standard output, are followed either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// The user's way to say where: it stays, and the file that it leads to is written.
    Followed,
    /// Whoever planted it must not choose what is written: it is replaced.
    Replaced,
}

/// How many links are followed from the name of an output, as the kernel does.
const LINKS_MAX: usize = 40;

/// What a user asked to be written where they say. A regular file is there as it was, or whole; a device or a pipe takes what it is given
/// as it comes.
#[derive(Debug)]
pub enum Output {
    /// A file that gets its name when it is whole.
    Whole(Incoming, PathBuf),
    /// What cannot be replaced.
    Through(File),
}

impl Output {
    /// Looks at what is at `path`, and is ready to write there.
    pub fn open(path: &Path, links: Links) -> io::Result<Self> {
        match fs::symlink_metadata(path) {
            Ok(found) if found.is_symlink() => Self::at_link(path, links),
            Ok(found) if found.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
            Ok(found) if !found.is_file() => through(path),
            Ok(_) => Self::whole(path.to_owned()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::whole(path.to_owned()),
            Err(error) => Err(error),
        }
    }

    fn at_link(path: &Path, links: Links) -> io::Result<Self> {
        if let Some(file) = fs::metadata(path).ok().and_then(|found| standard(&found)) {
            return Ok(Self::Through(file));
        }
        let folder = folder_of(path).canonicalize()?;
        let is_of_system = OF_SYSTEM.iter().any(|system| folder.starts_with(system));
        match links {
            _ if is_of_system => through(path),
            Links::Replaced => Self::whole(path.to_owned()),
            Links::Followed => Self::open(&end_of(path)?, Links::Replaced),
        }
    }

    fn whole(target: PathBuf) -> io::Result<Self> {
        // What a killed command left beside it.
        sweep(folder_of(&target));
        Ok(Self::Whole(Incoming::beside(&target, PLAIN)?, target))
    }

    /// Makes what was written the content of its place.
    pub fn finish(self, durability: Durability) -> io::Result<()> {
        match self {
            Self::Whole(incoming, target) => {
                if durability == Durability::Power {
                    incoming.file().sync_all()?;
                }
                incoming.replace(&target)
            }
            Self::Through(mut file) => file.flush(),
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Whole(incoming, _) => incoming.write(bytes),
            Self::Through(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Whole(incoming, _) => incoming.flush(),
            Self::Through(file) => file.flush(),
        }
    }
}

/// Writes a whole document where a user says.
pub fn write_output(path: &Path, bytes: &[u8], links: Links) -> io::Result<()> {
    let mut output = Output::open(path, links)?;
    output.write_all(bytes)?;
    output.finish(Durability::Power)
}

fn through(path: &Path) -> io::Result<Output> {
    let flags = OFlags::WRONLY | OFlags::NOCTTY | OFlags::CLOEXEC;
    Ok(Output::Through(rustix::fs::open(path, flags, Mode::empty())?.into()))
}

/// Where the link at `path` leads in the end, be there something or not.
fn end_of(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..LINKS_MAX {
        match fs::symlink_metadata(&path) {
            Ok(found) if found.is_symlink() => path = folder_of(&path).join(fs::read_link(&path)?),
            _ => return Ok(path),
        }
    }
    Err(rustix::io::Errno::LOOP.into())
}

/// Standard output or standard error, where that is what was found: `/dev/stdout` may be a socket, which cannot be opened, or a
/// file that others have written to before.
fn standard(found: &fs::Metadata) -> Option<File> {
    let (output, error) = (io::stdout(), io::stderr());
    let open = [output.as_fd(), error.as_fd()];
    open.into_iter().find_map(|open| {
        let file = File::from(open.try_clone_to_owned().ok()?);
        let own = file.metadata().ok()?;
        ((own.dev(), own.ino()) == (found.dev(), found.ino())).then_some(file)
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{FileTypeExt, symlink};

    use rustix::fs::{CWD, FileType};

    use super::*;

    #[test]
    fn a_pipe_takes_what_it_is_given() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(CWD, &pipe, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::read(pipe).unwrap()
        });
        write_output(&pipe, b"whole", Links::Replaced).unwrap();
        assert_eq!(reader.join().unwrap(), b"whole");
        assert!(fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_device_stays_a_device() {
        let folder = tempfile::tempdir().unwrap();
        let null = folder.path().join("null");
        let device = rustix::fs::makedev(1, 3);
        let mode = Mode::from_raw_mode(0o666);
        let made = rustix::fs::mknodat(CWD, &null, FileType::CharacterDevice, mode, device);
        if made.is_err() || fs::OpenOptions::new().write(true).open(&null).is_err() {
            return drop(writeln!(
                io::stderr(),
                "skipped: a_device_stays_a_device: no device can be made here"
            ));
        }
        write_output(&null, b"gone", Links::Replaced).unwrap();
        assert!(fs::symlink_metadata(&null).unwrap().file_type().is_char_device());
        assert!(crate::replace(&null, b"", Durability::Process).is_err(), "nor is it replaced otherwise");
        assert!(fs::symlink_metadata(&null).unwrap().file_type().is_char_device());
    }

    #[test]
    fn a_link_that_somebody_planted_is_replaced_and_what_it_leads_to_is_not_touched() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("secret"), "as it was").unwrap();
        fs::create_dir(at("below")).unwrap();
        for (link, target) in [
            ("file", "secret"),
            ("nothing", "new"),
            ("folder", "below"),
            ("round", "round"),
            ("device", "/dev/null"),
        ] {
            symlink(target, at(link)).unwrap();
            write_output(&at(link), b"text", Links::Replaced).unwrap();
            assert_eq!(fs::read_to_string(at(link)).unwrap(), "text", "{link}");
            assert!(!fs::symlink_metadata(at(link)).unwrap().is_symlink(), "{link}");
        }
        assert_eq!(fs::read_to_string(at("secret")).unwrap(), "as it was");
        assert!(!at("new").exists() && fs::read_dir(at("below")).unwrap().next().is_none());
        assert_eq!(
            Output::open(&at("below"), Links::Replaced).unwrap_err().kind(),
            io::ErrorKind::IsADirectory
        );
    }

    #[test]
    fn a_link_of_the_user_stays_and_its_file_is_written_whole() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("below")).unwrap();
        symlink("below/file", at("link")).unwrap();
        symlink("link", at("second")).unwrap();
        for text in ["new", "replaced"] {
            write_output(&at("second"), text.as_bytes(), Links::Followed).unwrap();
            assert_eq!(fs::read_to_string(at("below/file")).unwrap(), text);
        }
        let is_link = |name: &str| fs::symlink_metadata(at(name)).unwrap().is_symlink();
        assert!(is_link("link") && is_link("second"));
        symlink("round", at("round")).unwrap();
        assert!(write_output(&at("round"), b"", Links::Followed).is_err());
        symlink("below", at("folder")).unwrap();
        let error = write_output(&at("folder"), b"", Links::Followed).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::IsADirectory);
    }

    #[test]
    fn given_up_it_leaves_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "old").unwrap();
        let mut output = Output::open(&path, Links::Replaced).unwrap();
        output.write_all(b"half").unwrap();
        drop(output);
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
