use std::path::Path;

use kiln_app::Folder;
use kiln_attest::predicate::short_name;
use kiln_executor::{Progress as _, app};
use kiln_finding::{Class, Fact, Failure};
use kiln_images::clock::made_at;
use kiln_policy::{Evidence, Scorecard, Stage, judge};
use kiln_proof::{Advice, Built, about_build, attested, seal, verify_sealed};
use kiln_report::Results;
use kiln_sign::Signer;
use kiln_store::Layout;
use kiln_trust::{Authority, Certified};

use crate::app_options::AppOptions;
use crate::build_options::BuildOptions;
use crate::command::{Command, Group};
use crate::context::Context;
use crate::database::Choice;
use crate::global::Format;
use crate::output::{self, Outcome};
use crate::outputs::Outputs;
use crate::progress::Stages;
use crate::refusal;
use crate::signing::SigningOptions;
use crate::vex;

pub(super) static COMMAND: Command<Args> = Command {
    order: 1,
    kind: Some(kiln_report::Kind::Card),
    project: |args| Some(args.project()),
    ..Command::new("ship", Group::Make, run)
};

/// Build, scan, judge, sign and verify an app's image, each step gating the next
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    options: AppOptions,
    #[command(flatten)]
    build: BuildOptions,
    #[command(flatten)]
    outputs: Outputs,
    #[command(flatten)]
    database: Choice,
    #[command(flatten)]
    signing: SigningOptions,
    /// Show all that each line of the scorecard rests on
    #[arg(long)]
    explain: bool,
}

impl Args {
    /// The folder that is built from.
    fn project(&self) -> &Path {
        &self.options.app
    }
}

fn run(args: &Args, context: &Context) -> Result<Outcome, Failure> {
    Folder::open(&args.options.app)?;
    let config = &context.config;
    let settings = config.policy()?;
    args.signing.can_be_proven(context, config)?;
    let layout = context.machine.layout()?;
    let stages = Stages::new(context.quiet);
    let built =
        app::build(&args.options.wanted(config, args.build.values()?)?, &context.machine, &layout, &stages)?;

    stages.start("scan", "reading the layers");
    let documents = vex::Statements::default().files(&config.scan)?;
    let database = args.database.open(context)?.database;
    let terms = config.database.terms();
    let advice = Advice { database: &database, terms: &terms, documents: &documents };
    let mut evidence = about_build(&context.machine, &built, &layout, advice)?;
    stages.done(&scan_summary(&evidence));

    stages.start("gate", "judging");
    let card = judge(&evidence, &settings, Stage::Built);
    if !card.passes() {
        stages.done(&format!("refused: {}", card.result()));
        stages.finish();
        return refused(&card, &built, &layout, args, context);
    }
    stages.done(&card.result());

    let is_new = args.signing.makes_key(context, config);
    let signer = args.signing.signer(context, config)?;
    let authority = signer.authority().ok_or_else(unproven)?;
    sign(&built, &evidence, &layout, (&signer, is_new), &stages)?;
    stages.start("verify", "checking what a cluster would check");
    let report = verify_sealed(&layout, &built.manifest, authority)?;
    evidence.attestations = attested(&report);
    let card = judge(&evidence, &settings, Stage::Attested);
    let who = args.signing.describe(context, &signer);
    stages.done(&format!("{} statements by {who}", report.statements.len()));
    if card.passes() {
        layout.publish_as(&built.manifest, &built.name, &built.name)?;
        args.outputs.deliver(&layout, &built.manifest, &built.name, &stages)?;
    }
    stages.finish();
    if !card.passes() {
        return refused(&card, &built, &layout, args, context);
    }
    show(&card, args, context);
    if context.format == Format::Human && !context.quiet {
        output::talk(&next(args, &built.name, &proof(&built.name, args, context, authority)));
    }
    Ok(Outcome::Fine)
}

/// Signs, unless everything required is there already and right.
fn sign(
    built: &Built,
    evidence: &Evidence,
    layout: &Layout,
    (signer, is_new): (&Signer, bool),
    stages: &Stages,
) -> Result<(), Failure> {
    stages.start("sign", "signing");
    let authority = signer.authority().ok_or_else(unproven)?;
    let _lock = layout.lock_attaching()?;
    let there = verify_sealed(layout, &built.manifest, authority)?;
    let inventory = evidence
        .inventory
        .known()
        .ok_or_else(|| Failure::new("kiln.bug", Class::Bug, "sign an image without an inventory"))?;
    let added = seal(built, inventory, signer, layout, &there, &made_at()?)?;
    let names: Vec<&str> = added.iter().map(|predicate| short_name(predicate)).collect();
    let made = match &names[..] {
        [] => "signed before, and nothing has changed".to_owned(),
        names => format!("{}{}", names.join(", "), if is_new { " with a key made now" } else { "" }),
    };
    stages.done(&format!("{made}{}", sources(built)));
    Ok(())
}

/// What the sources are, where they are known to be of a commit.
fn sources(built: &Built) -> String {
    match &built.sources {
        Fact::Known(None) => String::new(),
        Fact::Known(Some(commit)) => format!("; sources: {commit}"),
        Fact::Unknown(why) => format!("; sources: of an unknown commit ({why})"),
    }
}

fn unproven() -> Failure {
    Failure::new("kiln.bug", Class::Bug, "ship what cannot be verified")
}

fn scan_summary(evidence: &Evidence) -> String {
    let packages = evidence.inventory.known().map_or(0, |inventory| inventory.packages.len());
    let found = evidence.vulnerabilities.known().map_or(0, |report| report.matches.len());
    format!("{packages} packages, {found} known vulnerabilities")
}

/// Something is wrong, or nothing is known to be wrong but something is not known.
fn refused(
    card: &Scorecard,
    built: &Built,
    layout: &Layout,
    args: &Args,
    context: &Context,
) -> Result<Outcome, Failure> {
    refusal::keep(card, layout, &built.manifest, &built.name)?;
    show(card, args, context);
    if context.format == Format::Human && !context.quiet {
        output::talk(&refusal::told(card, &built.manifest, &built.name));
    }
    Ok(if card.has_failed() { Outcome::Refused } else { Outcome::Unknown })
}

fn show(card: &Scorecard, args: &Args, context: &Context) {
    output::results(&Results::Card(card), context.output, args.explain);
}

/// The next command to type.
fn next(args: &Args, name: &str, proof: &str) -> String {
    let run = match &args.outputs.targets[..] {
        _ if args.outputs.load => format!("docker run --rm --read-only --cap-drop ALL -P {name}"),
        [target, ..] if let Some(file) = target.docker_archive() => format!("docker load -i {file}"),
        _ => format!("kiln ship {} --load", args.options.app.display()),
    };
    format!("\n  next   {run}\n  proof  {proof}")
}

/// The command that verifies what was signed.
fn proof(name: &str, args: &Args, context: &Context, authority: &Authority) -> String {
    let Authority::Certificate(certified) = authority else {
        return format!("kiln verify {name} --key {}", quoted(&args.signing.public_path(context)));
    };
    let Certified { identity, needs_certificate_log, logs, .. } = &**certified;
    let (subject, issuer) = (&identity.subject, &identity.issuer);
    let mut command =
        format!("kiln verify {name} --certificate-identity {subject} --certificate-oidc-issuer {issuer}");
    for (is_needed, flag) in
        [(*needs_certificate_log, " --insecure-ignore-sct"), (*logs > 0, " --insecure-ignore-tlog")]
    {
        if !is_needed {
            command += flag;
        }
    }
    command
}

/// As a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_alphanumeric() || "/._-:@%+=,".contains(c);
    if text.chars().all(is_plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}
