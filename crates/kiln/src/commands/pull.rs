use kiln_finding::Failure;
use kiln_images::{Along, CopyTarget, Located, for_here, read_reference};

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
    /// Fetch signature and statements, too
    #[arg(long)]
    all: bool,
    /// Fetch the image for every platform, not only for this machine's
    #[arg(long)]
    all_platforms: bool,
}

fn run(args: &Args, context: &Context) -> Result<Outcome, Failure> {
    let name = read_reference(&args.reference)?;
    let from = Located::remote(&context.machine, &name)?;
    let root =
        if args.all_platforms { from.descriptor.clone() } else { for_here(&from.place, &from.descriptor)? };
    let target = CopyTarget::store(&context.machine, &name)?;
    send(context, "pull", &from, &root, target, Along { referrers: args.all, index: None })
}
