use std::io::Read;
use std::path::{Path, PathBuf};

use kiln_attest::Statement;
use kiln_finding::{Class, Failure};
use kiln_images::clock::timestamp;
use kiln_images::{Destination, Located, Prefer};
use kiln_proof::legacy;
use serde_json::{Value, json};

use crate::command::{Command, Group};
use crate::context::Context;
use crate::global::Format;
use crate::output::{self, Outcome};
use crate::signing::SigningOptions;

/// The largest predicate that is signed, in bytes: what readers accept, with room for its encoding.
const PREDICATE_MAX: u64 = 20 << 20;

pub(super) static COMMAND: Command<Args> = Command { order: 2, ..Command::new("attest", Group::Sign, run) };

/// Make a signed statement about an image
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Image: a name in kiln's store, oci:DIR[:TAG], or registry.example/team/app:1
    image: String,
    /// What kind of statement: spdx, cyclonedx, provenance, scan, openvex, or a predicate type
    #[arg(long = "type", value_name = "TYPE", default_value = "custom")]
    kind: String,
    /// What it says: a JSON file, or - for standard input
    #[arg(long, value_name = "FILE")]
    predicate: PathBuf,
    #[command(flatten)]
    signing: SigningOptions,
    /// Write the statement under a tag as cosign did before version 3, not as a bundle
    #[arg(long)]
    legacy: bool,
}

fn run(args: &Args, context: &Context) -> Result<Outcome, Failure> {
    let predicate_type = kiln_proof::predicate_type(&args.kind)?;
    let predicate = read(&args.predicate)?;
    let Located { place, descriptor, note, .. } =
        Located::find(&context.machine, &args.image, Prefer::Built)?;
    context.say_note(note.as_deref());
    let destination = Destination::of(place, &args.image)?;
    let signer = args.signing.signer(context, &context.config)?;
    if args.legacy {
        kiln_proof::refuse_legacy(&signer)?;
    }
    let statement = Statement::about(&descriptor.digest, &predicate_type, predicate);
    if args.legacy {
        legacy::attest(&destination, &descriptor, &statement, signer.key())?;
    } else {
        kiln_proof::add(&destination, &descriptor, &statement, &signer, &timestamp())?;
    }
    output::data(&match context.format {
        Format::Human => descriptor.digest.to_string(),
        Format::Json => {
            let (kind, who) = kiln_proof::signer_json(&signer)?;
            json!({ "digest": descriptor.digest, "predicateType": predicate_type, kind: who }).to_string()
        }
    });
    Ok(Outcome::Fine)
}

fn read(path: &Path) -> Result<Value, Failure> {
    let failed = |cause: String| {
        Failure::new("kiln.predicate", Class::Usage, format!("read the predicate {}", path.display()))
            .with_cause(cause)
    };
    let mut bytes = Vec::new();
    let read = if path.as_os_str() == "-" {
        std::io::stdin().take(PREDICATE_MAX + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(PREDICATE_MAX + 1).read_to_end(&mut bytes))
    };
    read.map_err(|error| failed(error.to_string()))?;
    if bytes.len() as u64 > PREDICATE_MAX {
        return Err(failed("it is larger than 20 MiB".to_owned()));
    }
    serde_json::from_slice(&bytes).map_err(|error| failed(error.to_string()))
}
