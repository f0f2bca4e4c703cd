//! What is known of an image, for the checks of a profile.

use std::collections::BTreeSet;

use kiln_base::Lock;
use kiln_build::app::BaseImage;
use kiln_finding::{Fact, Failure};
use kiln_image::{Image, Source};
use kiln_images::clock::now;
use kiln_images::{Machine, NamedImage, Prefer};
use kiln_inventory::locked_package;
use kiln_node::{AppFacts, LockKind};
use kiln_oci::Arch;
use kiln_pkg::{Ecosystem, Inventory, Package, Place};
use kiln_policy::{
    ArchiveFacts, Attested, BaseFacts, Evidence, EvidenceSubject, LockFacts, PolicySettings, Scorecard, Size,
    Stage,
};
use kiln_rootfs::{RootPath, Tree};
use kiln_store::Layout;
use kiln_trust::{Authority, TrustReport, Verdict};
use kiln_vuln::{Database, Terms, VexSource, VexTarget, apply_vex};

use crate::built::Built;
use crate::found::{Depth, Found};
use crate::inventory::inventory;
use crate::{advisories, seal};

/// By what an image is judged: advisories, and what others say of them.
#[derive(Clone, Copy)]
pub struct Advice<'a> {
    /// The advisories.
    pub database: &'a Database<'static>,
    /// The day, and how old advisories may be.
    pub terms: &'a Terms,
    /// VEX documents.
    pub documents: &'a [VexSource],
}

/// Judges the image that `name` stands for, wherever it lies, by the checks of `settings`, with the newest advisories of this
/// machine. Statements count that `trusted` signed; without it, nothing is known of any. What only a build knows (the lock file of
/// the app, the base and its archive) is unknown here, and what is unknown does not pass.
pub fn judge(
    machine: &Machine,
    name: &str,
    settings: &PolicySettings,
    trusted: Option<&Authority>,
) -> Result<Scorecard, Failure> {
    let named = NamedImage::open(machine, name, Prefer::Registry, None)?;
    let database = advisories::newest(machine)?.database;
    let terms = Terms::on(advisories::today());
    let advice = Advice { database: &database, terms: &terms, documents: &[] };
    let mut evidence = about_image(machine, &named.image, named.place(), name, advice)?;
    if let Some(trusted) = trusted {
        let image = &named.image.descriptor;
        let mut found = Found::about(named.place(), &named.root, image)?;
        let required = seal::required();
        let verify = |evidence: &[kiln_trust::Evidence]| {
            kiln_trust::verify_image(&image.digest, evidence, trusted, &required)
        };
        evidence.attestations = attested(&found.judged(Depth::Enough, verify));
    }
    Ok(kiln_policy::judge(&evidence, settings, Stage::Attested))
}

/// What an image in `place` says of itself, called `name`; what of that is vulnerable, and what VEX documents say of that.
pub fn about_image<S: Source + Sync>(
    machine: &Machine,
    image: &Image,
    place: &S,
    name: &str,
    advice: Advice<'_>,
) -> Result<Evidence, Failure> {
    about(image, inventory(image, place, machine)?, name, advice)
}

fn about(image: &Image, inventory: Inventory, name: &str, advice: Advice<'_>) -> Result<Evidence, Failure> {
    let mut report = kiln_vuln::check(advice.database, &inventory, advice.terms)?;
    let digest = image.descriptor.digest;
    let (repository, tag) = name.rsplit_once(':').unwrap_or((name, "latest"));
    let target =
        VexTarget { name: Some(repository.to_owned()), tag: Some(tag.to_owned()), digests: vec![digest] };
    apply_vex(&mut report, &target, advice.documents);
    let not_built = || "nothing tells how the image was built".to_owned();
    Ok(Evidence {
        subject: EvidenceSubject {
            name: name.to_owned(),
            digest,
            platform: format!("{}/{}", image.config.os, image.config.architecture),
        },
        today: advice.terms.today,
        size: Fact::Known(Size { compressed: image.compressed_size(), layers: image.manifest.layers.len() }),
        config: Fact::Known(image.config.clone()),
        inventory: Fact::Known(inventory),
        vulnerabilities: Fact::Known(report),
        lock: Fact::Unknown(not_built()),
        base: Fact::Unknown(not_built()),
        archive: Fact::Unknown(not_built()),
        sources: Fact::Unknown(not_built()),
        attestations: Fact::Unknown("nobody looked for signatures".to_owned()),
    })
}

/// The same of an image that was just built into `layout`, with what only the build knows.
pub fn about_build(
    machine: &Machine,
    built: &Built,
    layout: &Layout,
    advice: Advice<'_>,
) -> Result<Evidence, Failure> {
    let image = Image::read(layout, &built.manifest)?;
    let mut inventory = inventory(&image, layout, machine)?;
    if !built.plan.scripts().is_empty() {
        add_installed(&mut inventory, &built.facts, built.arch);
    }
    if let Some(bundled) = &built.bundled {
        add_bundled(&mut inventory, &built.facts, bundled);
        add_unlocked(&mut inventory, &built.facts, &built.built_with);
        forget_own_bundles(&mut inventory, &built.tree);
    }
    let evidence = about(&image, inventory, &built.name, advice)?;
    Ok(Evidence {
        lock: lock_facts(&built.facts, built.arch, built.bundled.as_deref().unwrap_or_default()),
        base: base(&built.base),
        archive: archive(&built.lock, now()),
        sources: built.sources.clone(),
        attestations: Fact::Unknown("the image is not signed yet".to_owned()),
        ..evidence
    })
}

/// The statements of a report: those that count, and those that do not, and why. Unknown where what was not looked at may count.
pub fn attested(report: &TrustReport) -> Fact<Vec<Attested>> {
    if report.verdict() == Verdict::NotKnown {
        return Fact::Unknown(format!(
            "of what lies beside {}, not everything could be looked at",
            report.image
        ));
    }
    let right = report.statements.iter().map(|statement| Attested {
        predicate_type: statement.get().predicate_type.clone(),
        verified: true,
        detail: statement.signer().to_string(),
    });
    let wrong = report.rejected().map(|(_, rejected)| Attested {
        predicate_type: String::new(),
        verified: false,
        detail: rejected.why.clone(),
    });
    Fact::Known(right.chain(wrong).collect())
}

/// Adds what the lock file installs for production and the image does not name: a script of the app may have changed what a package
/// says of itself, and its code is judged all the same.
fn add_installed(inventory: &mut Inventory, facts: &AppFacts, arch: Arch) {
    let Some((_, lock)) = &facts.lock else { return };
    let left_out = lock.left_out("linux", arch.npm_name(), "glibc");
    let is_installed = |at: &usize| {
        let package = &lock.packages[*at];
        package.is_dev == Some(false)
            && package.is_optional != Some(true)
            && package.elsewhere.is_none()
            && !left_out[*at]
    };
    let installed: Vec<usize> = (0..lock.packages.len()).filter(is_installed).collect();
    let added = add_locked(inventory, facts, &installed);
    if added > 0 {
        inventory.notes.push(format!(
            "{added} packages are not in the image as they were installed, as a script of the app changed them: they are listed as the lock file has them"
        ));
    }
}

/// Adds packages that the build may have put into files of its own, where nothing tells of them: they are listed and judged as if
/// they were installed.
fn add_bundled(inventory: &mut Inventory, facts: &AppFacts, bundled: &[usize]) {
    let added = add_locked(inventory, facts, bundled);
    if added > 0 {
        inventory.notes.push(format!(
            "{added} packages for development may be in what the build made: nothing tells which, so all of them are listed"
        ));
    }
}

/// Adds packages that were installed to build with and that the lock file does not have: it is not what says what a bundler took.
fn add_unlocked(inventory: &mut Inventory, facts: &AppFacts, installed: &BTreeSet<(String, String)>) {
    let Some((_, lock)) = &facts.lock else { return };
    let locked: BTreeSet<(&str, &str)> =
        lock.packages.iter().map(|package| (package.name.as_str(), package.version.as_str())).collect();
    // What is from elsewhere has no version in some lock files, and is listed as that.
    let elsewhere = lock.packages.iter().filter(|package| package.elsewhere.is_some());
    let elsewhere: BTreeSet<&str> = elsewhere.map(|package| package.name.as_str()).collect();
    let named = |package: &Package| (package.ecosystem, package.name.clone(), package.version.clone());
    let known: BTreeSet<_> = inventory.packages.iter().map(named).collect();
    let unlocked = installed.iter().filter(|(name, version)| {
        !locked.contains(&(name.as_str(), version.as_str())) && !elsewhere.contains(name.as_str())
    });
    let mut added: Vec<Package> = unlocked
        .map(|(name, version)| Package::new(Ecosystem::Npm, name, version))
        .filter(|package| !known.contains(&named(package)))
        .collect();
    if added.is_empty() {
        return;
    }
    for package in &mut added {
        package.places = vec![Place { path: format!("node_modules/{}", package.name), layer: None }];
    }
    inventory.notes.push(format!(
        "{} packages that were installed to build with are not in the lock file: they are listed, as they may be in what the build made",
        added.len()
    ));
    inventory.packages.append(&mut added);
    inventory.packages.sort_by_key(named);
}

/// Adds what is not there yet of packages of the lock file, and says how many that are.
fn add_locked(inventory: &mut Inventory, facts: &AppFacts, places: &[usize]) -> usize {
    let Some((kind, lock)) = &facts.lock else { return 0 };
    let named = |package: &Package| (package.ecosystem, package.name.clone(), package.version.clone());
    let mut known: BTreeSet<_> = inventory.packages.iter().map(named).collect();
    let locked = places.iter().filter_map(|at| lock.packages.get(*at));
    let mut packages: Vec<Package> =
        locked.map(|locked| Package { dev: false, ..locked_package(locked, kind.file_name()) }).collect();
    packages.retain(|package| known.insert(named(package)));
    let added = packages.len();
    inventory.packages.append(&mut packages);
    inventory.packages.sort_by_key(named);
    added
}

/// What the build bundled is known: all that may be in it is listed. What lies bundled among the sources is not.
fn forget_own_bundles(inventory: &mut Inventory, sources: &Tree) {
    let is_source = |path: &String| {
        let inside = path.strip_prefix("app/").and_then(|path| RootPath::normalise(path).ok());
        inside.is_some_and(|path| sources.get(&path).is_some())
    };
    for app in &mut inventory.unseen {
        app.bundles.retain(is_source);
        app.may_be_bundles.clear();
        if app.bundles.is_empty() {
            app.forget_bundles();
        }
    }
    inventory.unseen.retain(|app| app.is_bundled() || app.is_uncovered());
}

/// What the lock file of the app says; what may be in the image after all is not for development.
fn lock_facts(facts: &AppFacts, arch: Arch, bundled: &[usize]) -> Fact<LockFacts> {
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
    let in_image = bundled.iter().filter_map(|at| lock.packages.get(*at));
    let in_image: Vec<String> =
        in_image.map(|package| format!("{}@{}", package.name, package.version)).collect();
    dev_packages.retain(|package| !production.contains(package) && !in_image.contains(package));
    dev_packages.sort();
    dev_packages.dedup();
    let mut without_integrity = lock.without_integrity(arch.npm_name());
    without_integrity.sort();
    Fact::Known(LockFacts { file: kind.file_name().to_owned(), without_integrity, dev_packages })
}

/// What the image is built on.
fn base(base: &BaseImage) -> Fact<BaseFacts> {
    Fact::Known(BaseFacts { name: base.name.clone(), digest: Some(base.digest), locked: true })
}

/// The signed state of the archive that the base was taken from, seen at `now` (seconds since 1970).
fn archive(lock: &Lock, now: i64) -> Fact<ArchiveFacts> {
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

#[cfg(test)]
mod tests {
    use kiln_node::Lock;
    use kiln_pkg::Unseen;

    use super::*;

    #[test]
    fn what_may_be_bundled_is_listed_once_and_is_not_for_development() {
        let lock = br#"{"lockfileVersion": 3, "packages": {
            "": {"dependencies": {"express": "1"}, "devDependencies": {"svelte": "5", "vite": "7"}},
            "node_modules/express": {"version": "1.0.0"},
            "node_modules/svelte": {"version": "5.0.0", "dev": true},
            "node_modules/vite": {"version": "7.0.0", "dev": true}}}"#;
        let lock = Lock::read(LockKind::PackageLock, "l", lock).unwrap();
        let express = Package::new(Ecosystem::Npm, "express", "1.0.0");
        let facts = AppFacts { lock: Some((LockKind::PackageLock, lock)), ..AppFacts::default() };
        let mut inventory = Inventory { packages: vec![express], ..Inventory::default() };
        add_bundled(&mut inventory, &facts, &[0, 1]);
        let names: Vec<&str> = inventory.packages.iter().map(|package| package.name.as_str()).collect();
        assert_eq!(names, ["express", "svelte"]);
        assert!(inventory.packages.iter().all(|package| !package.dev) && inventory.notes.len() == 1);
        let built_with = [("svelte", "5.0.0"), ("svelte", "4.0.0"), ("express", "1.0.0")];
        let built_with = built_with.map(|(name, version)| (name.to_owned(), version.to_owned()));
        add_unlocked(&mut inventory, &facts, &built_with.into());
        let versions: Vec<&str> = inventory.packages.iter().map(|package| package.version.as_str()).collect();
        assert_eq!(versions, ["1.0.0", "4.0.0", "5.0.0"], "what was installed, whatever the lock file says");
        let mut changed = Inventory::default();
        add_installed(&mut changed, &facts, Arch::Amd64);
        let names: Vec<&str> = changed.packages.iter().map(|package| package.name.as_str()).collect();
        assert_eq!(names, ["express"], "what a script took the name of is listed");
        let mut source = Tree::new();
        source.insert_file("public/vendor.js", 0o644, *b"").unwrap();
        let bundles = ["app/dist/a.js", "app/public/vendor.js"].map(str::to_owned).to_vec();
        inventory.unseen = vec![Unseen { bundles, ..Unseen::at("app") }];
        forget_own_bundles(&mut inventory, &source);
        assert_eq!(inventory.unseen[0].bundles, ["app/public/vendor.js"]);
        forget_own_bundles(&mut inventory, &Tree::new());
        assert!(inventory.unseen.is_empty());
        let Fact::Known(lock) = lock_facts(&facts, Arch::Amd64, &[0, 1]) else {
            panic!("the lock file is there")
        };
        assert_eq!(lock.dev_packages, ["vite@7.0.0"]);
    }
}
