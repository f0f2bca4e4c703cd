//! What a person sees while kiln works: one line for each stage, and the newest line of output below it.

use std::cell::RefCell;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use kiln_report::clean;

use crate::output;

/// Talks about stages on standard error: a moving line on a terminal, plain lines elsewhere.
pub(crate) struct Stages {
    quiet: bool,
    bar: Option<ProgressBar>,
    current: RefCell<Option<(&'static str, Instant)>>,
}

impl Stages {
    pub(crate) fn new(quiet: bool) -> Self {
        let bar = (!quiet && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::new_spinner();
            let style = ProgressStyle::with_template("  {prefix:<9} {spinner} {wide_msg} {elapsed:>4}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
            bar
        });
        Self { quiet, bar, current: RefCell::new(None) }
    }

    /// A stage begins.
    pub(crate) fn start(&self, stage: &'static str, what: &str) {
        self.current.replace(Some((stage, Instant::now())));
        if let Some(bar) = &self.bar {
            bar.reset_elapsed();
            bar.set_prefix(stage);
            bar.set_message(clean::talk(what));
            bar.enable_steady_tick(Duration::from_millis(100));
        }
    }

    /// Something moves within the stage.
    pub(crate) fn note(&self, line: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(clean::talk(line));
        }
    }

    /// The same for other threads and for longer than `self` lives.
    pub(crate) fn notifier(&self) -> impl Fn(&str) + Send + Sync + 'static {
        let bar = self.bar.clone();
        move |line| {
            if let Some(bar) = &bar {
                bar.set_message(clean::talk(line));
            }
        }
    }

    /// Writes lines that stay, above what moves, for other threads and for longer than `self` lives.
    pub(crate) fn teller(&self) -> impl Fn(&str) + Send + Sync + 'static {
        let (bar, quiet) = (self.bar.clone(), self.quiet);
        move |line| match &bar {
            _ if quiet => {}
            Some(bar) => bar.suspend(|| output::talk(line)),
            None => output::talk(line),
        }
    }

    /// The stage is over; its line stays.
    pub(crate) fn done(&self, summary: &str) {
        let Some((stage, began)) = self.current.take() else { return };
        if self.quiet {
            return;
        }
        let seconds = began.elapsed().as_secs_f64();
        let line = format!("  {stage:<9} {summary}  ({seconds:.1}s)");
        match &self.bar {
            Some(bar) => {
                bar.disable_steady_tick();
                bar.suspend(|| output::talk(&line));
            }
            None => output::talk(&line),
        }
    }

    /// Nothing more comes.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Stages {
    fn drop(&mut self) {
        self.finish();
    }
}

/// A size as people read it: powers of ten, one digit after the point.
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}
