//! What `kiln build -f` may be told, as `docker build` is.

use std::collections::BTreeMap;
use std::path::PathBuf;

use kiln_executor::BuildOptions;
use kiln_executor::dockerfile::Options;
use kiln_oci::Arch;

#[derive(Default, clap::Args)]
#[command(next_help_heading = "With a Dockerfile")]
pub(crate) struct DockerfileOptions {
    /// Build this Dockerfile (`-`: standard input)
    #[arg(long, short, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Build this stage
    #[arg(long, value_name = "STAGE")]
    target: Option<String>,
    /// Set an ARG; without a value, that of the environment
    #[arg(long, value_name = "NAME[=VALUE]")]
    build_arg: Vec<String>,
    /// Use a folder or an image under a name: NAME=DIR, NAME=oci:DIR, NAME=docker-image://IMAGE
    #[arg(long, value_name = "NAME=PLACE")]
    build_context: Vec<String>,
    /// Let npm, pnpm and yarn in RUN use this machine's npm settings: registry, logins, certificates. They reach no layer
    #[arg(long)]
    npm_settings: bool,
    /// Add a label to the image
    #[arg(long, value_name = "NAME=VALUE")]
    label: Vec<String>,
}

impl DockerfileOptions {
    /// The same as values.
    pub(crate) fn values(&self, arch: Option<Arch>, build: BuildOptions) -> Options {
        Options {
            file: self.file.clone(),
            target: self.target.clone(),
            arch,
            build_args: self.build_args(),
            contexts: self.build_context.clone(),
            npm_settings: self.npm_settings,
            labels: self.labels(),
            build,
        }
    }

    /// The first of these that was given although no Dockerfile is built.
    pub(crate) fn given(&self) -> Option<&'static str> {
        let given = [
            ("--target", self.target.is_some()),
            ("--build-arg", !self.build_arg.is_empty()),
            ("--build-context", !self.build_context.is_empty()),
            ("--npm-settings", self.npm_settings),
            ("--label", !self.label.is_empty()),
        ];
        given.into_iter().find_map(|(flag, is_given)| is_given.then_some(flag))
    }

    /// `--build-arg`
    fn build_args(&self) -> BTreeMap<String, String> {
        let pairs = self.build_arg.iter().filter_map(|text| match text.split_once('=') {
            Some((name, value)) => Some((name.to_owned(), value.to_owned())),
            None => Some((text.clone(), std::env::var(text).ok()?)),
        });
        pairs.collect()
    }

    /// `--label`
    fn labels(&self) -> Vec<(String, String)> {
        let pair = |text: &String| {
            let (name, value) = text.split_once('=').unwrap_or((text, ""));
            (name.to_owned(), value.to_owned())
        };
        self.label.iter().map(pair).collect()
    }
}
