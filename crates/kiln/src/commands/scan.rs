use clap::ValueEnum;
use kiln_finding::{Class, Severity};
use kiln_pkg::{Ecosystem, Inventory};
use kiln_vuln::{Covered, Fix, Match, Report, check};
use serde_json::json;

use crate::args::Format;
use crate::context::Context;
use crate::database::{Choice, today};
use crate::failure::Failure;
use crate::output::{self, Outcome, Table};
use crate::subject::Subject;

/// Find packages, vulnerabilities and credentials in images
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Images: a name in kiln's store, oci:DIR[:TAG], or registry.example/team/app:1
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<String>,
    /// Exit with 1 if there is a vulnerability of at least this severity, and with 3 if something could not be judged
    #[arg(long, value_name = "SEVERITY")]
    fail_on: Option<Threshold>,
    /// Leave out vulnerabilities that have no fixed version, in the output and in --fail-on
    #[arg(long)]
    only_fixed: bool,
    /// Let --fail-on pass what the advisory database does not cover and what could not be read
    #[arg(long, requires = "fail_on")]
    allow_unknown: bool,
    #[command(flatten)]
    database: Choice,
}

#[derive(Clone, Copy, ValueEnum)]
enum Threshold {
    Unknown,
    Negligible,
    Low,
    Medium,
    High,
    Critical,
}

impl Threshold {
    fn severity(self) -> Severity {
        match self {
            Self::Unknown => Severity::Unknown,
            Self::Negligible => Severity::Negligible,
            Self::Low => Severity::Low,
            Self::Medium => Severity::Medium,
            Self::High => Severity::High,
            Self::Critical => Severity::Critical,
        }
    }
}

struct Scanned {
    subject: Subject,
    inventory: Inventory,
    report: Report,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Outcome, Failure> {
    let database = args.database.open(context)?.database;
    let mut scanned = Vec::new();
    for image in &args.images {
        let subject = Subject::open(context, image)?;
        let inventory = subject.inventory(context)?;
        let mut report = check(&database, &inventory)?;
        if args.only_fixed {
            report.matches.retain(|found| found.fixed_in().is_some());
        }
        scanned.push(Scanned { subject, inventory, report });
    }
    match context.format {
        Format::Human => scanned.iter().for_each(show),
        Format::Json => output::data(&json!(scanned.iter().map(as_json).collect::<Vec<_>>()).to_string()),
    }
    gate(args, &scanned)
}

fn gate(args: &Args, scanned: &[Scanned]) -> Result<Outcome, Failure> {
    let Some(threshold) = args.fail_on.map(Threshold::severity) else { return Ok(Outcome::Fine) };
    let over = scanned.iter().map(|scanned| scanned.report.at_least(threshold).count()).sum::<usize>();
    if over > 0 {
        output::talk(&format!("refused: {over} vulnerabilities of severity {threshold} or above"));
        return Ok(Outcome::Refused);
    }
    match scanned.iter().find(|scanned| !scanned.report.is_complete()) {
        Some(unknown) if !args.allow_unknown => {
            let what = format!("judge {}: not all of it could be read and looked up", unknown.subject.text);
            Err(Failure::new("kiln.unknown", Class::Environment, what)
                .with_help("see \"not known\" above; pass --allow-unknown to accept it"))
        }
        _ => Ok(Outcome::Fine),
    }
}

fn as_json(scanned: &Scanned) -> serde_json::Value {
    let (inventory, report) = (&scanned.inventory, &scanned.report);
    json!({
        "image": {"name": scanned.subject.text, "digest": scanned.subject.image.descriptor.digest},
        "distro": inventory.distro,
        "packages": inventory.packages,
        "interests": inventory.interests,
        "secrets": inventory.secrets,
        "complete": report.is_complete(),
        "age_days": report.as_of.map(|as_of| as_of.age(today())),
        "report": report,
    })
}

fn show(scanned: &Scanned) {
    let (inventory, report) = (&scanned.inventory, &scanned.report);
    output::data(&format!("{} ({})", scanned.subject.text, scanned.subject.image.descriptor.digest));
    output::data(&contents(inventory));
    if !report.matches.is_empty() {
        let mut table = Table::new(&["SEVERITY", "ID", "PACKAGE", "INSTALLED", "FIXED IN"]);
        report.matches.iter().for_each(|found| table.row(row(found)));
        output::data(&table.render());
    }
    for secret in &inventory.secrets {
        let deleted = if secret.deleted { ", deleted later but still in the image" } else { "" };
        output::data(&format!(
            "credential: {} in {}: {}{deleted}",
            secret.rule, secret.place.path, secret.shown
        ));
    }
    show_unknown(report);
    output::data(&summary(report));
}

fn row(found: &Match) -> Vec<String> {
    let known = if found.known_exploited { " (exploited)" } else { "" };
    let fix = match &found.fix {
        Fix::Version { version } => version.as_str(),
        Fix::None => "none yet",
        Fix::WontFix => "will not be fixed",
        Fix::Unknown => "not known",
    };
    vec![
        format!("{}{known}", found.severity),
        found.id.clone(),
        format!("{} ({})", found.name, found.ecosystem),
        found.version.clone(),
        fix.to_owned(),
    ]
}

fn contents(inventory: &Inventory) -> String {
    let count = |ecosystem| inventory.of(ecosystem).count();
    let mut parts: Vec<String> = [Ecosystem::Deb, Ecosystem::Apk, Ecosystem::Npm]
        .into_iter()
        .filter(|ecosystem| count(*ecosystem) > 0)
        .map(|ecosystem| format!("{} {ecosystem} packages", count(ecosystem)))
        .collect();
    parts.extend(inventory.node().map(|node| format!("Node.js {}", node.version)));
    let distro =
        inventory.distro.as_ref().map_or_else(|| "no distribution".to_owned(), kiln_pkg::Distro::tag);
    let text =
        format!("{distro}: {}", if parts.is_empty() { "no packages".to_owned() } else { parts.join(", ") });
    text + &interests(inventory)
}

/// A line per kind of file of interest, each after a line end.
fn interests(inventory: &Inventory) -> String {
    let mut kinds: Vec<_> = inventory.interests.iter().map(|interest| interest.kind).collect();
    kinds.dedup();
    let line = |kind| {
        let here = inventory.interests.iter().filter(|interest| interest.kind == kind);
        let shown = |interest: &kiln_pkg::Interest| {
            let deleted = if interest.deleted { " (deleted later but still in the image)" } else { "" };
            format!("{}{deleted}", interest.place.path)
        };
        let paths: Vec<String> = here.map(shown).collect();
        let more = if paths.len() > 5 { format!(" and {} more", paths.len() - 5) } else { String::new() };
        let first = paths.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
        format!("\n{}: {first}{more}", kind.as_str())
    };
    kinds.into_iter().map(line).collect()
}

fn show_unknown(report: &Report) {
    for coverage in &report.coverage {
        let what = format!("{} {} packages {}", coverage.packages, coverage.ecosystem, coverage.release);
        match &coverage.covered {
            Covered::Full { .. } => {}
            Covered::Partial { why, .. } | Covered::None { why } => {
                output::data(&format!("not known: {}: {why}", what.trim_end()));
            }
        }
    }
    for unread in &report.unread {
        output::data(&format!(
            "not known: {} could not be read ({}): {}",
            unread.path, unread.reader, unread.why
        ));
    }
}

fn summary(report: &Report) -> String {
    let counts: Vec<String> = report
        .counts()
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(severity, count)| {
            format!(
                "{count} {}",
                if severity == Severity::Unknown { "not judged" } else { severity.as_str() }
            )
        })
        .collect();
    let found = if counts.is_empty() { "no known vulnerabilities".to_owned() } else { counts.join(", ") };
    let found = if report.is_complete() { found } else { format!("{found}; not everything is known") };
    match report.as_of {
        Some(as_of) => format!("{found} (advisories as of {as_of}, {} days old)", as_of.age(today())),
        None => found,
    }
}
