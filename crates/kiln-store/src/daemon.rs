use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use crate::error::ErrorKind;
use crate::{Archive, Error};

/// The largest answer of the daemon that is looked at, in bytes.
const ANSWER_MAX: u64 = 64 << 10;
/// The longest line between two chunks of a body.
const LINE_MAX: u64 = 1 << 10;

/// A Docker daemon behind a Unix socket. Source: Docker Engine API, "Import images" (`POST /images/load`) and "Export an
/// image" (`GET /images/{name}/get`).
#[derive(Debug)]
pub struct Daemon {
    socket: PathBuf,
}

impl Daemon {
    /// The daemon that `docker_host` (the value of `DOCKER_HOST`) names, or the one at Docker's usual place;
    /// `None` where there is no socket.
    pub fn find(docker_host: Option<&str>) -> Result<Option<Self>, Error> {
        let socket = match docker_host.filter(|host| !host.is_empty()) {
            None => Path::new("/var/run/docker.sock"),
            Some(host) => Path::new(
                host.strip_prefix("unix://").ok_or_else(|| ErrorKind::DaemonAddress(host.to_owned()))?,
            ),
        };
        Ok(socket.exists().then(|| Self { socket: socket.to_owned() }))
    }

    /// Starts to load an archive, which is then written to what is returned.
    pub fn load(&self) -> Result<Load, Error> {
        let head = "POST /images/load?quiet=1 HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\
            Content-Type: application/x-tar\r\nTransfer-Encoding: chunked\r\n\r\n";
        let stream = self.ask(head)?;
        Ok(Load {
            output: io::BufWriter::with_capacity(1 << 20, Chunked(stream)),
            socket: self.socket.clone(),
        })
    }

    /// The image `name` (`repository[:tag]`, or its id), kept in an unnamed file in `spool`; `None` where the daemon
    /// has none.
    pub fn save(&self, name: &str, spool: &Path) -> Result<Option<Archive>, Error> {
        let failed = |source| Error::io("speak to the Docker daemon at", &self.socket)(source);
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-/:@".contains(c);
        if name.is_empty() || !name.chars().all(is_plain) {
            return Err(ErrorKind::DaemonRefused(format!("{name:?} is no name of an image")).into());
        }
        let head = format!("GET /images/{name}/get HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n");
        let mut answer = BufReader::with_capacity(1 << 18, self.ask(&head)?);
        let (status, is_chunked) = read_head(&mut answer).map_err(failed)?;
        let mut body: Box<dyn Read> = if is_chunked {
            Box::new(Dechunked { input: answer, left: 0, ended: false })
        } else {
            Box::new(answer)
        };
        match status {
            200 => Archive::take(Path::new(&format!("docker:{name}")), &mut body, spool).map(Some),
            404 => Ok(None),
            status => {
                let mut text = String::new();
                body.take(ANSWER_MAX).read_to_string(&mut text).map_err(failed)?;
                // Older daemons answer so where there is no such image.
                if text.contains("No such image") || text.contains("not exist") {
                    return Ok(None);
                }
                Err(ErrorKind::DaemonRefused(format!("{status} {}", text.trim())).into())
            }
        }
    }

    fn ask(&self, head: &str) -> Result<UnixStream, Error> {
        let failed = |source| Error::io("speak to the Docker daemon at", &self.socket)(source);
        let mut stream = UnixStream::connect(&self.socket).map_err(failed)?;
        stream.write_all(head.as_bytes()).map_err(failed)?;
        Ok(stream)
    }
}

/// An archive on its way into the daemon.
pub struct Load {
    output: io::BufWriter<Chunked>,
    socket: PathBuf,
}

impl Load {
    /// Ends the archive and waits for the daemon to have taken it in.
    pub fn finish(self) -> Result<(), Error> {
        let socket = self.socket;
        let failed = |source| Error::io("speak to the Docker daemon at", &socket)(source);
        let Chunked(mut stream) = self.output.into_inner().map_err(|error| failed(error.into_error()))?;
        stream.write_all(b"0\r\n\r\n").map_err(failed)?;
        let mut answer = BufReader::new(stream);
        let (status, _) = read_head(&mut answer).map_err(failed)?;
        let mut body = String::new();
        answer.take(ANSWER_MAX).read_to_string(&mut body).map_err(failed)?;
        // The daemon answers 200 before it has read everything; what went wrong later is in the body.
        if status == 200 && !body.contains("\"error\"") {
            return Ok(());
        }
        Err(ErrorKind::DaemonRefused(format!("{status} {}", body.trim())).into())
    }
}

impl Write for Load {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.output.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

/// The status, and whether the body comes in chunks.
fn read_head(answer: &mut impl BufRead) -> io::Result<(u16, bool)> {
    let mut lines = Vec::new();
    let mut head = answer.take(ANSWER_MAX);
    loop {
        let mut line = String::new();
        head.read_line(&mut line)?;
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        lines.push(line);
    }
    let status = lines.first().and_then(|line| line.split(' ').nth(1)?.parse().ok());
    let is_chunked =
        lines.iter().any(|line| line.starts_with("transfer-encoding:") && line.ends_with("chunked"));
    let bad = || io::Error::new(io::ErrorKind::InvalidData, "the answer is no HTTP");
    Ok((status.ok_or_else(bad)?, is_chunked))
}

/// HTTP/1.1 chunked transfer coding. Source: RFC 9112 §7.1.
struct Chunked(UnixStream);

impl Write for Chunked {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !bytes.is_empty() {
            write!(self.0, "{:x}\r\n", bytes.len())?;
            self.0.write_all(bytes)?;
            self.0.write_all(b"\r\n")?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// The same, read.
struct Dechunked<R> {
    input: R,
    left: u64,
    ended: bool,
}

impl<R: BufRead> Dechunked<R> {
    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        (&mut self.input).take(LINE_MAX).read_line(&mut line)?;
        Ok(line.trim().to_owned())
    }

    fn next_chunk(&mut self) -> io::Result<()> {
        let bad = |_| io::Error::new(io::ErrorKind::InvalidData, "a chunk of the answer has no size");
        let mut line = self.line()?;
        if line.is_empty() {
            // The end of the chunk before.
            line = self.line()?;
        }
        let size = line.split(';').next().unwrap_or_default();
        self.left = u64::from_str_radix(size, 16).map_err(bad)?;
        self.ended = self.left == 0;
        Ok(())
    }
}

impl<R: BufRead> Read for Dechunked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 && !self.ended {
            self.next_chunk()?;
        }
        let want = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if want == 0 {
            return Ok(0);
        }
        let count = self.input.read(&mut buffer[..want])?;
        if count == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the answer ends inside a chunk"));
        }
        self.left -= count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dechunked(text: &str) -> io::Result<String> {
        let mut body = String::new();
        Dechunked { input: text.as_bytes(), left: 0, ended: false }.read_to_string(&mut body)?;
        Ok(body)
    }

    #[test]
    fn chunks_are_joined() {
        assert_eq!(dechunked("3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n").unwrap(), "abc0123456789");
        assert_eq!(dechunked("0\r\n\r\n").unwrap(), "");
        for broken in ["", "3\r\nab", "x\r\n", "3\r\nabc\r\n"] {
            assert!(dechunked(broken).is_err(), "{broken:?}");
        }
    }

    #[test]
    fn a_head_is_read() {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nrest";
        assert_eq!(read_head(&mut head.as_bytes()).unwrap(), (200, true));
        assert_eq!(read_head(&mut &b"HTTP/1.1 404 Not Found\r\n\r\n"[..]).unwrap(), (404, false));
        assert!(read_head(&mut &b"hello\r\n\r\n"[..]).is_err());
    }
}
