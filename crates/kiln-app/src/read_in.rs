use std::io::{self, Read};

use kiln_disk::Dir;
use kiln_rootfs::RootPath;

/// The content of a file of a folder, up to `cap` bytes; `None` where there is no such file.
pub(crate) fn read_in(dir: &Dir, path: &str, cap: u64) -> io::Result<Option<Vec<u8>>> {
    let root_path = RootPath::normalise(path).map_err(|_| io::ErrorKind::InvalidFilename)?;
    let file = match dir.file(&root_path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(cap.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > cap {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it has more than {cap} bytes")));
    }
    Ok(Some(bytes))
}
