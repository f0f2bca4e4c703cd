use std::path::{Path, PathBuf};

use kiln_base::{Base, Distribution, Lock, Request, Use, Variant};
use kiln_executor::Progress as _;
use kiln_executor::base::{self, BaseSettings, Packed, Supply};
use kiln_finding::{Class, Failure};
use kiln_images::clock::now;
use kiln_oci::Arch;
use kiln_store::Layout;
use serde_json::json;

use crate::command::{Command, Group};
use crate::context::Context;
use crate::global::Format;
use crate::output::{self, Outcome};
use crate::progress::Stages;

const LOCK: &str = "kiln.lock";

pub(super) static COMMAND: Command<Args> = Command { order: 5, ..Command::new("base", Group::Make, run) };

/// Compose, lock and inspect hardened Node bases
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Compose a base and show its digest and sizes
    Compose(Compose),
    /// Pin every input of the bases by checksum
    Lock(LockArgs),
    /// Show what a lock file pins
    Inspect(Inspect),
}

/// Which base, and where its parts come from.
#[derive(clap::Args)]
struct Choice {
    /// Debian release: 13 or 12
    #[arg(long, value_name = "RELEASE")]
    distribution: Option<Distribution>,
    /// Release line of Node: 24, 22, 20 or 26
    #[arg(long, value_name = "LINE")]
    node: Option<u32>,
    /// Lock file
    #[arg(long, value_name = "FILE", default_value = LOCK)]
    lock: PathBuf,
    /// Address of the Debian archive, in place of the one apt uses
    #[arg(long, value_name = "URL")]
    archive: Option<String>,
    /// Address of the Debian security archive, in place of the one apt uses
    #[arg(long, value_name = "URL")]
    security_archive: Option<String>,
    /// Address of the npm registry, in place of the one npm uses
    #[arg(long, value_name = "URL")]
    registry: Option<String>,
}

#[derive(clap::Args)]
struct Compose {
    #[command(flatten)]
    choice: Choice,
    /// Platform: linux/amd64 or linux/arm64; this machine's by default
    #[arg(long)]
    platform: Option<Arch>,
    /// Compose the base that builds: with a shell, npm, pnpm and yarn
    #[arg(long)]
    dev: bool,
    /// Compose the base that builds native addons: with a compiler and Python besides
    #[arg(long)]
    native: bool,
    /// Write the image into an OCI layout
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
}

#[derive(clap::Args)]
struct LockArgs {
    #[command(flatten)]
    choice: Choice,
    /// Platforms to lock for; linux/amd64 and linux/arm64 by default
    #[arg(long)]
    platform: Vec<Arch>,
}

#[derive(clap::Args)]
struct Inspect {
    /// Lock file
    #[arg(value_name = "FILE", default_value = LOCK)]
    lock: PathBuf,
}

fn run(args: &Args, context: &Context) -> Result<Outcome, Failure> {
    match &args.action {
        Action::Compose(args) => compose(args, context),
        Action::Lock(args) => lock(args, context),
        Action::Inspect(args) => inspect(&args.lock, context),
    }
}

fn compose(args: &Compose, context: &Context) -> Result<Outcome, Failure> {
    let arch = args.platform.or_else(Arch::host).ok_or_else(|| {
        Failure::usage("choose a platform: this machine's is none that kiln composes for")
            .with_help("pass --platform")
    })?;
    let variant = match (args.dev, args.native) {
        (_, true) => Variant::Native,
        (true, false) => Variant::Dev,
        (false, false) => Variant::Runtime,
    };
    let settings = args.choice.settings(context);
    let stages = Stages::new(context.quiet);
    stages.start("base", "looking at the archives");
    let supply = Supply::new(&context.machine, Path::new("."), &settings, &stages);
    let lock = if args.choice.lock.exists() {
        let lock = read_lock(&args.choice.lock)?;
        args.choice.check(&lock)?;
        lock
    } else if args.choice.lock != Path::new(LOCK) {
        return Err(unreadable(&args.choice.lock, &"there is no such file"));
    } else {
        let request = request(&settings, vec![arch], variant != Variant::Runtime)?;
        kiln_base::resolve(&request, &supply, now())?
    };
    let base = kiln_base::compose(&lock, arch, variant, &supply)?;
    let packed = match &args.output {
        Some(folder) => base::write(&base, &lock, &Layout::create(folder)?, Some("base"))?,
        None => base::pack(&base, &lock, || Ok(std::io::sink()), |_, _| Ok(()))?,
    };
    stages.finish();
    output::data(&match context.format {
        Format::Json => as_json(&base, &packed).to_string(),
        Format::Human => as_text(&base, &packed),
    });
    Ok(Outcome::Fine)
}

fn lock(args: &LockArgs, context: &Context) -> Result<Outcome, Failure> {
    let settings = args.choice.settings(context);
    let stages = Stages::new(context.quiet);
    stages.start("base", "looking at the archives");
    let supply = Supply::new(&context.machine, Path::new("."), &settings, &stages);
    let archs = if args.platform.is_empty() { vec![Arch::Amd64, Arch::Arm64] } else { args.platform.clone() };
    let lock = kiln_base::resolve(&request(&settings, archs, true)?, &supply, now())?;
    let path = &args.choice.lock;
    kiln_store::write_output(path, lock.render().as_bytes(), kiln_store::Links::Replaced)?;
    stages.done(&format!("{}: {}", path.display(), summary(&lock)));
    Ok(Outcome::Fine)
}

fn inspect(path: &Path, context: &Context) -> Result<Outcome, Failure> {
    let lock = read_lock(path)?;
    let text = match context.format {
        Format::Json => json!(lock).to_string(),
        Format::Human => {
            let snapshots = lock.snapshots.iter().map(|s| format!("{:<20} {}", s.suite, s.date));
            let npm = lock.npm.iter().map(|pin| format!("{:<20} {}", pin.name, pin.version));
            let debs = lock.debs.iter().map(|pin| {
                let uses: Vec<_> = pin.uses.iter().map(|wanted: &Use| wanted.as_str()).collect();
                format!("{:<20} {} {} ({})", pin.name, pin.version, pin.arch, uses.join(", "))
            });
            [summary(&lock)]
                .into_iter()
                .chain(snapshots)
                .chain(npm)
                .chain(debs)
                .collect::<Vec<_>>()
                .join("\n")
        }
    };
    output::data(&text);
    Ok(Outcome::Fine)
}

impl Choice {
    /// kiln.toml, with the flags over it.
    fn settings(&self, context: &Context) -> BaseSettings {
        let file = context.config.base.clone();
        BaseSettings {
            distribution: self.distribution.map(|release| release.to_string()).or(file.distribution),
            node: self.node.or(file.node),
            archive: self.archive.clone().or(file.archive),
            security_archive: self.security_archive.clone().or(file.security_archive),
            registry: self.registry.clone().or(file.registry),
        }
    }

    /// Flags that a lock contradicts are not passed over.
    fn check(&self, lock: &Lock) -> Result<(), Failure> {
        let other_release = self.distribution.is_some_and(|release| release != lock.distribution);
        if other_release || self.node.is_some_and(|line| line != lock.node) {
            let what = format!("compose what was asked for: {} pins {}", self.lock.display(), summary(lock));
            return Err(
                Failure::usage(what).with_help("lock again with `kiln base lock`, or leave the flag out")
            );
        }
        Ok(())
    }
}

fn request(settings: &BaseSettings, archs: Vec<Arch>, builder: bool) -> Result<Request, Failure> {
    let mut request = Request { builder, ..Request::new(archs) };
    if let Some(release) = &settings.distribution {
        request.distribution = release.parse().map_err(|why: String| Failure::usage(why))?;
    }
    request.node = settings.node.unwrap_or(request.node);
    Ok(request)
}

fn read_lock(path: &Path) -> Result<Lock, Failure> {
    let text = kiln_disk::read_given_text(path, kiln_disk::DOCUMENT_MAX)
        .map_err(|error| unreadable(path, &error))?;
    Ok(Lock::read(&text)?)
}

fn unreadable(path: &Path, cause: &dyn std::fmt::Display) -> Failure {
    Failure::new("kiln.read", Class::Config, format!("read {}", path.display()))
        .with_cause(cause.to_string())
        .with_help("write one with `kiln base lock`")
}

fn summary(lock: &Lock) -> String {
    let node = lock.npm.iter().find(|pin| pin.name.starts_with("node-")).map_or("", |pin| &pin.version);
    format!("Debian {}, Node {node}, {} packages", lock.distribution, lock.debs.len())
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

fn as_text(base: &Base, packed: &Packed) -> String {
    use std::fmt::Write as _;
    let mut text =
        format!("{} (linux/{}, Node {})\n", packed.descriptor().digest, base.arch, base.node_version);
    for (layer, blob) in base.layers.iter().zip(&packed.layers) {
        let (files, sent) = (megabytes(layer.tree.file_bytes()), megabytes(blob.descriptor.size));
        let _ = writeln!(text, "  {:<44} {files:>9} of files, {sent:>8} compressed", layer.comment);
    }
    let total: u64 = packed.layers.iter().map(|blob| blob.descriptor.size).sum();
    let _ = write!(text, "  {} components, {} compressed", base.components.len(), megabytes(total));
    text
}

fn as_json(base: &Base, packed: &Packed) -> serde_json::Value {
    let layers = base.layers.iter().zip(&packed.layers).map(|(layer, blob)| {
        json!({
            "comment": layer.comment,
            "digest": blob.descriptor.digest,
            "diffId": blob.diff_id,
            "fileBytes": layer.tree.file_bytes(),
            "compressedBytes": blob.descriptor.size,
        })
    });
    let components = base.components.iter().map(|component| {
        json!({
            "name": component.name,
            "version": component.version,
            "origin": component.origin,
            "integrity": component.integrity,
        })
    });
    json!({
        "digest": packed.descriptor().digest,
        "platform": format!("linux/{}", base.arch),
        "node": base.node_version,
        "nodeStripped": base.node_stripped,
        "layers": layers.collect::<Vec<_>>(),
        "components": components.collect::<Vec<_>>(),
    })
}
