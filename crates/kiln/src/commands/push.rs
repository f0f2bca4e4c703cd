use kiln_finding::Failure;
use kiln_images::{Along, CopyTarget, Destination, Located, unforced};

use crate::command::{Command, Group};
use crate::context::Context;
use crate::output::Outcome;
use crate::transfer::send;

pub(super) static COMMAND: Command<Args> = Command { order: 1, ..Command::new("push", Group::Keep, run) };

/// Send an image to its registry, with its signature and statements
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Image: a name in kiln's store, oci:DIR[:TAG], oci-archive:FILE, docker-archive:FILE, or docker:NAME
    image: String,
    /// Name it gets, with its host: registry.example/team/app:1; by default the image's own
    reference: Option<String>,
    /// Leave signature and statements behind
    #[arg(long)]
    image_only: bool,
    /// Write what the statements say into an index around the image, too, unsigned, as BuildKit does; the name then stands
    /// for that index
    #[arg(long)]
    index_attestations: bool,
}

fn run(args: &Args, context: &Context) -> Result<Outcome, Failure> {
    let from = Located::here(&context.machine, &args.image)?;
    let name = args.reference.as_deref().unwrap_or(unforced(&args.image));
    let target = CopyTarget::open(&context.machine, name, &from.name, from.tag.as_deref())?;
    if !matches!(target.destination, Destination::Registry(_)) {
        return Err(Failure::usage(format!("push to `{name}`: the name has no registry"))
            .with_help(format!("name one: kiln push {} registry.example/team/app:1", args.image)));
    }
    send(
        context,
        "push",
        &from,
        &from.descriptor,
        target,
        Along {
            referrers: !args.image_only,
            tags: !args.image_only,
            index: args.index_attestations.then_some(&kiln_proof::index),
        },
    )
}
