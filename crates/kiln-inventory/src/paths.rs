use std::io::{self, Read, Write};

use crate::wire::Blob;

/// Every path of a layer with one bit, whether it is a directory; about five bytes per path. A zstd stream of
/// (kind, bytes shared with the path before, bytes that follow, those bytes).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PathLog(pub(crate) Blob);

/// Writes a [`PathLog`].
pub(crate) struct PathLogger {
    output: zstd::Encoder<'static, Vec<u8>>,
    last: String,
}

const LEVEL: i32 = 1;
const FILE: u8 = 0;
const DIR: u8 = 1;

impl PathLogger {
    pub(crate) fn new() -> Self {
        let output = zstd::Encoder::new(Vec::new(), LEVEL).expect("level 1 exists");
        Self { output, last: String::new() }
    }

    pub(crate) fn push(&mut self, path: &str, is_dir: bool) {
        let shared = path.bytes().zip(self.last.bytes()).take_while(|(a, b)| a == b).count();
        let rest = path.as_bytes().get(shared..).unwrap_or_default();
        let narrow =
            |number: usize| u16::try_from(number).expect("a path is at most 4096 bytes").to_le_bytes();
        let [a, b] = narrow(shared);
        let [c, d] = narrow(rest.len());
        let head = [if is_dir { DIR } else { FILE }, a, b, c, d];
        self.output
            .write_all(&head)
            .and_then(|()| self.output.write_all(rest))
            .expect("memory takes every write");
        path.clone_into(&mut self.last);
    }

    pub(crate) fn finish(self) -> PathLog {
        PathLog(Blob(self.output.finish().expect("memory takes every write")))
    }
}

impl PathLog {
    /// Tells `each` path and whether it is a directory, in the layer's order.
    pub(crate) fn for_each(&self, mut each: impl FnMut(&str, bool)) -> io::Result<()> {
        let mut input = io::BufReader::new(zstd::Decoder::new(self.0.0.as_slice())?);
        let mut path = Vec::new();
        loop {
            let mut head = [0; 5];
            match input.read(&mut head[..1])? {
                0 => return Ok(()),
                _ => input.read_exact(&mut head[1..])?,
            }
            let [kind, a, b, c, d] = head;
            path.truncate(usize::from(u16::from_le_bytes([a, b])));
            let start = path.len();
            path.resize(start + usize::from(u16::from_le_bytes([c, d])), 0);
            input.read_exact(&mut path[start..])?;
            each(std::str::from_utf8(&path).map_err(io::Error::other)?, kind == DIR);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_back_every_path() {
        let paths = [("usr", true), ("usr/bin/ä", false), ("usr/bin/å", false), ("", true), ("x", false)];
        let mut logger = PathLogger::new();
        for (path, is_dir) in paths {
            logger.push(path, is_dir);
        }
        let mut read = Vec::new();
        logger.finish().for_each(|path, is_dir| read.push((path.to_owned(), is_dir))).unwrap();
        assert_eq!(read, paths.map(|(path, is_dir)| (path.to_owned(), is_dir)));
        assert!(PathLog(Blob(vec![0; 3])).for_each(|_, _| ()).is_err());
    }
}
