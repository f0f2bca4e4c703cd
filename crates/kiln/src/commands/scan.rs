use std::collections::BTreeSet;

use kiln_finding::{Class, Failure, Severity};
use kiln_policy::excuse;
use kiln_proof::advisories::today;
use kiln_report::{Results, Scan};
use kiln_vuln::{Database, Match, VexSource, VexTarget, apply_vex, check, plan};

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
    /// Exit with 1 if there is a vulnerability of at least this severity, and with 3 if something could not be judged
    #[arg(long, value_name = "SEVERITY", value_parser = severity)]
    fail_on: Option<Severity>,
    /// Show only these severities: a list (critical,high), or one and all above it (medium+); --fail-on sees all
    #[arg(long, value_name = "LIST", value_parser = severities)]
    severity: Option<BTreeSet<Severity>>,
    /// Leave out vulnerabilities that have no fixed version, in the output and in --fail-on
    #[arg(long)]
    only_fixed: bool,
    /// Let --fail-on pass what the advisory database does not cover and what could not be read
    #[arg(long, requires = "fail_on")]
    allow_unknown: bool,
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
        let subject = ScanTarget::open(context, image)?;
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
            scan.report.matches.retain(|found| wanted.contains(&found.severity));
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
    let mut report = check(database, &inventory)?;
    let vex_target = match subject {
        ScanTarget::Image(image) => VexTarget {
            name: Some(image.name.clone()),
            tag: image.tag.clone(),
            digests: subject.digest().into_iter().collect(),
        },
        ScanTarget::Folder { .. } | ScanTarget::Document { .. } => VexTarget::default(),
    };
    let vex = apply_vex(&mut report, &vex_target, sources);
    if args.only_fixed {
        report.matches.retain(|found| found.fixed_in().is_some());
    }
    Ok(Scan {
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

/// Whether the vulnerabilities that are left may be there.
fn gate(args: &Args, scans: &[Scan]) -> Result<Outcome, Failure> {
    let Some(threshold) = args.fail_on else { return Ok(Outcome::Fine) };
    let over: Vec<&Match> = scans.iter().flat_map(|scan| scan.report.at_least(threshold)).collect();
    if !over.is_empty() {
        output::talk(&format!("refused: {} vulnerabilities of severity {threshold} or above", over.len()));
        return Ok(Outcome::Refused);
    }
    match scans.iter().find(|scan| !scan.report.is_complete()) {
        Some(unknown) if !args.allow_unknown => {
            let what = format!("judge {}: not all of it could be read and looked up", unknown.name);
            Err(Failure::new("kiln.unknown", Class::Environment, what)
                .with_help("see \"not known\" above; pass --allow-unknown to accept it"))
        }
        _ => Ok(Outcome::Fine),
    }
}

fn severity(name: &str) -> Result<Severity, String> {
    let found = Severity::ALL.into_iter().find(|severity| severity.as_str() == name);
    found.ok_or_else(|| format!("it is none of {}", Severity::ALL.map(Severity::as_str).join(", ")))
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
