use kiln_finding::Fact;
use kiln_pkg::Ecosystem;
use kiln_vuln::EndOfLife;

use crate::exception::excuse;
use crate::scorecard::{ImageSummary, Line, Outcome};
use crate::verdict::Judged;
use crate::{
    CHECKS, Check, Evidence, Exception, ExceptionState, ExceptionUse, PolicySettings, Scorecard, Stage,
    Verdict,
};

/// Asks every check of `settings` that can be answered at `stage`. Everything that gates an image calls this.
pub fn judge(evidence: &Evidence, settings: &PolicySettings, stage: Stage) -> Scorecard {
    let mut bench = Bench::new(evidence, settings);
    let asked = CHECKS.iter().filter(|check| check.stage <= stage && settings.asks(check.id));
    let lines = asked.map(|check| bench.line(check)).collect();
    Scorecard {
        subject: evidence.subject.clone(),
        profile: settings.profile.clone(),
        stage,
        today: evidence.today,
        summary: summary(evidence),
        lines,
        exceptions: bench.exceptions,
    }
}

/// The evidence twice: as it is, and without what exceptions answer for.
struct Bench<'a> {
    settings: &'a PolicySettings,
    evidence: &'a Evidence,
    excused: Evidence,
    exceptions: Vec<ExceptionUse>,
}

impl<'a> Bench<'a> {
    fn new(evidence: &'a Evidence, settings: &'a PolicySettings) -> Self {
        let mut excused = evidence.clone();
        let report = match &mut excused.vulnerabilities {
            Fact::Known(report) => Some(report),
            Fact::Unknown(_) => None,
        };
        let mut exceptions = excuse(report, &settings.exceptions, &evidence.subject.name, evidence.today);
        // Whether one was needed, the checks will show.
        for used in exceptions.iter_mut().filter(|used| used.state == ExceptionState::Applied) {
            used.state = ExceptionState::Unused;
        }
        Self { settings, evidence, excused, exceptions }
    }

    fn line(&mut self, check: &Check) -> Line {
        let judged = (check.check)(self.evidence, self.settings);
        let Ok(Verdict::Fail { reason, .. }) = &judged else { return line(check, judged) };
        let by_check = self.excuse(|exception, name| exception.excuses_check(check.id, name));
        if !by_check.is_empty() {
            return excepted(check, reason, &by_check);
        }
        let rest = (check.check)(&self.excused, self.settings);
        if rest == judged {
            return line(check, judged);
        }
        let report = self.evidence.vulnerabilities.known();
        let by_match = self.excuse(|exception, name| {
            report.is_some_and(|report| report.matches.iter().any(exception.excuses_match(name)))
        });
        match rest {
            Ok(Verdict::Pass { .. } | Verdict::NotApplicable(_)) => excepted(check, reason, &by_match),
            rest => line(check, rest),
        }
    }

    /// Marks the open exceptions that `excuses` picks as applied, and yields them.
    fn excuse(&mut self, excuses: impl Fn(&Exception, &str) -> bool) -> Vec<Exception> {
        let name = &self.evidence.subject.name;
        let mut picked = Vec::new();
        for used in self.exceptions.iter_mut().filter(|used| used.is_open()) {
            if excuses(&used.exception, name) {
                used.state = ExceptionState::Applied;
                picked.push(used.exception.clone());
            }
        }
        picked
    }
}

impl ExceptionUse {
    fn is_open(&self) -> bool {
        self.state != ExceptionState::Expired
    }
}

fn line(check: &Check, judged: Judged) -> Line {
    let mut more = Vec::new();
    let (outcome, reason, cure) = match judged {
        Ok(Verdict::Pass { reason, details }) => {
            more = details;
            (Outcome::Pass, reason, None)
        }
        Ok(Verdict::NotApplicable(reason)) => (Outcome::NotApplicable, reason, None),
        Ok(Verdict::Fail { reason, cure }) => (Outcome::Fail, reason, Some(cure)),
        Err(unknown) => (Outcome::Unknown, unknown.why, Some(unknown.cure)),
    };
    Line { id: check.id.to_owned(), title: check.title.to_owned(), outcome, reason, details: more, cure }
}

fn excepted(check: &Check, reason: &str, by: &[Exception]) -> Line {
    let by: Vec<String> = by
        .iter()
        .map(|exception| {
            format!(
                "{} by {} until {}: {}",
                exception.id, exception.owner, exception.expires, exception.reason
            )
        })
        .collect();
    let reason = format!("{reason}; excepted: {}", by.join("; "));
    Line {
        id: check.id.to_owned(),
        title: check.title.to_owned(),
        outcome: Outcome::Excepted,
        reason,
        details: Vec::new(),
        cure: None,
    }
}

fn summary(evidence: &Evidence) -> ImageSummary {
    let mut summary = ImageSummary {
        size: evidence.size.known().copied(),
        base: evidence.base.known().map(|base| base.name.clone()),
        ..ImageSummary::default()
    };
    if let Some(inventory) = evidence.inventory.known() {
        summary.node = inventory.node().map(|node| node.version.clone()).collect();
        let counted = Ecosystem::ALL.into_iter().filter(|ecosystem| *ecosystem != Ecosystem::Node);
        let counted = counted.map(|ecosystem| (ecosystem, inventory.of(ecosystem).count()));
        summary.packages = counted.filter(|(_, count)| *count > 0).collect();
    }
    if let Some(report) = evidence.vulnerabilities.known() {
        summary.vulnerabilities = Some(report.counts().into_iter().filter(|(_, count)| *count > 0).collect());
        summary.advisories = report.as_of;
        summary.covered = report.is_complete();
        summary.stale = report.stale().next().is_some();
        summary.end_of_life = report.end_of_life.iter().map(EndOfLife::name).collect();
    }
    summary
}
