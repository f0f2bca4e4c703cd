use std::time::Duration;

/// How fast a body must come, so that none drips for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Over this time of waiting, …
    pub window: Duration,
    /// … at least so many bytes must come.
    pub least: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Self { window: Duration::from_secs(30), least: 30 << 10 }
    }
}
