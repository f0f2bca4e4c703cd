//! Where a finished image goes besides kiln's own store.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use kiln_finding::Class;
use kiln_image::{Source, copy};
use kiln_oci::Descriptor;
use kiln_store::{Daemon, Layout, write_docker_archive};

use crate::failure::Failure;

/// `oci:DIR` or `docker-archive:FILE`.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    Oci(PathBuf),
    DockerArchive(PathBuf),
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("oci", folder)) if !folder.is_empty() => Ok(Self::Oci(PathBuf::from(folder))),
            Some(("docker-archive", file)) if !file.is_empty() => {
                Ok(Self::DockerArchive(PathBuf::from(file)))
            }
            _ => Err(format!("`{text}` is no output; write oci:DIR or docker-archive:FILE")),
        }
    }
}

/// Writes the image `name` (`repository:tag`) to a target, with its statements where the target can hold them.
pub(crate) fn write(
    target: &Target,
    layout: &Layout,
    image: &Descriptor,
    name: &str,
) -> Result<String, Failure> {
    match target {
        Target::Oci(folder) => {
            let tag = name.rsplit_once(':').map_or("latest", |(_, tag)| tag);
            let other = Layout::create(folder)?;
            copy(layout, &other, image, Some(tag))?;
            for referrer in layout.referrers(&image.digest)? {
                copy(layout, &other, &referrer, None)?;
            }
            other.tag_referrers(&image.digest)?;
            Ok(format!("oci:{}:{tag}", folder.display()))
        }
        Target::DockerArchive(path) => {
            write_archive(path, layout, image, name)?;
            Ok(format!("docker-archive:{}", path.display()))
        }
    }
}

/// The archive appears only when it is whole.
fn write_archive(path: &Path, layout: &Layout, image: &Descriptor, name: &str) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        Failure::new("kiln.write", Class::Environment, format!("write {}", path.display()))
            .with_cause(error.to_string())
    };
    let mut partial = path.as_os_str().to_owned();
    partial.push(format!(".{}.tmp", std::process::id()));
    let partial = PathBuf::from(partial);
    let file = File::create(&partial).map_err(failed)?;
    let written = write_docker_archive(layout, image, name, BufWriter::with_capacity(1 << 20, file));
    if let Err(error) = written {
        drop(std::fs::remove_file(&partial));
        return Err(error.into());
    }
    std::fs::rename(&partial, path).map_err(failed)
}

/// Loads the image into the Docker daemon.
pub(crate) fn load(layout: &Layout, image: &Descriptor, name: &str) -> Result<(), Failure> {
    let host = std::env::var("DOCKER_HOST").ok();
    let Some(daemon) = Daemon::find(host.as_deref())? else {
        return Err(Failure::new(
            "store.daemon",
            Class::Environment,
            "find a Docker daemon: there is no socket",
        )
        .with_help("start Docker, or write an archive with `-o docker-archive:FILE`"));
    };
    Ok(daemon.load(layout, image, name)?)
}
