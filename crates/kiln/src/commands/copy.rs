use kiln_finding::Failure;
use kiln_images::{Along, CopyTarget, Located, Prefer, for_platform};
use kiln_oci::Platform;

use crate::command::{Command, Group};
use crate::context::Context;
use crate::output::Outcome;
use crate::transfer::send;

pub(super) static COMMAND: Command<Args> = Command { order: 3, ..Command::new("copy", Group::Keep, run) };

/// Copy an image between registries, layouts, archives, Docker and the store
#[derive(clap::Args)]
pub(crate) struct Args {
    /// From: a name in kiln's store, registry.example/team/app:1, oci:DIR[:TAG], oci-archive:FILE[:TAG],
    /// docker-archive:FILE[:NAME], or docker:NAME
    from: String,
    /// To: the same
    to: String,
    /// Of an image for several platforms, copy the one for this, as linux/arm64, and not the whole
    #[arg(long, value_name = "OS/ARCH[/VARIANT]")]
    platform: Option<Platform>,
    /// Copy signature and statements, too
    #[arg(long)]
    all: bool,
    /// Write what the statements say into an index around the image, too, unsigned, as BuildKit does; the name then stands
    /// for that index
    #[arg(long)]
    index_attestations: bool,
}

fn run(args: &Args, context: &Context) -> Result<Outcome, Failure> {
    let from = Located::find(&context.machine, &args.from, Prefer::Built)?;
    context.say_note(from.note.as_deref());
    let root = match &args.platform {
        Some(platform) => for_platform(&from.place, &from.descriptor, platform, &args.from)?,
        None => from.descriptor.clone(),
    };
    let target = CopyTarget::open(&context.machine, &args.to, &from.name, from.tag.as_deref())?;
    send(
        context,
        "copy",
        &from,
        &root,
        target,
        Along {
            referrers: args.all,
            tags: args.all,
            index: args.index_attestations.then_some(&kiln_proof::index),
        },
    )
}
