use std::time::{Duration, Instant};

/// What a search may cost: things that are opened, bytes of what they hold, and time. Each that is opened costs two requests, and with hints
/// that are forged all of them are spent on nothing.
const OPENED_MAX: usize = 32;
/// What is opened more where no question is to be answered, but everything that is there is wanted.
const OPENED_MORE: usize = 68;
const BYTES_MAX: u64 = 128 << 20;
pub(super) const TIME_MAX: Duration = Duration::from_mins(1);

/// What is left of it.
pub(super) struct Budget {
    opens: usize,
    bytes: u64,
    until: Instant,
}

impl Budget {
    pub(super) fn start() -> Self {
        Self { opens: OPENED_MAX, bytes: BYTES_MAX, until: Instant::now() + TIME_MAX }
    }

    /// Everything is wanted.
    pub(super) fn widen(&mut self) {
        self.opens += OPENED_MORE;
    }

    /// Takes up to `count` things to open; yields how many may be.
    pub(super) fn opens(&mut self, count: usize) -> usize {
        if self.is_late() || self.bytes == 0 {
            return 0;
        }
        let count = count.min(self.opens);
        self.opens -= count;
        count
    }

    /// Takes that many bytes, if they are left.
    pub(super) fn takes(&mut self, bytes: u64) -> bool {
        let is_left = bytes <= self.bytes;
        if is_left {
            self.bytes -= bytes;
        }
        is_left
    }

    pub(super) fn is_late(&self) -> bool {
        Instant::now() >= self.until
    }

    pub(super) fn until(&self) -> Instant {
        self.until
    }
}
