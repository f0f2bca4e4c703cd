use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use kiln_fetch::{Downloader, Options};
use kiln_finding::{Class, Failure};
use kiln_images::clock::timestamp;
use kiln_proof::Keys;
use kiln_proof::advisories::{Change, DATABASE_MAX, Opened, Origin, Provenance, today};
use kiln_sign::Signer;
use kiln_vuln::Database;
use kiln_vuln::build::{Builder, Recognised};
use serde_json::json;

use crate::command::{Command, Group};
use crate::context::Context;
use crate::database::{self, Choice, Documents};
use crate::global::Format;
use crate::output::{self, Outcome};

pub(super) static COMMAND: Command<Args> = Command { order: 1, ..Command::new("db", Group::Machine, run) };

/// The advisory database: its state, and how it is updated, built and published
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Show which database is used, what it covers and how old it is
    Status(Status),
    /// Bring advisories from where kiln.toml says
    Update(Update),
    /// Compile feeds to a database: OSV exports, Node.js core, secdb, Debian's tracker, KEV, EPSS
    Build(Build),
    /// Publish a database as a signed OCI artifact
    Publish(Publish),
}

#[derive(clap::Args)]
struct Status {
    #[command(flatten)]
    choice: Choice,
}

#[derive(clap::Args)]
struct Update {
    /// Address of a feed or of a compiled database, or an artifact as oci://REFERENCE; by default [database] from of kiln.toml
    #[arg(long, value_name = "URL")]
    from: Vec<String>,
    /// Public key that must have signed an artifact
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Accept a database that has far fewer advisories than the one in use
    #[arg(long)]
    force: bool,
}

#[derive(clap::Args)]
struct Build {
    /// Files, folders and archives with feeds; what each is, its content says
    #[arg(long, required = true, num_args = 1.., value_name = "PATH")]
    from: Vec<PathBuf>,
    /// Where the database is written
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
}

#[derive(clap::Args)]
struct Publish {
    /// Where it goes: registry.example/team/advisories:latest, or oci:DIR:TAG
    reference: String,
    #[command(flatten)]
    choice: Choice,
}

fn run(args: &Args, context: &Context) -> Result<Outcome, Failure> {
    match &args.action {
        Action::Status(args) => status(&args.choice.open(context)?, context),
        Action::Update(args) => update(args, context)?,
        Action::Build(args) => build(args, context)?,
        Action::Publish(args) => publish(args, context)?,
    }
    Ok(Outcome::Fine)
}

fn build(args: &Build, context: &Context) -> Result<(), Failure> {
    let mut builder = Builder::default();
    Documents::each(&args.from, &mut |document| add(&mut builder, document, context))?;
    let bytes = builder.finish(today())?;
    kiln_store::write_output(&args.output, &bytes, kiln_store::Links::Replaced)?;
    show_new(&bytes, &args.output, context)
}

/// Adds what is a feed. What was found beside feeds and is something else is left out, and said.
fn add(builder: &mut Builder, document: &database::Document<'_>, context: &Context) -> Result<(), Failure> {
    if Builder::recognise(document.bytes) == Recognised::Other && !document.is_named {
        if !context.quiet {
            output::talk(&format!("left out: {} is no advisory feed", document.name));
        }
        return Ok(());
    }
    let added = builder.add(document.name, document.bytes, document.date)?;
    if added.records == 0 && !context.quiet {
        output::talk(&format!(
            "left out: {} ({}) is about nothing that kiln finds",
            document.name, added.what
        ));
    }
    Ok(())
}

fn update(args: &Update, context: &Context) -> Result<(), Failure> {
    let config = &context.config.database;
    let from = if args.from.is_empty() { &config.from } else { &args.from };
    if from.is_empty() {
        return Err(Failure::new(
            "db.nowhere",
            Class::Config,
            "update the advisories: no place to get them from is known",
        )
        .with_help(
            "name one: --from URL, or [database] from in kiln.toml; the database inside kiln stays in use",
        ));
    }
    // Before the download, so that of two updates at the same time the second finds the work of the first.
    let change = Change::begin(&context.machine)?;
    let mut signed_by = None;
    let bytes = match &from[..] {
        [one] if let Some(name) = one.strip_prefix("oci://") => {
            let signed = config.signed(args.key.as_ref(), &context.machine)?;
            signed_by = Some(signed.path.display().to_string());
            kiln_proof::advisories::pull(&context.machine, name, &signed)?
        }
        from => fetch(from, context)?,
    };
    let provenance = |checksum| Provenance { from: from.clone(), at: timestamp(), signed_by, checksum };
    let path = change.install(&context.machine, &bytes, provenance, args.force)?;
    show_new(&bytes, &path, context)
}

/// A compiled database, or one made of feeds.
fn fetch(from: &[String], context: &Context) -> Result<Vec<u8>, Failure> {
    let options = Options { offline: context.machine.offline, ..Options::new(&context.machine.cache_dir) };
    let downloader = Downloader::new(options)?;
    let mut builder = Builder::default();
    for url in from {
        if url.starts_with("oci://") {
            return Err(Failure::usage(format!(
                "update from {url} and other places: an artifact is a whole database"
            )));
        }
        let path = downloader.changing(url, DATABASE_MAX)?;
        let failed = |error: std::io::Error| {
            Failure::new("db.file", Class::Environment, format!("read {}", path.display()))
                .with_cause(error.to_string())
        };
        let file = File::open(&path).map_err(failed)?;
        if from.len() == 1 && is_database(&file).map_err(failed)? {
            return kiln_disk::read(&path, DATABASE_MAX).map_err(failed);
        }
        let shown = kiln_fetch::shown(url);
        Documents::of_file(&shown, file, Some(today()), &mut |document| {
            add(&mut builder, document, context)
        })?;
    }
    Ok(builder.finish(today())?)
}

/// Whether a file begins as a compiled database does.
fn is_database(file: &File) -> std::io::Result<bool> {
    let mut start = [0; 7];
    let count = file.read_at(&mut start, 0)?;
    Ok(start[..count] == *b"KILNADV")
}

fn publish(args: &Publish, context: &Context) -> Result<(), Failure> {
    let opened = args.choice.open(context)?;
    opened.database.verify()?;
    let bytes = opened.database.to_bytes()?;
    let (key, _) = Keys::local(&context.machine).open_or_make()?;
    let signer = Signer::with_key(key)?;
    let descriptor =
        kiln_proof::advisories::publish(&context.machine, &args.reference, &bytes, &signer, &timestamp())?;
    output::data(&match context.format {
        Format::Human => format!("{}@{}", args.reference, descriptor.digest),
        Format::Json => json!({"artifact": args.reference, "digest": descriptor.digest}).to_string(),
    });
    Ok(())
}

fn show_new(bytes: &[u8], path: &Path, context: &Context) -> Result<(), Failure> {
    let database = Database::open(bytes)?;
    match context.format {
        Format::Json => output::data(
            &json!({
                "path": path.display().to_string(),
                "checksum": database.checksum(),
                "bytes": bytes.len(),
                "slices": database.slices(),
            })
            .to_string(),
        ),
        Format::Human => {
            output::data(&kiln_report::feeds(&database, today()));
            if !context.quiet {
                output::talk(&format!("{} ({:.1} MB)", path.display(), bytes.len() as f64 / 1e6));
            }
        }
    }
    Ok(())
}

fn status(opened: &Opened, context: &Context) {
    let database = &opened.database;
    let today = today();
    if context.format == Format::Json {
        let slices: Vec<_> = database
            .slices()
            .iter()
            .map(|slice| json!({"slice": slice, "age_days": slice.as_of.age(today)}))
            .collect();
        let (origin, path, provenance) = match &opened.origin {
            Origin::Embedded => ("embedded", None, None),
            Origin::Updated(kept) => ("updated", Some(&kept.path), kept.provenance.as_ref()),
            Origin::File(path) => ("file", Some(path), None),
        };
        let value = json!({
            "origin": origin,
            "path": path.map(|path| path.display().to_string()),
            "provenance": provenance,
            "checksum": database.checksum(),
            "newest": database.newest(),
            "slices": slices,
        });
        return output::data(&value.to_string());
    }
    output::data(&origin(&opened.origin));
    output::data(&kiln_report::feeds(database, today));
}

fn origin(origin: &Origin) -> String {
    match origin {
        Origin::Embedded => "the database inside kiln; kiln db update brings newer ones".to_owned(),
        Origin::File(path) => path.display().to_string(),
        Origin::Updated(kept) => match &kept.provenance {
            None => format!("{}, from a place that is not known any more", kept.path.display()),
            Some(known) => {
                let signed = known
                    .signed_by
                    .as_ref()
                    .map_or_else(|| "not signed".to_owned(), |key| format!("signed, verified with {key}"));
                let from: Vec<String> = known.from.iter().map(|url| kiln_fetch::shown(url)).collect();
                format!("{}, from {} at {} ({signed})", kept.path.display(), from.join(", "), known.at)
            }
        },
    }
}
