use kiln_finding::Failure;
use kiln_images::{Along, CopyTarget, Located, for_here, for_platform, read_reference, unforced};
use kiln_oci::Platform;

use crate::command::{Command, Group};
use crate::context::Context;
use crate::output::Outcome;
use crate::transfer::send;

pub(super) static COMMAND: Command<Args> = Command { order: 2, ..Command::new("pull", Group::Keep, run) };

/// Fetch an image from its registry into kiln's store
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Image with its host: registry.example/team/app:1
    reference: String,
    /// Fetch signature and statements, too; those under tags of older cosign come in any case
    #[arg(long)]
    all: bool,
    /// Fetch the image for every platform, not only for this machine's
    #[arg(long)]
    all_platforms: bool,
    /// Fetch the image for this platform, as linux/arm64
    #[arg(long, value_name = "OS/ARCH[/VARIANT]", conflicts_with = "all_platforms")]
    platform: Option<Platform>,
}

fn run(args: &Args, context: &Context) -> Result<Outcome, Failure> {
    let name = read_reference(unforced(&args.reference))?;
    let from = Located::remote(&context.machine, &name)?;
    let root = match &args.platform {
        Some(platform) => for_platform(&from.place, &from.descriptor, platform, &args.reference)?,
        None if args.all_platforms => from.descriptor.clone(),
        None => for_here(&from.place, &from.descriptor)?,
    };
    let target = CopyTarget::store(&context.machine, &name)?;
    // Tags of signatures are small, and without them the image that is kept is not signed.
    let along = Along { referrers: args.all, tags: true, index: None };
    let outcome = send(context, "pull", &from, &root, target, along)?;
    context.machine.layout()?.note_in_registry(&name.name_and_tag(), &root)?;
    Ok(outcome)
}
