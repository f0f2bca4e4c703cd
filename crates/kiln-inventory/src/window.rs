/// Bytes shown at once.
const WINDOW: usize = 128 << 10;
/// Bytes before a position that a matcher may look back at.
pub(crate) const BEHIND: usize = 1024;
/// Bytes from a position on that a matcher may look ahead at.
pub(crate) const AHEAD: usize = 1024;

/// A stream seen through a sliding window, so that what lies across two reads is still found.
pub(crate) struct Window {
    buffer: Vec<u8>,
    /// Bytes at the start of `buffer` that were shown before.
    seen: usize,
}

impl Window {
    pub(crate) fn new() -> Self {
        Self { buffer: Vec::new(), seen: 0 }
    }

    /// Forgets everything, for the next stream.
    pub(crate) fn clear(&mut self) {
        self.buffer.clear();
        self.seen = 0;
    }

    /// Takes in `bytes`. `show` gets the window and the positions that are its turn: each position of the stream is shown once,
    /// with [`BEHIND`] bytes before it and [`AHEAD`] after it, where the stream has them.
    pub(crate) fn feed(&mut self, mut bytes: &[u8], mut show: impl FnMut(&[u8], std::ops::Range<usize>)) {
        while !bytes.is_empty() {
            let room = WINDOW.saturating_sub(self.buffer.len()).min(bytes.len());
            let (now, later) = bytes.split_at(room);
            self.buffer.extend_from_slice(now);
            bytes = later;
            if self.buffer.len() == WINDOW {
                let end = WINDOW - AHEAD;
                show(&self.buffer, self.seen..end);
                self.buffer.drain(..end - BEHIND);
                self.seen = BEHIND;
            }
        }
    }

    /// Shows the rest.
    pub(crate) fn finish(&mut self, mut show: impl FnMut(&[u8], std::ops::Range<usize>)) {
        if self.seen < self.buffer.len() {
            show(&self.buffer, self.seen..self.buffer.len());
        }
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_each_position_once() {
        let stream: Vec<u8> = (0..400_000_u32).map(|at| at as u8).collect();
        for piece in [1000, 65_536, 300_001] {
            let mut window = Window::new();
            let mut shown = Vec::new();
            for bytes in stream.chunks(piece) {
                window.feed(bytes, |view, turn| shown.extend_from_slice(&view[turn]));
            }
            window.finish(|view, turn| shown.extend_from_slice(&view[turn]));
            assert!(shown == stream);
        }
    }
}
