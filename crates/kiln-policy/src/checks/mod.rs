mod im001_root_user;
mod im002_shell;
mod im003_package_manager;
mod im004_set_uid;
mod im005_node_env;
mod im006_health_check;
mod im007_secrets;
mod im008_unpinned_base;
mod im009_unapproved_base;
mod im010_size;
mod na001_dev_dependencies;
mod na002_lockfile_integrity;
mod na003_node_line;
mod pk001_fixable_vulnerabilities;
mod pk002_known_exploited;
mod pk003_denied_licences;
mod sg001_signature;
mod sg002_sbom;
mod sg003_provenance;
mod sg004_uncommitted_sources;

use crate::Check;

/// Every check, by id.
pub static CHECKS: &[&Check] = &[
    &im001_root_user::CHECK,
    &im002_shell::CHECK,
    &im003_package_manager::CHECK,
    &im004_set_uid::CHECK,
    &im005_node_env::CHECK,
    &im006_health_check::CHECK,
    &im007_secrets::CHECK,
    &im008_unpinned_base::CHECK,
    &im009_unapproved_base::CHECK,
    &im010_size::CHECK,
    &na001_dev_dependencies::CHECK,
    &na002_lockfile_integrity::CHECK,
    &na003_node_line::CHECK,
    &pk001_fixable_vulnerabilities::CHECK,
    &pk002_known_exploited::CHECK,
    &pk003_denied_licences::CHECK,
    &sg001_signature::CHECK,
    &sg002_sbom::CHECK,
    &sg003_provenance::CHECK,
    &sg004_uncommitted_sources::CHECK,
];
