use crate::facts::FileFacts;

/// What a reader does with the bytes it is shown.
pub(super) enum Seen {
    /// Its start is not here; it wants this many of the last bytes again.
    Nothing,
    /// It starts at this position: everything from here on is for it.
    Start(usize),
}

/// Finds one thing in a stream of bytes.
pub(super) trait Reader {
    /// Looks for the start; never within the last bytes that are not enough to know it.
    fn find(&mut self, view: &[u8]) -> Seen;
    /// Takes the bytes after the start; false once it has enough of them.
    fn take(&mut self, bytes: &[u8]) -> bool;
    /// Whether it has all it looks for.
    fn is_done(&self) -> bool;
    /// What was found.
    fn finish(self: Box<Self>, path: &str, file: &mut FileFacts) -> Result<(), String>;
}
