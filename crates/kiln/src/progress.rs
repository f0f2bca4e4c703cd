//! What a person sees while kiln works: one line for each stage, and the newest line of output below it.

use std::cell::RefCell;
use std::io::IsTerminal;
use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use kiln_executor::{Progress, Tell};
use kiln_report::clean;

use crate::output;

/// What a line begins with that tells more than its command was asked for.
const NOTE: &str = "note: ";

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

    /// Nothing more comes.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Progress for Stages {
    fn start(&self, stage: &'static str, what: &str) {
        self.current.replace(Some((stage, Instant::now())));
        if let Some(bar) = &self.bar {
            bar.reset_elapsed();
            bar.set_prefix(stage);
            bar.set_message(clean::talk(what));
            bar.enable_steady_tick(Duration::from_millis(100));
        }
    }

    fn note(&self, line: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(clean::talk(line));
        }
    }

    fn notifier(&self) -> Tell {
        let bar = self.bar.clone();
        Arc::new(move |line| {
            if let Some(bar) = &bar {
                bar.set_message(clean::talk(line));
            }
        })
    }

    /// Lines that stay are written above what moves.
    fn teller(&self) -> Tell {
        let (bar, quiet) = (self.bar.clone(), self.quiet);
        Arc::new(move |line| match &bar {
            _ if quiet => {}
            Some(bar) => bar.suspend(|| match line.strip_prefix(NOTE) {
                Some(note) => output::talk_wrapped(NOTE, note),
                None => output::talk_wrapped("", line),
            }),
            None => output::talk(line),
        })
    }

    /// Its line stays.
    fn done(&self, summary: &str) {
        let Some((stage, began)) = self.current.take() else { return };
        if self.quiet {
            return;
        }
        let seconds = began.elapsed().as_secs_f64();
        let start = format!("  {stage:<9} ");
        let text = format!("{summary}  ({seconds:.1}s)");
        match &self.bar {
            Some(bar) => {
                bar.disable_steady_tick();
                bar.suspend(|| output::talk_wrapped(&start, &text));
            }
            None => output::talk(&format!("{start}{text}")),
        }
    }
}

impl Drop for Stages {
    fn drop(&mut self) {
        self.finish();
    }
}
