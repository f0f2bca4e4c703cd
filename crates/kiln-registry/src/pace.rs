use std::io;
use std::time::{Duration, Instant};

/// Watches that a body does not drip so slowly that it never ends.
pub(crate) struct Pace {
    window: Duration,
    least: u64,
    began: Instant,
    bytes: u64,
}

impl Pace {
    pub(crate) fn new(window: Duration, least: u64) -> Self {
        Self { window, least, began: Instant::now(), bytes: 0 }
    }

    /// Takes in that `count` bytes have come; fails if too few came in the time that is over.
    pub(crate) fn count(&mut self, count: u64) -> io::Result<()> {
        self.bytes += count;
        if self.began.elapsed() < self.window {
            return Ok(());
        }
        if self.bytes < self.least {
            let why = format!("only {} bytes came within {} s", self.bytes, self.window.as_secs_f64());
            return Err(io::Error::new(io::ErrorKind::TimedOut, why));
        }
        (self.began, self.bytes) = (Instant::now(), 0);
        Ok(())
    }
}
