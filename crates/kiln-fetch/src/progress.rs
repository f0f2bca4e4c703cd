use std::sync::Mutex;

/// How far a set of downloads is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes that have arrived.
    pub bytes: u64,
    /// Bytes that will have arrived in the end, as far as sizes are known.
    pub total_bytes: u64,
    /// Files that are complete.
    pub files: usize,
    /// Files asked for.
    pub total_files: usize,
}

/// Called from the download threads whenever something has arrived.
pub type OnProgress = Box<dyn Fn(Progress) + Send + Sync>;

/// Adds up what the download threads report.
pub(crate) struct Meter<'a> {
    state: Mutex<Progress>,
    report: Option<&'a OnProgress>,
}

impl<'a> Meter<'a> {
    pub(crate) fn new(total_bytes: u64, total_files: usize, report: Option<&'a OnProgress>) -> Self {
        Self { state: Mutex::new(Progress { total_bytes, total_files, ..Progress::default() }), report }
    }

    pub(crate) fn bytes(&self, count: u64) {
        self.change(|state| state.bytes += count);
    }

    /// Takes back bytes that will have to arrive again.
    pub(crate) fn lost(&self, count: u64) {
        self.change(|state| state.bytes = state.bytes.saturating_sub(count));
    }

    pub(crate) fn file(&self) {
        self.change(|state| state.files += 1);
    }

    fn change(&self, change: impl FnOnce(&mut Progress)) {
        let Some(report) = self.report else { return };
        // Reported under the lock, so that reports arrive in order.
        let mut state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        change(&mut state);
        report(*state);
    }
}
