//! Language packages inside an operating-system package: their own feed finds, and the distribution may have looked.

use std::collections::BTreeMap;

use kiln_pkg::{Ecosystem, Inventory, Package, Packager};

use crate::coverage::{Scope, scope};
use crate::{Bound, Database, Error, Match, Span, Status, Suppression, Verdict};

/// The operating-system packages of an inventory, and what their distribution says of what is in them.
pub(crate) struct Owners<'a> {
    inventory: &'a Inventory,
    packages: BTreeMap<&'a str, &'a Package>,
    /// By owner, whether the feed of its distribution answers for all that it holds.
    followed: BTreeMap<&'a str, bool>,
    /// By owner, what it says of which ids.
    asked: BTreeMap<&'a str, Vec<(Vec<String>, Verdict)>>,
}

impl<'a> Owners<'a> {
    pub(crate) fn of(inventory: &'a Inventory) -> Self {
        let is_system = |package: &&Package| matches!(package.ecosystem, Ecosystem::Deb | Ecosystem::Apk);
        let packages = inventory.packages.iter().filter(is_system);
        let packages = packages.map(|package| (package.name.as_str(), package)).collect();
        Self { inventory, packages, followed: BTreeMap::new(), asked: BTreeMap::new() }
    }

    /// Whether the distribution alone answers for `package`. Debian repairs what it ships without changing its version, so
    /// versions say nothing; and a Node.js that a distribution built is its own. Anybody can write the address of a Debian
    /// maintainer into a package, so Debian's feed must know it: of what it never named, nobody there judged what is inside.
    pub(crate) fn answer_alone(&mut self, database: &Database<'_>, package: &Package) -> Result<bool, Error> {
        let by_debian = self.owner(package).is_some_and(|owner| owner.ecosystem == Ecosystem::Deb);
        Ok((package.ecosystem == Ecosystem::Node || by_debian) && self.answer(database, package)?)
    }

    /// Whether the feed of a distribution is about the operating-system package that holds `package`, about its release, and
    /// of Debian about just that package.
    pub(crate) fn answer(&mut self, database: &Database<'_>, package: &Package) -> Result<bool, Error> {
        let Some(owner) = self.owner(package) else { return Ok(false) };
        if let Some(known) = self.followed.get(owner.name.as_str()) {
            return Ok(*known);
        }
        let scope = scope(database, self.inventory, owner);
        let is_followed = scope.covered.is_whole()
            && is_followed(database, &scope, owner)?
            && (owner.ecosystem == Ecosystem::Apk || is_known(database, &scope, owner)?);
        self.followed.insert(&owner.name, is_followed);
        Ok(is_followed)
    }

    fn owner(&self, package: &Package) -> Option<&'a Package> {
        self.packages.get(package.owner.as_deref()?).copied()
    }

    /// Why a vulnerability of `package` does not count, if its owner's distribution says so.
    pub(crate) fn verdict(
        &mut self,
        database: &Database<'_>,
        package: &'a Package,
        found: &Match,
    ) -> Result<Option<Suppression>, Error> {
        let Some(owner) = self.owner(package) else { return Ok(None) };
        if !self.answer(database, package)? {
            return Ok(None);
        }
        let name = owner.name.as_str();
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

/// Whether the feed of a distribution follows `package`: not what vendors and others built, though it is installed by the same means.
/// Where nothing says who built it, the feed must know it.
pub(crate) fn is_followed(
    database: &Database<'_>,
    scope: &Scope<'_>,
    package: &Package,
) -> Result<bool, Error> {
    Ok(match (package.packager, scope.slice) {
        (Packager::Distribution, _) | (_, None) => true,
        (Packager::Other, Some(_)) => false,
        (Packager::Unsaid, Some(_)) => is_known(database, scope, package)?,
    })
}

fn is_known(database: &Database<'_>, scope: &Scope<'_>, package: &Package) -> Result<bool, Error> {
    scope.slice.map_or(Ok(false), |slice| database.knows(slice, package.advisory_name()))
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
