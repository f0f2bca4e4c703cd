use kiln_finding::{Class, Fact};
use kiln_image::Image;
use kiln_oci::Descriptor;
use kiln_policy::{Attested, Evidence, Scorecard, Settings, Size, Stage, Subject, judge};
use kiln_store::Layout;
use kiln_trust::Report;
use kiln_vuln::Date;

use crate::args::Format;
use crate::build::{self, Options};
use crate::clock::{now, timestamp};
use crate::config::Config;
use crate::context::Context;
use crate::database::Choice;
use crate::failure::Failure;
use crate::output::{self, Outcome};
use crate::progress::Stages;
use crate::ship::{self, Keys, Target};
use crate::subject;

/// Build, scan, judge, sign and verify an app's image, each step gating the next
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    options: Options,
    /// Write the image here too: oci:DIR or docker-archive:FILE
    #[arg(long, short, value_name = "TARGET")]
    output: Vec<Target>,
    /// Load the image into the Docker daemon too
    #[arg(long)]
    load: bool,
    #[command(flatten)]
    database: Choice,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Outcome, Failure> {
    let config = Config::read(context, &args.options.app)?;
    let settings = config.policy()?;
    let layout = Layout::create(&context.store())?;
    let stages = Stages::new(context.quiet);
    let built = build::build(&args.options, &config, context, &layout, &stages)?;

    stages.start("scan", "reading the layers");
    let mut evidence = evidence(&built, &layout, &args.database, context)?;
    stages.done(&scan_summary(&evidence));

    stages.start("gate", "judging");
    let card = judge(&evidence, &settings, Stage::Built);
    if !card.passes() {
        stages.done(&format!("refused: {}", card.summary()));
        stages.finish();
        show(&card, context);
        return Ok(refusal(&card));
    }
    stages.done(&card.summary());

    sign(&built, &evidence, &layout, context, &stages)?;
    stages.start("verify", "checking what a cluster would check");
    let keys = Keys::local(context);
    let report = ship::verify(&layout, &built.manifest, keys.public()?)?;
    evidence.attestations = Fact::Known(attested(&report));
    let card = judge(&evidence, &settings, Stage::Attested);
    stages.done(&format!("{} statements by {}", report.statements.len(), keys.public_path().display()));
    if card.passes() {
        layout.publish_as(&built.manifest, &built.name, &built.name)?;
        deliver(args, &layout, &built.manifest, &built.name, &stages)?;
    }
    stages.finish();
    show(&card, context);
    if !card.passes() {
        return Ok(refusal(&card));
    }
    if context.format == Format::Human && !context.quiet {
        output::talk(&next(args, &built.name, &keys));
    }
    Ok(Outcome::Fine)
}

fn evidence(
    built: &build::Outcome,
    layout: &Layout,
    database: &Choice,
    context: &Context,
) -> Result<Evidence, Failure> {
    let image = Image::read(layout, &built.manifest)?;
    let inventory = subject::inventory(&image, layout, context)?;
    let database = database.open(context)?.database;
    let report = kiln_vuln::check(&database, &inventory)?;
    let seconds = now();
    Ok(Evidence {
        subject: Subject {
            name: built.name.clone(),
            digest: built.manifest.digest,
            platform: format!("linux/{}", built.arch),
        },
        today: Date::from_unix(seconds.cast_unsigned()),
        size: Fact::Known(Size { compressed: image.compressed_size(), layers: image.manifest.layers.len() }),
        config: Fact::Known(image.config),
        inventory: Fact::Known(inventory),
        vulnerabilities: Fact::Known(report),
        lock: ship::lock_facts(&built.project.facts),
        base: ship::base(&built.base),
        archive: ship::archive(&built.lock, seconds),
        attestations: Fact::Unknown("the image is not signed yet".to_owned()),
    })
}

/// Signs, unless everything required is there already and right.
fn sign(
    built: &build::Outcome,
    evidence: &Evidence,
    layout: &Layout,
    context: &Context,
    stages: &Stages,
) -> Result<(), Failure> {
    stages.start("sign", "signing");
    let keys = Keys::local(context);
    if keys.public_path().exists() && ship::verify(layout, &built.manifest, keys.public()?)?.is_satisfied() {
        stages.done("signed before, and nothing has changed");
        return Ok(());
    }
    let (key, is_new) = keys.open_or_make()?;
    let inventory = evidence
        .inventory
        .known()
        .ok_or_else(|| Failure::new("kiln.bug", Class::Bug, "sign an image without an inventory"))?;
    ship::seal(built, inventory, &key, layout, &timestamp())?;
    let made = if is_new { " with a key made now" } else { "" };
    stages.done(&format!("signature, SPDX, CycloneDX, SLSA provenance{made}"));
    Ok(())
}

fn attested(report: &Report) -> Vec<Attested> {
    let right = report.statements.iter().map(|statement| Attested {
        predicate_type: statement.get().predicate_type.clone(),
        verified: true,
        detail: statement.signer().to_string(),
    });
    let wrong = report.rejected().map(|(_, rejected)| Attested {
        predicate_type: String::new(),
        verified: false,
        detail: rejected.why.clone(),
    });
    right.chain(wrong).collect()
}

fn deliver(
    args: &Args,
    layout: &Layout,
    image: &Descriptor,
    name: &str,
    stages: &Stages,
) -> Result<(), Failure> {
    for target in &args.output {
        stages.start("write", "writing");
        let place = ship::write(target, layout, image, name)?;
        stages.done(&place);
    }
    if args.load {
        stages.start("load", "sending the image to the Docker daemon");
        ship::write(&Target::daemon(), layout, image, name)?;
        stages.done(&format!("{name} is in the Docker daemon"));
    }
    Ok(())
}

fn scan_summary(evidence: &Evidence) -> String {
    let packages = evidence.inventory.known().map_or(0, |inventory| inventory.packages.len());
    let found = evidence.vulnerabilities.known().map_or(0, |report| report.matches.len());
    format!("{packages} packages, {found} known vulnerabilities")
}

/// Something is wrong, or nothing is known to be wrong but something is not known.
fn refusal(card: &Scorecard) -> Outcome {
    if card.has_failed() { Outcome::Refused } else { Outcome::Unknown }
}

fn show(card: &Scorecard, context: &Context) {
    output::data(output::scorecard(card, context.format).trim_end());
}

/// The next command to type.
fn next(args: &Args, name: &str, keys: &Keys) -> String {
    let run = match &args.output[..] {
        _ if args.load => format!("docker run --rm --read-only --cap-drop ALL -P {name}"),
        [target, ..] if let Some(file) = target.docker_archive() => format!("docker load -i {file}"),
        _ => format!("kiln ship {} --load", args.options.app.display()),
    };
    format!("\n  next   {run}\n  proof  kiln verify {name} --key {}", keys.public_path().display())
}

impl Config {
    pub(super) fn policy(&self) -> Result<Settings, Failure> {
        Ok(Settings::new(&self.policy, self.exception.clone())?)
    }
}
