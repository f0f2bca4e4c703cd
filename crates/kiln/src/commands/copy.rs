use std::str::FromStr as _;

use kiln_store::Layout;

use crate::context::Context;
use crate::failure::Failure;
use crate::output::{self, Outcome};
use crate::place::Place;
use crate::ship;
use crate::subject::{Located, one_platform};
use crate::transfer::{Target, send};

/// Copy an image between registries, OCI layouts and kiln's store, or into an archive
#[derive(clap::Args)]
pub(crate) struct Args {
    /// From: a name in kiln's store, oci:DIR[:TAG], or registry.example/team/app:1
    from: String,
    /// To: the same, or docker-archive:FILE
    to: String,
    /// Copy signature and statements, too
    #[arg(long)]
    all: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Outcome, Failure> {
    let from = Located::find(context, &args.from)?;
    if args.to.starts_with("docker-archive:") {
        let Place::Layout(layout) = &from.place else {
            return Err(Failure::usage(format!("copy {} to an archive: it is in a registry", args.from))
                .with_help(format!("run `kiln pull {}` first", args.from)));
        };
        return archive(layout, &from, &args.to);
    }
    let target = Target::open(context, &args.to, from.tag.as_deref())?;
    let root = from.descriptor.clone();
    send(context, "copy", from, &root, target, args.all)
}

/// An archive holds the image of one platform.
fn archive(layout: &Layout, from: &Located, to: &str) -> Result<Outcome, Failure> {
    let target = ship::Target::from_str(to).map_err(Failure::usage)?;
    let image = one_platform(&from.place, &from.descriptor)?;
    let name = format!("{}:{}", from.name, from.tag.as_deref().unwrap_or("latest"));
    output::data(&ship::write(&target, layout, &image, &name)?);
    Ok(Outcome::Fine)
}
