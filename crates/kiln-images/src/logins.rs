//! Where logins to registries are found that docker, podman and their helpers keep.

use std::collections::BTreeSet;
use std::path::PathBuf;

/// The hosts that somebody has logged in to, or that a program knows the logins of; and a file that cannot be read.
pub fn known_logins() -> (Vec<String>, Option<PathBuf>) {
    let mut hosts = BTreeSet::new();
    for file in logins() {
        let Ok(text) = kiln_disk::read_given(&file, kiln_disk::DOCUMENT_MAX) else { continue };
        let Ok(known) = kiln_registry::read_logins(&text) else { return (Vec::new(), Some(file)) };
        for key in ["auths", "credHelpers"] {
            hosts.extend(known[key].as_object().into_iter().flat_map(|map| map.keys().cloned()));
        }
        if let Some(program) = known["credsStore"].as_str().filter(|program| !program.is_empty()) {
            hosts.insert(format!("whatever docker-credential-{program} knows"));
        }
    }
    (hosts.into_iter().collect(), None)
}

/// Where `docker login` and `podman login` keep what they are told, the most special place first.
/// Sources: containers-auth.json(5); docker-cli, `config` of docker(1).
pub(crate) fn logins() -> Vec<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let podman = std::env::var_os("REGISTRY_AUTH_FILE").map(PathBuf::from);
    let runtime = folder("XDG_RUNTIME_DIR").map(|run| run.join("containers/auth.json"));
    let docker = folder("DOCKER_CONFIG").or_else(|| folder("HOME").map(|home| home.join(".docker")));
    let docker = docker.map(|folder| folder.join("config.json"));
    podman.into_iter().chain(runtime).chain(docker).collect()
}
