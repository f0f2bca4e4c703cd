use kiln_store::Layout;

use crate::args::Format;
use crate::build::{self, Options};
use crate::config::Config;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{self, Outcome};
use crate::progress::Stages;

/// Build an image from an app, without judging or signing it
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    options: Options,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Outcome, Failure> {
    let config = Config::read(context, &args.options.app)?;
    let layout = Layout::create(&context.store())?;
    let stages = Stages::new(context.quiet);
    let built = build::build(&args.options, &config, context, &layout, &stages)?;
    layout.publish_as(&built.manifest, &built.name, &built.name)?;
    stages.finish();
    let digest = built.manifest.digest.to_string();
    output::data(&match context.format {
        Format::Human => format!("{}@{digest}", built.name),
        Format::Json => serde_json::json!({ "name": built.name, "digest": digest }).to_string(),
    });
    Ok(Outcome::Fine)
}
