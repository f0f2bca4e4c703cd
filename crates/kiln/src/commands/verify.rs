use kiln_attest::predicate;
use kiln_finding::Failure;
use kiln_images::clock::now;
use kiln_images::{NamedImage, Prefer};
use kiln_oci::Platform;
use kiln_proof::{Depth, Found, Gate, REQUIRED, predicate_type};
use kiln_report::{Results, Trust};
use kiln_trust::{ImageRule, Matcher, Requirement, Rule, TrustReport, Verdict};

use crate::authority::AuthorityOptions;
use crate::command::{Command, Group};
use crate::context::Context;
use crate::output::{self, Outcome};

pub(super) static COMMAND: Command<Args> =
    Command { order: 3, kind: Some(kiln_report::Kind::Trust), ..Command::new("verify", Group::Sign, run) };

/// Check the signature of an image and the statements made about it
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Image: a name in kiln's store, registry.example/team/app:1, oci:DIR[:TAG], oci-archive:FILE[:TAG]
    image: String,
    /// Of an image for several platforms, the one for this, as linux/arm64; by default this machine's. What is said of the whole
    /// counts for it, too
    #[arg(long, value_name = "OS/ARCH[/VARIANT]")]
    platform: Option<Platform>,
    #[command(flatten)]
    authority: AuthorityOptions,
    /// Statement that must be there: signature, spdx, cyclonedx, provenance, scan, openvex, or a predicate type; by
    /// default what a rule of kiln.toml says of the image, without rules signature, spdx, cyclonedx and provenance
    #[arg(long = "require", value_name = "TYPE")]
    required: Vec<String>,
    /// Require provenance by this builder
    #[arg(long, value_name = "URI")]
    builder_id: Option<String>,
    /// Require provenance from sources of this repository
    #[arg(long, value_name = "URL")]
    source_repository: Option<String>,
    /// Require a scan for vulnerabilities that is no older
    #[arg(long, value_name = "DAYS")]
    max_scan_age: Option<u64>,
    /// Require a scan for vulnerabilities without critical findings
    #[arg(long)]
    no_critical: bool,
    /// Show everything that was looked at, and what came of it
    #[arg(long)]
    explain: bool,
}

fn run(args: &Args, context: &Context) -> Result<Outcome, Failure> {
    let rules = rules(args, context)?;
    let subject = NamedImage::open(&context.machine, &args.image, Prefer::Registry, args.platform.as_ref())?;
    context.say_note(subject.note.as_deref());
    let image = &subject.image.descriptor;
    let mut found = Found::about(subject.place(), &subject.root, image)?;
    let asked: Vec<String> = rules.iter().map(ImageRule::explain).collect();
    let depth = if args.explain { Depth::All } else { Depth::Enough };
    let report = found.judged(depth, |evidence| {
        let reports = rules.iter().map(|rule| rule.verify(&image.digest, evidence));
        reports.reduce(TrustReport::and).expect("there is a rule")
    });
    let trust = Trust { report: &report, root: &subject.root.digest, asked: &asked };
    output::results(&Results::Trust(&trust), context.output, args.explain);
    Ok(match report.verdict() {
        Verdict::Met => Outcome::Fine,
        Verdict::Refused => Outcome::Refused,
        Verdict::NotKnown => Outcome::Unknown,
    })
}

/// Who must have signed what: as the command line says; else as the rules of kiln.toml about the image do; else, where there are no
/// rules or images without one may be used, kiln's own key.
/// What must be there is what the command line asks for, if it asks for anything.
fn rules(args: &Args, context: &Context) -> Result<Vec<ImageRule>, Failure> {
    let required = requirements(args)?;
    let config = &context.config;
    if args.authority.is_unset() {
        let opened = Gate::new(&context.machine, &config.trust).opened(&args.image);
        let mut rules = opened.map_err(|failure| unnamed(failure, &args.image))?;
        if let (Some(required), false) = (&required, rules.is_empty()) {
            for rule in &mut rules {
                rule.required.clone_from(required);
            }
        }
        if !rules.is_empty() {
            return Ok(rules);
        }
    }
    let authorities = vec![args.authority.authority(context, config)?];
    let required = required.unwrap_or_else(|| REQUIRED.map(Requirement::of).into());
    Ok(vec![ImageRule { images: Vec::new(), authorities, required }])
}

/// A refusal where there are rules, and none is about the image: kiln's own key is nobody whom they name.
fn unnamed(failure: Failure, image: &str) -> Failure {
    if failure.code != "trust.unmatched" {
        return failure;
    }
    failure.with_help(format!(
        "add a [[trust.rule]] for {image}, say here who must have signed it (--key FILE, or --certificate-identity), or let images without a \
         rule pass: unmatched = \"allow\""
    ))
}

/// What is asked of each type of statement, if anything is. A rule asks for its type, too.
fn requirements(args: &Args) -> Result<Option<Vec<Requirement>>, Failure> {
    let mut required: Vec<Requirement> = Vec::new();
    for name in &args.required {
        required.push(Requirement::of(&predicate_type(name)?));
    }
    for (wanted, rule) in predicates(args)? {
        match required.iter_mut().find(|requirement| requirement.predicate_type == wanted) {
            Some(requirement) => requirement.rules.push(rule),
            None => {
                required.push(Requirement { rules: vec![rule], ..Requirement::of(wanted) });
            }
        }
    }
    Ok((!required.is_empty()).then_some(required))
}

fn predicates(args: &Args) -> Result<Vec<(&'static str, Rule)>, Failure> {
    let (mut rules, now) = (Vec::new(), now().cast_unsigned());
    if let Some(builder) = &args.builder_id {
        rules.push((predicate::PROVENANCE, Rule::Builder(Matcher::exact(builder)?)));
    }
    if let Some(repository) = &args.source_repository {
        rules.push((predicate::PROVENANCE, Rule::Source(Matcher::exact(repository)?)));
    }
    if let Some(days) = args.max_scan_age {
        let rule = Rule::MaxAge { seconds: days.saturating_mul(86_400), now };
        rules.push((predicate::VULNERABILITIES, rule));
    }
    if args.no_critical {
        rules.push((predicate::VULNERABILITIES, Rule::NoCritical { now }));
    }
    Ok(rules)
}
