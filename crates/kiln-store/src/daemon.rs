use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use kiln_oci::Descriptor;

use crate::error::ErrorKind;
use crate::{Error, Layout, write_docker_archive};

/// The largest answer of the daemon that is looked at, in bytes.
const ANSWER_MAX: u64 = 64 << 10;

/// A Docker daemon behind a Unix socket. Source: Docker Engine API, "Import images" (`POST /images/load`).
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

    /// Loads the image into the daemon under `name` (`repository:tag`).
    pub fn load(&self, layout: &Layout, image: &Descriptor, name: &str) -> Result<(), Error> {
        let failed = |source| Error::io("speak to the Docker daemon at", &self.socket)(source);
        let mut stream = UnixStream::connect(&self.socket).map_err(failed)?;
        let head = "POST /images/load?quiet=1 HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\
            Content-Type: application/x-tar\r\nTransfer-Encoding: chunked\r\n\r\n";
        stream.write_all(head.as_bytes()).map_err(failed)?;
        write_docker_archive(
            layout,
            image,
            name,
            io::BufWriter::with_capacity(1 << 20, Chunked(&mut stream)),
        )?;
        stream.write_all(b"0\r\n\r\n").map_err(failed)?;
        let mut answer = BufReader::new(stream);
        let mut status = String::new();
        (&mut answer).take(ANSWER_MAX).read_line(&mut status).map_err(failed)?;
        let mut rest = String::new();
        answer.take(ANSWER_MAX).read_to_string(&mut rest).map_err(failed)?;
        // The daemon answers 200 before it has read everything; what went wrong later is in the body.
        if status.split(' ').nth(1) == Some("200") && !rest.contains("\"error\"") {
            return Ok(());
        }
        let body = rest.split("\r\n\r\n").nth(1).unwrap_or(&rest).trim();
        Err(ErrorKind::DaemonRefused(format!("{} {body}", status.trim())).into())
    }
}

/// HTTP/1.1 chunked transfer coding. Source: RFC 9112 §7.1.
struct Chunked<'a>(&'a mut UnixStream);

impl Write for Chunked<'_> {
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
