use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use rustix::fs::{Mode, OFlags};

/// The largest document that is read whole: no manifest, lock file or list of an app is larger.
pub const DOCUMENT_MAX: u64 = 64 << 20;

/// Opens a regular file that the user or kiln itself names, for reading; links are followed. A pipe or a device is refused
/// and not waited for.
pub fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"))
}

/// The bytes of such a file, if they are no more than `cap`.
pub fn read(path: &Path, cap: u64) -> io::Result<Vec<u8>> {
    capped(open(path)?, cap)
}

/// The same as text.
pub fn read_text(path: &Path, cap: u64) -> io::Result<String> {
    text(read(path, cap)?)
}

/// The bytes of whatever a user gives on the command line or in kiln.toml, if they are no more than `cap`: also of a pipe, as shells
/// make them for `<(…)`, which is waited for. What has no end, or a size that is a lie, costs no more than `cap`.
pub fn read_given(path: &Path, cap: u64) -> io::Result<Vec<u8>> {
    capped(File::open(path)?, cap)
}

/// The same as text.
pub fn read_given_text(path: &Path, cap: u64) -> io::Result<String> {
    text(read_given(path, cap)?)
}

fn capped(file: File, cap: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(cap.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > cap {
        let why = format!("it has more than {cap} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, why));
    }
    Ok(bytes)
}

fn text(bytes: Vec<u8>) -> io::Result<String> {
    let no_text = |_| io::Error::new(io::ErrorKind::InvalidData, "it is no UTF-8 text");
    String::from_utf8(bytes).map_err(no_text)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn no_more_is_read_than_the_cap() {
        let folder = tempfile::tempdir().unwrap();
        let sparse = folder.path().join("sparse");
        File::create(&sparse).unwrap().set_len(1 << 40).unwrap();
        for path in [&sparse, Path::new("/dev/zero")] {
            assert_eq!(read_given(path, 1000).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        }
        assert_eq!(read(&sparse, 1000).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        fs::write(&sparse, "x".repeat(1000)).unwrap();
        assert_eq!(read_given_text(&sparse, 1000).unwrap().len(), 1000);
    }

    #[test]
    fn a_pipe_that_is_given_is_read_to_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let mode = Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        let writer = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::write(pipe, "given").unwrap()
        });
        assert_eq!(read_given(&pipe, 5).unwrap(), b"given");
        writer.join().unwrap();
        assert_eq!(read(&pipe, 5).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }
}
