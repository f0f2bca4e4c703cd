use std::path::PathBuf;

use kiln_finding::Failure;
use kiln_proof::Keys;
use serde_json::json;

use crate::command::{Command, Group};
use crate::context::Context;
use crate::global::Format;
use crate::output::{self, Outcome};

pub(super) static COMMAND: Command<Args> =
    Command { order: 4, project: |_| None, uses_folders: false, ..Command::new("keygen", Group::Sign, run) };

/// Make a signing key pair, in cosign's format
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Write NAME.key and NAME.pub; kiln's own key pair by default
    #[arg(long, value_name = "NAME")]
    output_key_prefix: Option<PathBuf>,
}

fn run(args: &Args, context: &Context) -> Result<Outcome, Failure> {
    let keys = match &args.output_key_prefix {
        Some(stem) => Keys::at(stem),
        None => Keys::local(&context.machine),
    };
    keys.make()?;
    let public = keys.public_path().display().to_string();
    output::data(&match context.format {
        Format::Human => public,
        Format::Json => {
            json!({ "private": keys.private_path().display().to_string(), "public": public }).to_string()
        }
    });
    Ok(Outcome::Fine)
}
