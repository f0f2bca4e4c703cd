use std::sync::Arc;

/// Takes one line; from any thread.
pub type Tell = Arc<dyn Fn(&str) + Send + Sync>;

/// Whoever is told what happens. A stage is one word; what is noted within it need not stay.
pub trait Progress {
    /// A stage begins.
    fn start(&self, stage: &'static str, what: &str);

    /// Something moves within the stage.
    fn note(&self, line: &str);

    /// The stage is over.
    fn done(&self, summary: &str);

    /// Notes, from other threads and for longer than `self` lives.
    fn notifier(&self) -> Tell;

    /// Says what stays, from other threads and for longer than `self` lives.
    fn teller(&self) -> Tell;
}
