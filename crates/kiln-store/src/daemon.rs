use std::io::{self, BufWriter, PipeReader, PipeWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use kiln_fetch::Url;
use kiln_fetch::http::{self, Http, Method, NetworkError, Pace, Payload, Request, Response};

use crate::error::ErrorKind;
use crate::{Archive, Error};

/// The largest answer of the daemon that is looked at, in bytes.
const ANSWER_MAX: u64 = 64 << 10;
/// How long the daemon may be silent: it unpacks an image before it says so.
const STALL: Duration = Duration::from_mins(30);
const PACE: Pace = Pace { window: STALL, least: 1 };

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
        let failed = |source| Error::io("speak to the Docker daemon at", &self.socket)(source);
        let (content, output) = io::pipe().map_err(failed)?;
        let is_whole = Arc::new(AtomicBool::new(false));
        let mut archive = Incoming { content, is_whole: Arc::clone(&is_whole) };
        let socket = self.socket.clone();
        let url = address("/images/load?quiet=1")?;
        let answer = std::thread::spawn(move || {
            let payload = Payload::Stream { bytes: &mut archive, kind: "application/x-tar", size: None };
            let response = ask(&socket, Request::new(Method::POST, url, payload))?;
            let status = response.status().as_u16();
            Ok((status, said(response).map_err(Error::io("speak to the Docker daemon at", &socket))?))
        });
        Ok(Load { output: Some(BufWriter::with_capacity(1 << 20, output)), is_whole, answer: Some(answer) })
    }

    /// The image `name` (`repository[:tag]`, or its id), kept in an unnamed file in `spool`; `None` where the daemon
    /// has none.
    pub fn save(&self, name: &str, spool: &Path) -> Result<Option<Archive>, Error> {
        let failed = |source| Error::io("speak to the Docker daemon at", &self.socket)(source);
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-/:@".contains(c);
        if name.is_empty() || !name.chars().all(is_plain) {
            return Err(ErrorKind::DaemonRefused(format!("{name:?} is no name of an image")).into());
        }
        let response = ask(&self.socket, Request::get(address(&format!("/images/{name}/get"))?))?;
        match response.status().as_u16() {
            200 => {
                let mut body = http::body(response, PACE);
                Archive::take(Path::new(&format!("docker:{name}")), &mut body, spool).map(Some)
            }
            404 => Ok(None),
            status => {
                let text = said(response).map_err(failed)?;
                // Older daemons answer so where there is no such image.
                if text.contains("No such image") || text.contains("not exist") {
                    return Ok(None);
                }
                Err(ErrorKind::DaemonRefused(format!("{status} {}", text.trim())).into())
            }
        }
    }
}

/// The daemon has no name; HTTP wants one.
fn address(path: &str) -> Result<Url, Error> {
    let text = format!("http://docker{path}");
    Url::read(&text).map_err(|_| ErrorKind::DaemonRefused(format!("{text} is no address")).into())
}

/// Asks once: what the daemon was in the middle of is not begun again.
fn ask(socket: &Path, mut request: Request<'_>) -> Result<Response, Error> {
    let answer = Http::socket(socket, STALL).send(&mut request, None);
    answer.map_err(NetworkError::into_io).map_err(Error::io("speak to the Docker daemon at", socket))
}

fn said(response: Response) -> io::Result<String> {
    let mut text = Vec::new();
    http::body(response, PACE).take(ANSWER_MAX).read_to_end(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// An archive on its way into the daemon.
pub struct Load {
    output: Option<BufWriter<PipeWriter>>,
    is_whole: Arc<AtomicBool>,
    answer: Option<JoinHandle<Result<(u16, String), Error>>>,
}

impl Load {
    /// Ends the archive and waits for the daemon to have taken it in.
    pub fn finish(mut self) -> Result<(), Error> {
        let flushed = self.output.as_mut().map_or(Ok(()), Write::flush);
        // Before the end is seen.
        self.is_whole.store(flushed.is_ok(), Ordering::Release);
        self.output = None;
        // What the daemon has against it is why it would not read on.
        self.answered()?;
        flushed.map_err(Error::io("send the archive to", Path::new("the Docker daemon")))
    }

    /// What the daemon says, whose end of the archive is closed by now.
    fn answered(&mut self) -> Result<(), Error> {
        let Some(answer) = self.answer.take() else { return Ok(()) };
        let (status, said) = answer.join().expect("nothing panics while the daemon is asked")?;
        // The daemon answers 200 before it has read everything; what went wrong later is in the body.
        if status == 200 && !said.contains("\"error\"") {
            return Ok(());
        }
        Err(ErrorKind::DaemonRefused(format!("{status} {}", said.trim())).into())
    }

    /// Why nothing more can be written: the daemon has said so.
    fn why(&mut self, error: io::Error) -> io::Error {
        if error.kind() != io::ErrorKind::BrokenPipe {
            return error;
        }
        self.output = None;
        self.answered().map_or_else(io::Error::other, |()| error)
    }
}

impl Write for Load {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let output = self.output.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        output.write(bytes).map_err(|error| self.why(error))
    }

    fn flush(&mut self) -> io::Result<()> {
        let output = self.output.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        output.flush().map_err(|error| self.why(error))
    }
}

/// An archive as its bytes are written. One that is given up ends in an error, so that the daemon never takes a part for the whole.
struct Incoming {
    content: PipeReader,
    is_whole: Arc<AtomicBool>,
}

impl Read for Incoming {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.content.read(buffer)?;
        if count == 0 && !buffer.is_empty() && !self.is_whole.load(Ordering::Acquire) {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the archive was not finished"));
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader};
    use std::os::unix::net::{UnixListener, UnixStream};

    use super::*;

    /// Head and body of a request, and whether the body ended.
    type Heard = (String, Vec<u8>, bool);

    /// A daemon that reads one request, head and chunks, and gives this answer.
    fn daemon(answer: &'static str) -> (tempfile::TempDir, Daemon, JoinHandle<Heard>) {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("s");
        let listener = UnixListener::bind(&socket).unwrap();
        let heard = std::thread::spawn(move || {
            let mut stream = BufReader::new(listener.accept().unwrap().0);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") && stream.read_line(&mut head).unwrap() > 0 {}
            let (body, is_whole) =
                if head.starts_with("POST") { chunks(&mut stream) } else { (Vec::new(), true) };
            drop(stream.get_mut().write_all(answer.as_bytes()));
            (head, body, is_whole)
        });
        let address = format!("unix://{}", socket.display());
        (folder, Daemon::find(Some(&address)).unwrap().unwrap(), heard)
    }

    fn chunks(stream: &mut BufReader<UnixStream>) -> (Vec<u8>, bool) {
        let mut body = Vec::new();
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).unwrap() == 0 {
                return (body, false);
            }
            let size = usize::from_str_radix(line.trim(), 16).unwrap();
            let mut chunk = vec![0; size + 2];
            if stream.read_exact(&mut chunk).is_err() {
                return (body, false);
            }
            body.extend_from_slice(&chunk[..size]);
            if size == 0 {
                return (body, true);
            }
        }
    }

    const FINE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";

    #[test]
    fn an_archive_is_loaded_in_chunks() {
        let (_folder, daemon, heard) = daemon(FINE);
        let mut load = daemon.load().unwrap();
        let archive = vec![7; 3 << 20];
        load.write_all(&archive).unwrap();
        load.finish().unwrap();
        let (head, body, is_whole) = heard.join().unwrap();
        assert!(head.starts_with("POST /images/load?quiet=1 HTTP/1.1\r\n"), "{head}");
        assert!(head.to_ascii_lowercase().contains("content-type: application/x-tar\r\n"), "{head}");
        assert!(is_whole && body == archive);
    }

    #[test]
    fn an_archive_that_is_given_up_never_ends() {
        let (_folder, daemon, heard) = daemon(FINE);
        let mut load = daemon.load().unwrap();
        load.write_all(&vec![7; 2 << 20]).unwrap();
        drop(load);
        assert!(!heard.join().unwrap().2);
    }

    #[test]
    fn what_the_daemon_says_against_it_is_told() {
        for answer in [
            "HTTP/1.1 500 x\r\nContent-Length: 7\r\n\r\nno room",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n12\r\n{\"error\":\"no room\"\r\n0\r\n\r\n",
        ] {
            let (_folder, daemon, _heard) = daemon(answer);
            let error = daemon.load().unwrap().finish().unwrap_err();
            assert!(error.to_string().contains("no room"), "{error}");
        }
    }

    #[test]
    fn an_image_that_is_not_there_is_none() {
        let spool = tempfile::tempdir().unwrap();
        for answer in [
            "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 500 x\r\nContent-Length: 19\r\n\r\nNo such image: a:b\n",
        ] {
            let (_folder, daemon, heard) = daemon(answer);
            assert!(daemon.save("a/b:1@x", spool.path()).unwrap().is_none());
            assert!(heard.join().unwrap().0.starts_with("GET /images/a/b:1@x/get HTTP/1.1\r\n"));
        }
        let (_folder, daemon, _heard) = daemon("hello\r\n\r\n");
        assert!(daemon.save("a", spool.path()).is_err());
    }
}
