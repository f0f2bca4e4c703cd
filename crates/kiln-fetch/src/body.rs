use std::io::{self, Read};
use std::time::{Duration, Instant};

use crate::network::Response;
use crate::pace::Pace;
use crate::watched;

/// The bytes of an answer as they come, however many: each reader has a cap of its own. It ends: what comes too slowly, or is no
/// content at all, is an error.
pub struct BodyReader {
    inner: ureq::BodyReader<'static>,
    pace: Pace,
    /// How long it was waited for since the pace was looked at, and what came meanwhile. What the reader does between is its own time.
    waited: Duration,
    came: u64,
}

/// The content of an answer, at this pace or faster.
pub fn body(response: Response, pace: Pace) -> BodyReader {
    let inner = response.into_body().into_with_config().limit(u64::MAX).reader();
    BodyReader { inner, pace, waited: Duration::ZERO, came: 0 }
}

impl Read for BodyReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let began = Instant::now();
        let count = watched::within(self.pace.window, || self.inner.read(buffer))?;
        self.waited += began.elapsed();
        self.came += count as u64;
        if count == 0 || self.waited < self.pace.window {
            return Ok(count);
        }
        if self.came < self.pace.least {
            let why = format!("only {} bytes came within {} s", self.came, self.pace.window.as_secs_f64());
            return Err(io::Error::new(io::ErrorKind::TimedOut, why));
        }
        (self.waited, self.came) = (Duration::ZERO, 0);
        Ok(count)
    }
}
