//! What the build knows that the image alone does not tell.

use kiln_base::Lock;
use kiln_build::BaseImage;
use kiln_finding::Fact;
use kiln_node::AppFacts;
use kiln_node::LockKind;
use kiln_policy::{ArchiveFacts, BaseFacts, LockFacts};

/// What the lock file of the app says.
pub(crate) fn lock_facts(facts: &AppFacts) -> Fact<LockFacts> {
    let Some((kind, lock)) = &facts.lock else {
        return Fact::Unknown("the app has no lock file".to_owned());
    };
    let mut dev_packages: Vec<String> = if *kind == LockKind::Yarn {
        // yarn.lock does not tell what development needs; package.json does, for what it names itself.
        let dev = &facts.package.dev_dependencies;
        let direct = lock.packages.iter().filter(|package| dev.contains_key(&package.name));
        direct
            .filter(|package| !facts.package.dependencies.contains_key(&package.name))
            .map(|package| format!("{}@{}", package.name, package.version))
            .collect()
    } else {
        let dev = lock.packages.iter().filter(|package| package.is_dev == Some(true));
        dev.map(|package| format!("{}@{}", package.name, package.version)).collect()
    };
    // A package may be pinned twice, once for production.
    let production: Vec<String> = lock
        .packages
        .iter()
        .filter(|package| package.is_dev == Some(false))
        .map(|package| format!("{}@{}", package.name, package.version))
        .collect();
    dev_packages.retain(|package| !production.contains(package));
    dev_packages.sort();
    dev_packages.dedup();
    let mut without_integrity = lock.without_integrity();
    without_integrity.sort();
    Fact::Known(LockFacts { file: kind.file_name().to_owned(), without_integrity, dev_packages })
}

/// What the image is built on.
pub(crate) fn base(base: &BaseImage) -> Fact<BaseFacts> {
    Fact::Known(BaseFacts { name: base.name.clone(), digest: Some(base.digest), locked: true })
}

/// The signed state of the archive that the base was taken from, seen at `now` (seconds since 1970).
pub(crate) fn archive(lock: &Lock, now: i64) -> Fact<ArchiveFacts> {
    let date = lock.date();
    let Ok(time) = date.parse::<jiff::Timestamp>() else {
        return Fact::Unknown(format!("kiln.lock gives `{date}` as the date of the archive"));
    };
    let days = now.saturating_sub(time.as_second()).max(0) / 86_400;
    Fact::Known(ArchiveFacts {
        distribution: format!("debian-{}", lock.distribution),
        as_of: date.chars().take(10).collect(),
        age_days: u32::try_from(days).unwrap_or(u32::MAX),
    })
}
