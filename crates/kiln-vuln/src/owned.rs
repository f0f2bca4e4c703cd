//! Language packages inside an operating-system package: their own feed finds, and the distribution may have looked.

use std::collections::BTreeMap;

use kiln_pkg::{Ecosystem, Inventory, Package};

use crate::coverage::scope;
use crate::{Bound, Database, Error, Match, Span, Status, Suppression, Verdict};

/// The operating-system packages of an inventory, and what their distribution says of what is in them.
pub(crate) struct Owners<'a> {
    inventory: &'a Inventory,
    packages: BTreeMap<&'a str, &'a Package>,
    /// By owner, what it says of which ids.
    asked: BTreeMap<&'a str, Vec<(Vec<String>, Verdict)>>,
}

impl<'a> Owners<'a> {
    pub(crate) fn of(inventory: &'a Inventory) -> Self {
        let is_system = |package: &&Package| matches!(package.ecosystem, Ecosystem::Deb | Ecosystem::Apk);
        let packages = inventory.packages.iter().filter(is_system);
        let packages = packages.map(|package| (package.name.as_str(), package)).collect();
        Self { inventory, packages, asked: BTreeMap::new() }
    }

    /// Whether the distribution alone answers for `package`. Debian repairs what it ships without changing its version, so
    /// versions say nothing; and a Node.js that a distribution built is its own.
    pub(crate) fn answer_alone(&self, package: &Package) -> bool {
        let Some(owner) = &package.owner else { return false };
        let by_debian =
            self.packages.get(owner.as_str()).is_some_and(|owner| owner.ecosystem == Ecosystem::Deb);
        package.ecosystem == Ecosystem::Node || by_debian
    }

    /// Whether the operating-system package that holds `package` is known.
    pub(crate) fn know(&self, package: &Package) -> bool {
        package.owner.as_deref().is_some_and(|owner| self.packages.contains_key(owner))
    }

    /// Why a vulnerability of `package` does not count, if its owner's distribution says so.
    pub(crate) fn verdict(
        &mut self,
        database: &Database<'_>,
        package: &'a Package,
        found: &Match,
    ) -> Result<Option<Suppression>, Error> {
        let owner = package.owner.as_deref().and_then(|owner| Some((owner, *self.packages.get(owner)?)));
        let Some((name, owner)) = owner else { return Ok(None) };
        if !self.asked.contains_key(name) {
            self.asked.insert(name, verdicts(database, self.inventory, owner)?);
        }
        let says = self.asked.get(name).into_iter().flatten();
        let mut fitting =
            says.filter(|(known, _)| found.ids().any(|id| known.iter().any(|known| known == id)));
        Ok(fitting.next().map(|(_, verdict)| Suppression::Distribution {
            package: format!("{}@{}", owner.name, owner.version),
            verdict: *verdict,
        }))
    }
}

/// The vulnerabilities that the distribution of `owner` knows this version of it not to have.
fn verdicts(
    database: &Database<'_>,
    inventory: &Inventory,
    owner: &Package,
) -> Result<Vec<(Vec<String>, Verdict)>, Error> {
    let scope = scope(database, inventory, owner);
    let Some(slice) = scope.slice else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    let says = |spans: &[Span<'_>]| verdict(spans, scope.bit, owner);
    for advisory in database.lookup_where(slice, owner.advisory_name(), |spans| says(spans).is_some())? {
        if let Some(verdict) = says(&advisory.spans) {
            found.push((std::iter::once(advisory.id).chain(advisory.aliases).collect(), verdict));
        }
    }
    Ok(found)
}

fn verdict(spans: &[Span<'_>], bit: Option<u64>, owner: &Package) -> Option<Verdict> {
    let version = owner.advisory_version();
    let spans = || spans.iter().filter(|span| span.is_of(bit));
    let mut holding = spans().filter(|span| span.holds(owner.ecosystem, version)).peekable();
    if holding.peek().is_some() {
        let never = holding.any(|span| span.status == Status::NotAffected);
        return never.then_some(Verdict::NotAffected);
    }
    let fixed = spans().any(|span| match span.high {
        Bound::Fixed(fixed) => owner.ecosystem.compare(version, fixed).is_some_and(std::cmp::Ordering::is_ge),
        _ => false,
    });
    fixed.then_some(Verdict::Fixed)
}
