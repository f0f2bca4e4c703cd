//! Git repositories over `git://`, from the loopback.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Serves every repository below a folder until it is dropped.
pub(crate) struct GitDaemon {
    /// `127.0.0.1:PORT`
    pub(crate) address: String,
    child: Child,
}

impl GitDaemon {
    pub(crate) fn start(folder: &Path) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap().to_string();
        let port = free.local_addr().unwrap().port();
        drop(free);
        // `git daemon` would start it as a process of its own, which would stay.
        let folder_of_git = Command::new("git").arg("--exec-path").output().unwrap().stdout;
        let program = Path::new(String::from_utf8(folder_of_git).unwrap().trim()).join("git-daemon");
        let child = Command::new(program)
            .args(["--reuseaddr", "--export-all", "--listen=127.0.0.1"])
            .arg(format!("--port={port}"))
            .arg(format!("--base-path={}", folder.display()))
            .arg(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let daemon = Self { address, child };
        for _ in 0..200 {
            if TcpStream::connect(&daemon.address).is_ok() {
                return daemon;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("git daemon does not answer at {}", daemon.address);
    }
}

impl Drop for GitDaemon {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
