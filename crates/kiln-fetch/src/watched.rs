//! Connections on which no single read of a body goes on for ever. A server may send what is no content without an end (the fields after
//! the last chunk, RFC 9112 §7.1.2), and the reader of the body, which skips it, comes back to nobody meanwhile.

use std::cell::Cell;
use std::io;
use std::time::{Duration, Instant};

use ureq::Error;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

/// How much may come in one read that yields nothing, in bytes: far more than all fields of any server.
const SKIPPED_MAX: u64 = 1 << 20;

/// What one read may still take.
#[derive(Clone, Copy)]
struct Allowance {
    until: Instant,
    bytes: u64,
}

thread_local! {
    /// That of the read that this thread is at. The reader of a body knows nothing of its connection, and both are on one thread.
    static ALLOWANCE: Cell<Option<Allowance>> = const { Cell::new(None) };
}

/// Reads, for no longer than `window` without any content.
pub(crate) fn within<T>(window: Duration, read: impl FnOnce() -> T) -> T {
    ALLOWANCE.set(Some(Allowance { until: Instant::now() + window, bytes: SKIPPED_MAX }));
    let read = read();
    ALLOWANCE.set(None);
    read
}

/// Makes connections that keep to what a read may take.
#[derive(Debug)]
pub(crate) struct Watched;

impl<In: Transport> Connector<In> for Watched {
    type Out = Watch<In>;

    fn connect(&self, _: &ConnectionDetails<'_>, chained: Option<In>) -> Result<Option<Self::Out>, Error> {
        Ok(chained.map(Watch))
    }
}

#[derive(Debug)]
pub(crate) struct Watch<T>(T);

impl<T: Transport> Transport for Watch<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.0.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.0.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let Some(allowance) = ALLOWANCE.get() else { return self.0.await_input(timeout) };
        if Instant::now() > allowance.until || allowance.bytes == 0 {
            let why = "it goes on and on without any content";
            return Err(Error::Io(io::Error::new(io::ErrorKind::TimedOut, why)));
        }
        let before = self.0.buffers().input().len();
        let progress = self.0.await_input(timeout)?;
        let came = self.0.buffers().input().len().saturating_sub(before) as u64;
        ALLOWANCE.set(Some(Allowance { bytes: allowance.bytes.saturating_sub(came), ..allowance }));
        Ok(progress)
    }

    fn is_open(&mut self) -> bool {
        self.0.is_open()
    }

    fn is_tls(&self) -> bool {
        self.0.is_tls()
    }
}
