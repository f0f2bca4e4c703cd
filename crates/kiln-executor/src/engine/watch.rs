//! Tells people what a build does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use kiln_build::engine::{Origin, Watch};

use super::options::BuildOptions;

/// How much of an instruction is shown, in characters.
const SHOWN: usize = 100;

/// Says which steps run, and what they say.
pub(crate) struct Telling<'a> {
    why: bool,
    /// Every line that a command prints stays.
    plain: bool,
    note: &'a (dyn Fn(&str) + Sync),
    say: &'a (dyn Fn(&str) + Sync),
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    cached: usize,
    done: usize,
    /// What was made now: stage and instruction.
    made: BTreeSet<(String, String)>,
    reasons: BTreeMap<(u32, String), Vec<String>>,
}

impl<'a> Telling<'a> {
    pub(super) fn new(
        options: &BuildOptions,
        note: &'a (dyn Fn(&str) + Sync),
        say: &'a (dyn Fn(&str) + Sync),
    ) -> Self {
        Self { why: options.why, plain: options.plain, note, say, counts: Mutex::default() }
    }

    fn counts(&self) -> std::sync::MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A line that a command printed.
    pub(super) fn line(&self, origin: &Origin, line: &str) {
        let line = format!("[{}] {line}", origin.stage);
        if self.plain { (self.say)(&format!("      {line}")) } else { (self.note)(&line) }
    }

    /// Whether a step was made now, and not found.
    pub(crate) fn was_made(&self, origin: &Origin) -> bool {
        self.counts().made.contains(&(origin.stage.clone(), origin.text.clone()))
    }

    /// `3 steps, 5 from the cache`
    pub(crate) fn summary(&self) -> String {
        let counts = self.counts();
        format!("{} steps done, {} from the cache", counts.done, counts.cached)
    }
}

impl Watch for Telling<'_> {
    fn step(&self, origin: &Origin, is_cached: bool) {
        let mut counts = self.counts();
        if is_cached {
            counts.cached += 1;
            return;
        }
        counts.done += 1;
        counts.made.insert((origin.stage.clone(), origin.text.clone()));
        let text: String = origin.text.chars().take(SHOWN).collect();
        (self.say)(&format!("  [{}] {text}", origin.stage));
        if let Some(reasons) = counts.reasons.get(&(origin.line, origin.text.clone())).filter(|_| self.why) {
            for reason in reasons {
                (self.say)(&format!("      because {reason}"));
            }
        }
    }

    fn missed(&self, origin: &Origin, why: &[String]) {
        self.counts().reasons.insert((origin.line, origin.text.clone()), why.to_vec());
    }
}
