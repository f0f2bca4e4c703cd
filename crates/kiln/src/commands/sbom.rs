use std::path::{Path, PathBuf};

use kiln_finding::Failure;
use kiln_images::clock::{made_at, rfc3339, source_date};
use kiln_oci::Platform;
use kiln_sbom::{Document, FORMATS, Format};

use crate::command::{Command, Group};
use crate::context::Context;
use crate::output::{self, Outcome};
use crate::target::ScanTarget;

pub(super) static COMMAND: Command<Args> = Command { order: 2, ..Command::new("sbom", Group::Look, run) };

/// Write the SBOM of an image or a folder
#[derive(clap::Args)]
pub(crate) struct Args {
    /// An image: a name in kiln's store, registry.example/team/app:1, oci:DIR[:TAG], oci-archive:FILE[:TAG],
    /// docker-archive:FILE[:NAME], or docker:NAME; a folder; sbom:FILE
    #[arg(value_name = "IMAGE|DIR|SBOM")]
    image: String,
    /// Of an image for several platforms, the one for this, as linux/arm64; by default this machine's
    #[arg(long, value_name = "OS/ARCH[/VARIANT]")]
    platform: Option<Platform>,
    /// Standard and encoding
    #[arg(long = "type", value_name = "TYPE", default_value = "spdx-json", value_parser = names())]
    kind: String,
    /// Write to this file in place of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

fn names() -> clap::builder::PossibleValuesParser {
    FORMATS.iter().map(|format| format.name).collect::<Vec<_>>().into()
}

fn run(args: &Args, context: &Context) -> Result<Outcome, Failure> {
    let format = kiln_sbom::find(&args.kind)
        .ok_or_else(|| Failure::usage(format!("there is no type `{}`", args.kind)))?;
    let target = ScanTarget::open(context, &args.image, args.platform.as_ref())?;
    let text = render(format, &target, context)?;
    match &args.output {
        None => output::data(&text),
        Some(path) => kiln_store::write_output(path, (text + "\n").as_bytes(), kiln_store::Links::Followed)?,
    }
    Ok(Outcome::Fine)
}

fn render(format: &Format, target: &ScanTarget, context: &Context) -> Result<String, Failure> {
    let inventory = target.inventory(context)?;
    let (about, time) = match target {
        ScanTarget::Image(subject) => {
            let config = &subject.image.config;
            let about = kiln_sbom::DocumentSubject {
                name: subject.name.clone(),
                tag: subject.tag.clone(),
                digest: target.digest(),
                arch: Some(config.architecture.clone()),
            };
            (about, config.created.as_deref())
        }
        ScanTarget::Folder { text } | ScanTarget::Document { text } => {
            let name = own_name(Path::new(text));
            (kiln_sbom::DocumentSubject { name, tag: None, digest: None, arch: None }, None)
        }
    };
    inventory.notes.iter().for_each(|note| output::talk(&format!("note: {note}")));
    Ok((format.render)(&Document {
        subject: &about,
        inventory: &inventory,
        created: &created(time)?,
        tool_version: env!("CARGO_PKG_VERSION"),
    }))
}

/// The name of a file or folder, also where it is written as `.`.
fn own_name(path: &Path) -> String {
    let whole = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    whole.file_name().map_or_else(|| "folder".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// When the document says that it was made: as `SOURCE_DATE_EPOCH` says, else when the image says that it was built, else now. An
/// image of no time (1970) was built to be the same at any.
fn created(image: Option<&str>) -> Result<String, Failure> {
    let built = image.and_then(|text| text.parse::<jiff::Timestamp>().ok()).map(jiff::Timestamp::as_second);
    match built.filter(|seconds| *seconds > 0) {
        Some(seconds) => Ok(rfc3339(source_date()?.unwrap_or(seconds))),
        None => made_at(),
    }
}
