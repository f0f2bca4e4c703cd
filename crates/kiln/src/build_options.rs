//! How an image is built, whatever it is built from, as `docker build` is told it.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use kiln_disk::{disk_failure, read_given};
use kiln_finding::{Class, Failure};
use kiln_image::Compression;

/// Secrets are read up to here, as BuildKit does, in bytes.
const SECRET_MAX: u64 = 500 << 10;

#[derive(Default, clap::Args)]
#[command(next_help_heading = "Build")]
pub(crate) struct BuildOptions {
    /// Give commands a secret: id=ID,src=FILE or id=ID,env=NAME
    #[arg(long, value_name = "id=…")]
    secret: Vec<String>,
    /// Give commands an SSH agent: default, or ID=SOCKET
    #[arg(long, value_name = "ID[=SOCKET]", num_args = 0..=1, default_missing_value = "default")]
    ssh: Vec<String>,
    /// Run every command again
    #[arg(long)]
    no_cache: bool,
    /// Say which input changed for each step that is not in the cache
    #[arg(long)]
    why: bool,
    /// What is shown while it builds: plain keeps every line that commands print
    #[arg(long, value_enum, value_name = "HOW", default_value_t)]
    progress: Progress,
    /// Stop a command, or a download of ADD, that takes longer than this many seconds
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=crate::config::TIMEOUT_MAX))]
    timeout: Option<u64>,
    /// How layers are compressed: gzip or zstd
    #[arg(long, value_name = "gzip|zstd", default_value = "gzip", value_parser = compression)]
    compression: Compression,
    /// Take results of steps from here: an OCI layout (oci:DIR[:TAG]) or an image name
    #[arg(long, value_name = "PLACE")]
    cache_from: Vec<String>,
    /// Keep results of all steps there: an OCI layout (oci:DIR[:TAG]) or an image name
    #[arg(long, value_name = "PLACE")]
    cache_to: Vec<String>,
}

/// What is shown while a build goes on.
#[derive(Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
enum Progress {
    /// Steps, and on a terminal the newest line of output.
    #[default]
    Auto,
    /// Every line of output.
    Plain,
}

fn compression(text: &str) -> Result<Compression, String> {
    match text {
        "gzip" => Ok(Compression::Gzip),
        "zstd" => Ok(Compression::Zstd),
        _ => Err("gzip or zstd".to_owned()),
    }
}

impl BuildOptions {
    /// The same as values. Secrets are read now: one that is not there is told before anything runs.
    pub(crate) fn values(&self) -> Result<kiln_executor::BuildOptions, Failure> {
        Ok(kiln_executor::BuildOptions {
            secrets: self.secrets()?,
            agents: self.agents()?,
            no_cache: self.no_cache,
            why: self.why,
            plain: self.progress == Progress::Plain,
            timeout: self.timeout,
            compression: self.compression,
            cache_from: self.cache_from.clone(),
            cache_to: self.cache_to.clone(),
        })
    }

    /// `--secret`, read now: a secret that is not there is told before anything runs.
    fn secrets(&self) -> Result<BTreeMap<String, Vec<u8>>, Failure> {
        self.secret.iter().map(|text| secret(text)).collect()
    }

    /// `--ssh`
    fn agents(&self) -> Result<BTreeMap<String, PathBuf>, Failure> {
        let agent = |text: &String| {
            if let Some((id, socket)) = text.split_once('=') {
                return Ok((id.to_owned(), PathBuf::from(socket)));
            }
            let socket = std::env::var_os("SSH_AUTH_SOCK").ok_or_else(|| {
                Failure::usage(format!("use --ssh {text}: SSH_AUTH_SOCK is not set")).with_help(
                    "start an agent (`eval $(ssh-agent); ssh-add`), or name a socket: --ssh default=SOCKET",
                )
            })?;
            Ok((text.clone(), PathBuf::from(socket)))
        };
        self.ssh.iter().map(agent).collect()
    }
}

fn secret(text: &str) -> Result<(String, Vec<u8>), Failure> {
    let usage = |why: &str| Failure::usage(format!("use --secret {text}: {why}"));
    let mut fields: BTreeMap<String, String> = BTreeMap::new();
    for field in text.split(',') {
        let (name, value) = field.split_once('=').ok_or_else(|| usage("it is a list of NAME=VALUE"))?;
        fields.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let id = fields.get("id").cloned().ok_or_else(|| usage("it has no id"))?;
    let source = fields.get("src").or_else(|| fields.get("source"));
    let variable = match (fields.get("env"), fields.get("type").map(String::as_str)) {
        (Some(name), _) => Some(name.clone()),
        (None, Some("env")) => Some(source.unwrap_or(&id).clone()),
        (None, None) if source.is_none() && std::env::var_os(&id).is_some() => Some(id.clone()),
        _ => None,
    };
    if let Some(name) = variable {
        let value = std::env::var(&name).map_err(|_| usage("the variable is not set"))?;
        return Ok((id, value.into_bytes()));
    }
    let path = PathBuf::from(source.unwrap_or(&id));
    Ok((id, read_secret(&path)?))
}

fn read_secret(path: &Path) -> Result<Vec<u8>, Failure> {
    read_given(path, SECRET_MAX).map_err(|error| match error.kind() {
        ErrorKind::FileTooLarge => {
            let what = format!("read the secret {}: it has more than 500 KiB", path.display());
            Failure::new("build.secret", Class::Usage, what)
        }
        _ => disk_failure("read the secret", path, &error),
    })
}
