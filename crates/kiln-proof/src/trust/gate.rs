use kiln_build::Key;
use kiln_finding::{Class, Failure};
use kiln_image::Source;
use kiln_images::Machine;
use kiln_oci::{Descriptor, Digest};
use kiln_store::StepCache;
use kiln_trust::{ImageRule, TrustReport, Verdict};

use super::full_name::full_name;
use super::rule::Rule;
use super::settings::{TrustSettings, Unmatched};
use crate::found::{Depth, Found};

/// Folder of what was accepted before, below the cache folder.
const ACCEPTED: &str = "accepted";

/// Asks every image that a build takes something from for what `[trust]` says.
pub struct Gate<'a> {
    machine: &'a Machine,
    settings: &'a TrustSettings,
}

impl<'a> Gate<'a> {
    /// A gate that asks what `settings` say; accepted images are noted in the cache of `machine`.
    pub fn new(machine: &'a Machine, settings: &'a TrustSettings) -> Self {
        Self { machine, settings }
    }

    /// Whether anything is asked of any image.
    pub fn is_open(&self) -> bool {
        self.settings.rule.is_empty()
    }

    /// Refuses the image `name`, found in `place`, unless every rule that names it is met. `root` is what the name stands for,
    /// and `image` what is used of it: a signed index vouches for the images in it. Says who vouches, if that was found now.
    pub fn admit<S: Source + Sync>(
        &self,
        name: &str,
        place: &S,
        root: &Descriptor,
        image: &Descriptor,
    ) -> Result<Vec<String>, Failure> {
        let rules = self.rules(name)?;
        let mut vouching = Vec::new();
        if rules.is_empty() {
            return Ok(vouching);
        }
        let cache = StepCache::create(&self.machine.cache_dir.join(ACCEPTED))?;
        // One look, and one budget, for all rules.
        let mut found = None;
        for rule in rules {
            let key = self.key(rule, root, image)?;
            if cache.get(&key)?.is_some() {
                continue;
            }
            if found.is_none() {
                found = Some(Found::about(place, root, image)?);
            }
            let found = found.as_mut().expect("it was just made");
            let signer = self.ask(rule, name, found, image)?;
            cache.put(&key, signer.as_bytes())?;
            vouching.push(signer);
        }
        Ok(vouching)
    }

    /// The rules about an image, with their keys and roots. There are none where nothing is asked of any image, or where images that
    /// no rule names may be used; else such an image is refused, as in a build.
    pub fn opened(&self, name: &str) -> Result<Vec<ImageRule>, Failure> {
        self.rules(name)?.into_iter().map(|rule| rule.open(self.machine, self.settings)).collect()
    }

    /// The rules about an image. No rule is a refusal, unless there are none at all or kiln.toml says otherwise.
    fn rules(&self, name: &str) -> Result<Vec<&'a Rule>, Failure> {
        let full = full_name(name);
        let rules = self.about(&full)?;
        if rules.is_empty() && !self.is_open() && self.settings.unmatched == Unmatched::Refuse {
            let what = format!("use {name}: no rule of [trust] in kiln.toml is about {full}");
            return Err(Failure::new("trust.unmatched", Class::Refused, what).with_help(
                "add a [[trust.rule]] for it, or let images without a rule pass: unmatched = \"allow\"",
            ));
        }
        Ok(rules)
    }

    /// All of them, each of which must be met; the one that says most about the name first.
    fn about(&self, full: &str) -> Result<Vec<&'a Rule>, Failure> {
        let mut rules = Vec::new();
        for rule in &self.settings.rule {
            if let Some(specificity) = rule.about(full)? {
                rules.push((specificity, rule));
            }
        }
        rules.sort_by_key(|(specificity, _)| std::cmp::Reverse(*specificity));
        Ok(rules.into_iter().map(|(_, rule)| rule).collect())
    }

    /// What a verdict depends on. Only acceptance is kept, so that whoever signs later need not wait.
    fn key(&self, rule: &Rule, root: &Descriptor, image: &Descriptor) -> Result<Digest, Failure> {
        Ok(Key::new("accepted")
            .field("kiln", env!("CARGO_PKG_VERSION"))
            .field("rule", rule.inputs(self.machine, self.settings)?)
            .field("root", root.digest.to_string())
            .field("image", image.digest.to_string())
            .finish())
    }

    /// Who vouches for the image, or for the index that holds it.
    fn ask<S: Source + Sync>(
        &self,
        rule: &Rule,
        name: &str,
        found: &mut Found<'_, S>,
        image: &Descriptor,
    ) -> Result<String, Failure> {
        let rule = rule.open(self.machine, self.settings)?;
        let report = found.judged(Depth::Enough, |evidence| rule.verify(&image.digest, evidence));
        let first = report.outcomes.first().and_then(|outcome| report.statement(&outcome.predicate_type));
        match (report.is_satisfied(), first) {
            (true, Some(statement)) => Ok(format!("{name} is signed by {}", statement.signer())),
            _ => Err(refusal(name, &rule.describe(), &report)),
        }
    }
}

fn refusal(name: &str, wanted: &str, report: &TrustReport) -> Failure {
    let what = format!("use {name}: kiln.toml asks for a signature by {wanted}");
    let failure = match report.verdict() {
        Verdict::NotKnown => Failure::new("trust.not_known", Class::Content, what),
        _ => Failure::new("trust.base", Class::Refused, what),
    };
    let mut failure = failure.with_cause(missing(report));
    for (examined, rejection) in report.rejected() {
        failure = failure.with_cause(format!("{}: {}", examined.place, rejection.why));
    }
    failure.with_help(
        "`kiln verify --explain` shows everything that is there; an image in kiln's store has its signatures only if \
         `kiln pull --all` brought them",
    )
}

/// What a report lacks.
fn missing(report: &TrustReport) -> String {
    let TrustReport { image, examined, left_out, .. } = report;
    if examined.is_empty() && *left_out == 0 {
        return format!("beside {image} lies no statement at all");
    }
    let lacking = report.outcomes.iter().filter(|outcome| !outcome.found);
    let lacking: Vec<&str> = lacking.map(|outcome| outcome.name.as_str()).collect();
    let left_out = if *left_out > 0 { format!("; {left_out} were not") } else { String::new() };
    let lacking = lacking.join(", ");
    format!(
        "of {image}, nothing by them says: {lacking} (of {} that were looked at{left_out})",
        examined.len()
    )
}
