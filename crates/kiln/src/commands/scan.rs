use std::collections::BTreeSet;

use kiln_finding::{Class, Failure, Severity};
use kiln_oci::Platform;
use kiln_policy::excuse;
use kiln_proof::advisories::today;
use kiln_report::{Results, Scan};
use kiln_vuln::{Condition, Database, Gate, GateVerdict, Open, VexSource, VexTarget, apply_vex, check, plan};

use crate::command::{Command, Group};
use crate::context::Context;
use crate::output::{self, Outcome};
use crate::target::ScanTarget;
use crate::{database, vex};

pub(super) static COMMAND: Command<Args> =
    Command { order: 1, kind: Some(kiln_report::Kind::Scan), ..Command::new("scan", Group::Look, run) };

/// Find packages, vulnerabilities and credentials
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Images: a name in kiln's store, registry.example/team/app:1, oci:DIR[:TAG], oci-archive:FILE[:TAG],
    /// docker-archive:FILE[:NAME], or docker:NAME; a folder; sbom:FILE
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<String>,
    /// Of an image for several platforms, the one for this, as linux/arm64; by default this machine's
    #[arg(long, value_name = "OS/ARCH[/VARIANT]")]
    platform: Option<Platform>,
    /// Exit with 1 if there is a vulnerability of at least this severity, and with 3 if something could not be judged. Or any of a
    /// list: a severity, kev (exploited in the wild), malware, epss>0.5, fixable
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    fail_on: Vec<Condition>,
    /// The severity of vulnerabilities that nobody has judged; without it, they end with 3
    #[arg(long, value_name = "SEVERITY", requires = "fail_on", value_parser = severity)]
    unknown_severity: Option<Severity>,
    /// Show only these severities: a list (critical,high), or one and all above it (medium+); --fail-on sees all
    #[arg(long, value_name = "LIST", value_parser = severities)]
    severity: Option<BTreeSet<Severity>>,
    /// Leave out vulnerabilities that have no fixed version, in the output and in --fail-on
    #[arg(long)]
    only_fixed: bool,
    /// Let --fail-on pass what is not known: all of it, or a list of severity, epss, coverage, end-of-life,
    /// unread, bundle
    #[arg(long, value_name = "LIST", requires = "fail_on", require_equals = true, num_args = 0..=1, default_missing_value = "all",
        value_parser = open)]
    allow_unknown: Option<BTreeSet<Open>>,
    /// Show the smallest set of changes, and what remains after it
    #[arg(long)]
    fix_plan: bool,
    #[command(flatten)]
    vex: vex::Statements,
    /// Say of each VEX statement what became of it
    #[arg(long)]
    explain_vex: bool,
    #[command(flatten)]
    database: database::Choice,
}

fn run(args: &Args, context: &Context) -> Result<Outcome, Failure> {
    if context.output.holds_one && args.images.len() > 1 {
        return Err(Failure::usage("write the scans of several images in this format: it holds one")
            .with_help("scan one image at a time, or use --format json"));
    }
    let config = &context.config;
    let exceptions = config.policy()?.exceptions;
    let documents = args.vex.files(&config.scan)?;
    let database = args.database.open(context)?.database;
    let mut scans = Vec::new();
    for image in &args.images {
        let subject = ScanTarget::open(context, image, args.platform.as_ref())?;
        let (mut sources, unverified) = args.vex.attested(&config.scan, &subject, context)?;
        sources.extend(documents.iter().cloned());
        let mut scan = scan(args, &database, &subject, &sources, context)?;
        scan.vex_unverified = unverified;
        scan.exceptions = excuse(Some(&mut scan.report), &exceptions, &scan.name, today());
        if args.fix_plan {
            scan.plan = Some(plan(&database, &scan.inventory, &scan.report)?);
        }
        scans.push(scan);
    }
    let outcome = gate(args, &scans);
    if let Some(wanted) = &args.severity {
        for scan in &mut scans {
            scan.hide(|found| wanted.contains(&found.severity));
        }
    }
    output::results(&Results::Scans(&scans), context.output, args.explain_vex);
    outcome
}

fn scan(
    args: &Args,
    database: &Database<'_>,
    subject: &ScanTarget,
    sources: &[VexSource],
    context: &Context,
) -> Result<Scan, Failure> {
    let inventory = subject.inventory(context)?;
    let mut report = check(database, &inventory, &context.config.database.terms())?;
    let vex_target = match subject {
        ScanTarget::Image(image) => VexTarget {
            name: Some(image.name.clone()),
            tag: image.tag.clone(),
            digests: subject.digest().into_iter().collect(),
        },
        ScanTarget::Folder { .. } | ScanTarget::Document { .. } => VexTarget::default(),
    };
    let vex = apply_vex(&mut report, &vex_target, sources);
    let mut hidden = Vec::new();
    if args.only_fixed {
        let (fixed, others) = report.matches.into_iter().partition(|found| found.fixed_in().is_some());
        (report.matches, hidden) = (fixed, others);
    }
    Ok(Scan {
        hidden,
        asked: asked(args),
        name: subject.text().to_owned(),
        digest: subject.digest(),
        inventory,
        report,
        vex,
        vex_unverified: 0,
        exceptions: Vec::new(),
        plan: None,
    })
}

/// What is asked for, where that is not everything.
fn asked(args: &Args) -> Option<String> {
    let severities = args.severity.as_ref().map(|wanted| {
        let names: Vec<&str> = wanted.iter().rev().map(|severity| severity.as_str()).collect();
        format!("of severity {}", names.join(" or "))
    });
    let fixed = args.only_fixed.then(|| "with a fix".to_owned());
    let parts: Vec<String> = severities.into_iter().chain(fixed).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// Whether the vulnerabilities that are left may be there.
fn gate(args: &Args, scans: &[Scan]) -> Result<Outcome, Failure> {
    let gate = Gate {
        conditions: args.fail_on.clone(),
        unknown_severity: args.unknown_severity,
        allowed: args.allow_unknown.clone().unwrap_or_default(),
    };
    match gate.judge(scans.iter().map(|scan| &scan.report)) {
        GateVerdict::Passed => Ok(Outcome::Fine),
        GateVerdict::Refused(found) => {
            let noun = if found.len() == 1 { "vulnerability" } else { "vulnerabilities" };
            output::talk(&format!("refused: {} {noun} that --fail-on names", found.len()));
            Ok(Outcome::Refused)
        }
        GateVerdict::Open(open) => {
            let counts: Vec<String> = open.iter().map(|(kind, count)| kind.describe(*count)).collect();
            let names: Vec<&str> = scans.iter().map(|scan| scan.name.as_str()).collect();
            let kinds: Vec<&str> = open.iter().map(|(kind, _)| kind.as_str()).collect();
            let what = format!("judge {}, with {}", names.join(", "), counts.join(", "));
            let mut help = format!("--allow-unknown={} accepts it", kinds.join(","));
            if kinds.contains(&"severity") {
                help = format!(
                    "--unknown-severity SEVERITY says how much such a vulnerability counts, or {help}"
                );
            }
            Err(Failure::new("kiln.unknown", Class::Environment, what).with_help(help))
        }
    }
}

/// `all`, or a list of kinds.
fn open(text: &str) -> Result<BTreeSet<Open>, String> {
    if text == "all" {
        return Ok(Open::ALL.into());
    }
    let kind = |name: &str| Open::ALL.into_iter().find(|open| open.as_str() == name.trim());
    let known = || format!("it is none of all, {}", Open::ALL.map(Open::as_str).join(", "));
    text.split(',').map(|name| kind(name).ok_or_else(known)).collect()
}

fn severity(name: &str) -> Result<Severity, String> {
    Severity::named(name)
        .ok_or_else(|| format!("it is none of {}", Severity::ALL.map(Severity::as_str).join(", ")))
}

/// `critical,high`, or `medium+`.
fn severities(text: &str) -> Result<BTreeSet<Severity>, String> {
    match text.strip_suffix('+') {
        Some(least) => {
            let least = severity(least)?;
            Ok(Severity::ALL.into_iter().filter(|severity| *severity >= least).collect())
        }
        None => text.split(',').map(str::trim).map(severity).collect(),
    }
}
