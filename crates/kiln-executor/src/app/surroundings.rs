use std::collections::BTreeMap;
use std::path::Path;

use kiln_build::app::{CERTIFICATES, NPMRC, NPMRC_WITHOUT_LOGINS, Surroundings, YARNRC};
use kiln_disk::disk_failure;
use kiln_fetch::endpoints::Npm;
use kiln_finding::Failure;
use kiln_node::Manager;

use super::wanted::Wanted;
use crate::npm::{certificates, npmrc_text, public_npmrc, straight, yarnrc_text};

/// How large the certificates of a machine may be, in bytes.
const CERTIFICATES_MAX: u64 = 8 << 20;

/// What the commands of a build may use of this machine.
pub(super) fn surroundings(wanted: &Wanted<'_>, is_offline: bool) -> Surroundings {
    Surroundings {
        is_offline,
        has_network: wanted.network,
        secrets: wanted.options.secrets.keys().cloned().collect(),
        agents: wanted.options.agents.keys().cloned().collect(),
    }
}

/// The secrets that commands see npm's settings in.
pub(super) fn secrets(npm: &Npm, manager: Manager) -> Result<BTreeMap<String, Vec<u8>>, Failure> {
    let files =
        [(NPMRC, npmrc_text(npm)), (NPMRC_WITHOUT_LOGINS, public_npmrc(npm)), (YARNRC, yarnrc_text(npm))];
    let files = files.into_iter().map(|(id, text)| (id.to_owned(), text.into_bytes()));
    let names = kiln_build::app::straight(manager);
    let nothing = if matches!(manager, Manager::Yarn | Manager::Bun) { "" } else { "null" };
    let variables =
        names.iter().map(|name| (format!("kiln:{name}"), straight(npm, name, nothing).into_bytes()));
    let mut secrets: BTreeMap<String, Vec<u8>> = files.chain(variables).collect();
    if let Some(file) = certificates(npm) {
        secrets.insert(CERTIFICATES.to_owned(), read(&file)?);
    }
    Ok(secrets)
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    kiln_disk::read(file, CERTIFICATES_MAX)
        .map_err(|error| disk_failure("read the certificates", file, &error))
}
