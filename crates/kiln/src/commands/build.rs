use std::path::{Path, PathBuf};

use kiln_app::Folder;
use kiln_executor::{app, dockerfile};
use kiln_finding::{Class, Failure};
use kiln_oci::Descriptor;
use kiln_store::Layout;

use crate::app_options::AppOptions;
use crate::build_options::BuildOptions;
use crate::command::{Command, Group};
use crate::context::Context;
use crate::dockerfile_options::DockerfileOptions;
use crate::global::Format;
use crate::output::{self, Outcome};
use crate::outputs::Outputs;
use crate::progress::Stages;

pub(super) static COMMAND: Command<Args> = Command {
    order: 2,
    prepare,
    project: |args| Some(args.project()),
    ..Command::new("build", Group::Make, run)
};

/// Build an image from an app or from a Dockerfile, without judging or signing it
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    options: AppOptions,
    #[command(flatten)]
    outputs: Outputs,
    /// Write the digest of the image to a file
    #[arg(long, value_name = "FILE")]
    iidfile: Option<PathBuf>,
    #[command(flatten)]
    build: BuildOptions,
    #[command(flatten)]
    dockerfile: DockerfileOptions,
}

impl Args {
    /// The folder that is built from.
    fn project(&self) -> &Path {
        &self.options.app
    }
}

/// Takes the ids that the commands of a Dockerfile may have, before anything else happens.
fn prepare(args: &Args) -> Result<(), Failure> {
    if wants_dockerfile(args)? { kiln_executor::adopt_ids() } else { Ok(()) }
}

fn run(args: &Args, context: &Context) -> Result<Outcome, Failure> {
    let is_dockerfile = wants_dockerfile(args)?;
    args.outputs.fit(!is_dockerfile || args.options.tag.is_some())?;
    let layout = context.machine.layout()?;
    let stages = Stages::new(context.quiet);
    let (manifest, name) = if is_dockerfile {
        from_dockerfile(args, context, &layout, &stages)?
    } else {
        from_app(args, context, &layout, &stages)?
    };
    if let Some(path) = &args.iidfile {
        kiln_store::write_output(path, manifest.digest.to_string().as_bytes(), kiln_store::Links::Replaced)?;
    }
    match &name {
        Some(name) => layout.publish_as(&manifest, name, name)?,
        None => kiln_image::Sink::publish(&layout, &manifest, None)?,
    }
    args.outputs.deliver(&layout, &manifest, name.as_deref().unwrap_or("latest"), &stages)?;
    stages.finish();
    let digest = manifest.digest.to_string();
    output::data(&match context.format {
        Format::Human => name.map_or_else(|| digest.clone(), |name| format!("{name}@{digest}")),
        Format::Json => serde_json::json!({ "name": name, "digest": digest }).to_string(),
    });
    Ok(Outcome::Fine)
}

/// A Dockerfile is built where one is named, or where there is nothing else to build from.
fn wants_dockerfile(args: &Args) -> Result<bool, Failure> {
    let folder = &args.options.app;
    Folder::open(folder)?;
    if args.dockerfile.file.is_some() {
        return Ok(true);
    }
    match (folder.join("package.json").is_file(), folder.join("Dockerfile").is_file()) {
        (true, _) => Ok(false),
        (false, true) => Ok(true),
        (false, false) => {
            let what =
                format!("find what to build: {} has no package.json and no Dockerfile", folder.display());
            Err(Failure::new("kiln.no_app", Class::Usage, what)
                .with_help("name the folder of a Node.js app, or a Dockerfile with -f"))
        }
    }
}

type Named = (Descriptor, Option<String>);

fn from_app(args: &Args, context: &Context, layout: &Layout, stages: &Stages) -> Result<Named, Failure> {
    if let Some(flag) = args.dockerfile.given() {
        let what = format!("use {flag}: an app is built from its package.json, not from a Dockerfile");
        return Err(Failure::usage(what).with_help("name the Dockerfile with --file"));
    }
    let wanted = args.options.wanted(&context.config, args.build.values()?)?;
    let built = app::build(&wanted, &context.machine, layout, stages)?;
    Ok((built.manifest, Some(built.name)))
}

fn from_dockerfile(
    args: &Args,
    context: &Context,
    layout: &Layout,
    stages: &Stages,
) -> Result<Named, Failure> {
    let folder = &args.options.app;
    let options = args.dockerfile.values(args.options.platform, args.build.values()?);
    let settings = context.config.of_builds();
    let manifest = dockerfile::build(folder, &options, &settings, &context.machine, layout, stages)?;
    Ok((manifest, args.options.tag.as_ref().map(kiln_oci::Reference::name_and_tag)))
}
