//! The smallest set of changes that removes what can be removed, and what remains after them.

use std::collections::{BTreeMap, BTreeSet};

use kiln_pkg::{Ecosystem, Inventory, Package};
use serde::{Deserialize, Serialize};

use crate::matching::at_version;
use crate::{Database, Error, Fix, Match, VulnerabilityReport};

/// How often a fixed version may itself be vulnerable before the search ends.
const ROUNDS: usize = 16;

/// What to change, and what that leaves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The changes, those that remove most first.
    pub steps: Vec<Step>,
    /// For `package.json`: every transitive npm package that no direct dependency is known to bring in repaired.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub overrides: BTreeMap<String, String>,
    /// What no change removes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remains: Vec<Remaining>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Which kind of change.
    pub kind: StepKind,
    /// What to do, as a sentence without a full stop.
    pub what: String,
    /// A command or an edit, where one does it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edit: Option<String>,
    /// What to look out for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caution: Option<String>,
    /// The vulnerabilities it removes, as `ID in name@version`. Sorted.
    pub removes: Vec<String>,
}

/// Which kind of change a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepKind {
    /// A newer base: operating-system packages and Node.js.
    RefreshBase,
    /// A tool that the image need not have.
    DropTool,
    /// A newer version of a direct dependency.
    Bump,
    /// A newer version of a transitive npm package, by `overrides`.
    Override,
    /// A newer version of something else.
    Update,
}

/// A vulnerability that stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remaining {
    /// The id.
    pub id: String,
    /// The package, as `name@version`.
    pub package: String,
    /// Why.
    pub why: String,
}

/// Plans the changes for `report`, which is of `inventory`. A version is proposed only if the database knows no
/// vulnerability of it that has a fix itself.
pub fn plan(
    database: &Database<'_>,
    inventory: &Inventory,
    report: &VulnerabilityReport,
) -> Result<Plan, Error> {
    let mut planner = Planner { database, inventory, steps: BTreeMap::new(), plan: Plan::default() };
    let mut by_package: BTreeMap<&str, Vec<&Match>> = BTreeMap::new();
    for found in &report.matches {
        by_package.entry(&found.package).or_default().push(found);
    }
    for package in &inventory.packages {
        if let Some(found) = by_package.remove(package.key().as_str()) {
            planner.add(package, &found)?;
        }
    }
    Ok(planner.finish())
}

struct Planner<'a, 'd> {
    database: &'a Database<'d>,
    inventory: &'a Inventory,
    /// By kind and by what is changed, so that what one change does is one step.
    steps: BTreeMap<(StepKind, String), Draft>,
    plan: Plan,
}

#[derive(Default)]
struct Draft {
    /// What is changed, as `name from → to`.
    changes: BTreeSet<String>,
    edit: Option<String>,
    /// Changes that `^` would not make.
    majors: BTreeSet<String>,
    removes: BTreeSet<String>,
}

impl Planner<'_, '_> {
    fn add(&mut self, package: &Package, found: &[&Match]) -> Result<(), Error> {
        let label = format!("{}@{}", package.name, package.version);
        if let Some(tool) = &package.group {
            let draft = self.steps.entry((StepKind::DropTool, tool.clone())).or_default();
            draft.removes.extend(found.iter().map(|found| format!("{} in {label}", found.id)));
            return Ok(());
        }
        let Some(target) = self.target(package, found)? else {
            let why = |found: &Match| match found.fix {
                Fix::WontFix => "its distribution will not fix it",
                Fix::Unknown => "which version fixes it is not known",
                Fix::None | Fix::Version { .. } => "there is no fix yet",
            };
            self.remain(found.iter().map(|found| (found.id.as_str(), why(found))), &label);
            return Ok(());
        };
        let after = at_version(self.database, self.inventory, package, &target)?;
        let stays = |found: &Match| {
            after.iter().any(|after| after.ids().any(|id| found.ids().any(|known| known == id)))
        };
        let (kept, gone): (Vec<&Match>, Vec<&Match>) = found.iter().copied().partition(|found| stays(found));
        self.remain(kept.iter().map(|found| (found.id.as_str(), "no known version is without it")), &label);
        self.step(package, &target, gone.iter().map(|found| format!("{} in {label}", found.id)));
        Ok(())
    }

    /// The lowest version above all fixes of which no fixable vulnerability is known; `None` where nothing has a fix.
    fn target(&self, package: &Package, found: &[&Match]) -> Result<Option<String>, Error> {
        let highest = |found: &[&Match]| {
            let fixes = found.iter().filter_map(|found| found.fixed_in());
            let higher =
                |a: &&str, b: &&str| package.ecosystem.compare(a, b).unwrap_or(std::cmp::Ordering::Equal);
            fixes.max_by(higher).map(str::to_owned)
        };
        let Some(mut version) = highest(found) else { return Ok(None) };
        for _ in 0..ROUNDS {
            let next = at_version(self.database, self.inventory, package, &version)?;
            match highest(&next.iter().collect::<Vec<_>>()) {
                Some(higher) if higher != version => version = higher,
                _ => break,
            }
        }
        Ok(Some(version))
    }

    fn step(&mut self, package: &Package, target: &str, removes: impl Iterator<Item = String>) {
        let (name, version) = (&package.name, &package.version);
        let own = format!("{name}@{version}");
        let is_direct = package.direct.contains(&own);
        let (kind, key) = match package.ecosystem {
            Ecosystem::Deb | Ecosystem::Apk | Ecosystem::Node => (StepKind::RefreshBase, String::new()),
            // Its distribution ships it, so only a newer package of the distribution changes it.
            _ if package.owner.is_some() => (StepKind::RefreshBase, String::new()),
            Ecosystem::Npm if is_direct => (StepKind::Bump, name.clone()),
            Ecosystem::Npm => (StepKind::Override, String::new()),
            _ => (StepKind::Update, name.clone()),
        };
        if kind == StepKind::Override {
            self.plan.overrides.insert(self.override_key(package), target.to_owned());
        }
        let draft = self.steps.entry((kind, key)).or_default();
        let within = match &package.owner {
            Some(owner) if kind == StepKind::RefreshBase => format!(" in {owner}"),
            _ => String::new(),
        };
        draft.changes.insert(format!("{name} {version} → {target}{within}"));
        draft.removes.extend(removes);
        if kind == StepKind::Bump {
            draft.edit = Some(format!("npm install {name}@{target}"));
        }
        if kind != StepKind::RefreshBase && crosses_major(version, target) {
            draft.majors.insert(format!("{name} {version} → {target}"));
        }
    }

    /// npm replaces only the copies that a key with a version names.
    fn override_key(&self, package: &Package) -> String {
        let copies = self
            .inventory
            .of(Ecosystem::Npm)
            .filter(|other| other.name == package.name && other.group.is_none());
        if copies.count() > 1 {
            format!("{}@{}", package.name, package.version)
        } else {
            package.name.clone()
        }
    }

    fn remain<'m>(&mut self, found: impl Iterator<Item = (&'m str, &'static str)>, package: &str) {
        let remaining = |(id, why): (&str, &str)| Remaining {
            id: id.to_owned(),
            package: package.to_owned(),
            why: why.to_owned(),
        };
        self.plan.remains.extend(found.map(remaining));
    }

    fn finish(mut self) -> Plan {
        let overrides = serde_json::json!({"overrides": self.plan.overrides});
        for ((kind, key), draft) in self.steps {
            let changes = draft.changes.into_iter().collect::<Vec<_>>().join(", ");
            let (what, edit) = match kind {
                StepKind::RefreshBase => (format!("refresh the base image: {changes}"), None),
                StepKind::DropTool => {
                    (format!("leave {key} out of the image: nothing that runs needs it"), None)
                }
                StepKind::Bump => (format!("update the direct dependency {changes}"), draft.edit),
                StepKind::Override => (
                    format!("override in package.json, whoever asks for them: {changes}"),
                    serde_json::to_string_pretty(&overrides).ok(),
                ),
                StepKind::Update => (format!("update {changes}"), None),
            };
            let unproven = "what the packages above allow is not known here, so test the app".to_owned();
            let majors = draft.majors.into_iter().collect::<Vec<_>>().join(", ");
            let majors = (!majors.is_empty()).then(|| format!("a major version changes: {majors}"));
            let cautions = (kind == StepKind::Override).then_some(unproven).into_iter().chain(majors);
            let caution = Some(cautions.collect::<Vec<_>>().join("; ")).filter(|text| !text.is_empty());
            self.plan.steps.push(Step {
                kind,
                what,
                edit,
                caution,
                removes: draft.removes.into_iter().collect(),
            });
        }
        self.plan.steps.sort_by_key(|step| (std::cmp::Reverse(step.removes.len()), step.kind));
        self.plan
    }
}

/// Whether the leftmost number that is not zero changes: what `^` does not reach. Source: node-semver, "Caret Ranges".
fn crosses_major(from: &str, to: &str) -> bool {
    use kiln_pkg::version::SemVer;
    let (Some(from), Some(to)) = (SemVer::parse_bound(from), SemVer::parse_bound(to)) else { return false };
    from.major != to.major || from.major == 0 && (from.minor != to.minor)
}
