use kiln_attest::{Statement, predicate};
use kiln_finding::Failure;
use kiln_images::clock::timestamp;
use kiln_images::{Destination, Located, Prefer, for_platform, listed_images};
use kiln_oci::{Descriptor, Platform};
use kiln_proof::legacy;
use serde_json::json;

use crate::command::{Command, Group};
use crate::context::Context;
use crate::global::Format;
use crate::output::{self, Outcome};
use crate::signing::SigningOptions;

pub(super) static COMMAND: Command<Args> = Command { order: 1, ..Command::new("sign", Group::Sign, run) };

/// Sign an image that is there already
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Image: a name in kiln's store, oci:DIR[:TAG], or registry.example/team/app:1
    image: String,
    #[command(flatten)]
    signing: SigningOptions,
    /// Of an image for several platforms, sign each platform's, too
    #[arg(long, short = 'r', conflicts_with = "platform")]
    recursive: bool,
    /// Of an image for several platforms, sign the one for this, as linux/arm64, and not the whole
    #[arg(long, value_name = "OS/ARCH[/VARIANT]")]
    platform: Option<Platform>,
    /// Write the signature under a tag as cosign did before version 3, not as a bundle
    #[arg(long)]
    legacy: bool,
}

fn run(args: &Args, context: &Context) -> Result<Outcome, Failure> {
    let Located { place, name, descriptor, note, .. } =
        Located::find(&context.machine, &args.image, Prefer::Built)?;
    context.say_note(note.as_deref());
    let images = match &args.platform {
        Some(platform) => vec![for_platform(&place, &descriptor, platform, &args.image)?],
        None if args.recursive => with_children(&place, &descriptor)?,
        None => vec![descriptor],
    };
    let destination = Destination::of(place, &args.image)?;
    let signer = args.signing.signer(context, &context.config)?;
    if args.legacy {
        kiln_proof::refuse_legacy(&signer)?;
    }
    for image in &images {
        if args.legacy {
            legacy::sign(&destination, image, &name, signer.key())?;
        } else {
            let statement = Statement::about(&image.digest, predicate::SIGNATURE, json!({}));
            kiln_proof::add(&destination, image, &statement, &signer, &timestamp())?;
        }
    }
    let digests: Vec<String> = images.iter().map(|image| image.digest.to_string()).collect();
    output::data(&match context.format {
        Format::Human => digests.join("\n"),
        Format::Json => {
            let (kind, who) = kiln_proof::signer_json(&signer)?;
            json!({ "signed": digests, kind: who }).to_string()
        }
    });
    Ok(Outcome::Fine)
}

/// An index, and the images that it and the indexes in it list.
fn with_children<S: kiln_image::Source>(place: &S, root: &Descriptor) -> Result<Vec<Descriptor>, Failure> {
    let mut images = vec![root.clone()];
    images.extend(listed_images(place, root)?.into_iter().filter(|image| image.digest != root.digest));
    Ok(images)
}
