use std::io;
use std::path::{Path, PathBuf};

use kiln_dockerfile::Ignore;
use kiln_finding::{Class, Failure};

use crate::Folder;

/// The largest `.dockerignore`, in bytes.
const TEXT_MAX: u64 = 4 << 20;
const NAME: &str = ".dockerignore";

/// A `.dockerignore` that was found.
#[derive(Clone, Debug)]
pub struct DockerIgnore {
    /// Where it is.
    pub place: PathBuf,
    /// Its text.
    pub text: String,
    /// What it leaves out.
    pub ignore: Ignore,
}

impl DockerIgnore {
    /// The one that belongs to the Dockerfile (`Dockerfile.dockerignore` beside it), or the one at the top of the folder;
    /// `None` where there is neither. One that no builder takes is an error. The user names both, so links are followed.
    pub fn read(folder: &Folder, dockerfile: Option<&Path>) -> Result<Option<Self>, Failure> {
        let own = dockerfile.map(|file| {
            let mut name = file.as_os_str().to_owned();
            name.push(NAME);
            PathBuf::from(name)
        });
        for place in own.into_iter().chain([folder.place_of(NAME)]) {
            let text = match kiln_disk::read_text(&place, TEXT_MAX) {
                Ok(text) => text,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(unfit(&place).with_cause(error.to_string())),
            };
            let ignore = Ignore::parse(&text);
            if let Some(problem) = ignore.problems.first() {
                return Err(unfit(&place).with_cause(problem.message.clone()));
            }
            return Ok(Some(Self { place, text, ignore }));
        }
        Ok(None)
    }
}

fn unfit(place: &Path) -> Failure {
    Failure::new("app.dockerignore", Class::Config, format!("read {}", place.display()))
}
