use std::collections::{BTreeMap, BTreeSet};

use kiln_pkg::version::pypi::normal_name;
use kiln_pkg::{Ecosystem, Elsewhere, Inventory, Package, Unread};

use crate::coverage::{Scope, has_malware_feed, scope};
use crate::lifecycle::ended;
use crate::origin::{Paths, made_by};
use crate::owned::{Owners, is_followed};
use crate::report::worst_first;
use crate::{
    Advisory, Bound, Coverage, Covered, Database, Error, Fix, Match, Span, Status, Suppressed, Terms,
    VulnerabilityReport,
};

/// Matches the packages of `inventory` against `database`, on the day of `terms`.
///
/// Fails only on a database that is malformed where it was asked; then there is no result at all.
pub fn check(
    database: &Database<'_>,
    inventory: &Inventory,
    terms: &Terms,
) -> Result<VulnerabilityReport, Error> {
    let mut matches = Vec::new();
    let mut unread = inventory.unread.clone();
    let mut coverage: BTreeMap<(Ecosystem, String, &str), Coverage> = BTreeMap::new();
    let mut asked = BTreeSet::new();
    let mut answered = Vec::new();
    let mut owners = Owners::of(inventory);
    let mut suppressed = Vec::new();
    let (elsewhere, released): (Vec<&Package>, Vec<&Package>) = inventory
        .packages
        .iter()
        .filter(|package| package.elsewhere != Some(Elsewhere::Own))
        .partition(|package| package.elsewhere.is_some());
    for package in released.into_iter().filter(|package| is_asked(package)) {
        if owners.answer_alone(database, package)? {
            continue;
        }
        let mut scope = scope(database, inventory, package);
        // Nobody else answers, and the feed of its distribution is about all that its packages hold.
        if scope.slice.is_none() && owners.answer(database, package)? {
            continue;
        }
        if !is_followed(database, &scope, package)? {
            scope = scope.of_others();
        }
        asked.extend(
            scope.slice.filter(|_| !matches!(scope.covered, Covered::None { .. })).map(|slice| slice.as_of),
        );
        answered.push(package);
        let key = (package.ecosystem, scope.release.clone(), scope.covered.state());
        coverage.entry(key).or_insert_with(|| group(&scope, package, terms)).packages += 1;
        match check_package(database, &scope, package)? {
            Judged::Matches(found) => {
                for found in found {
                    match owners.verdict(database, package, &found)? {
                        None => matches.push(found),
                        Some(by) => suppressed.push(Suppressed { found, by }),
                    }
                }
            }
            Judged::NoVersion => unread.push(Unread {
                path: package.places.first().map_or_else(|| package.key(), |place| place.path.clone()),
                reader: "advisories".to_owned(),
                why: no_version(package),
            }),
        }
    }
    let paths = Paths::of(inventory);
    for found in matches.iter_mut().chain(suppressed.iter_mut().map(|suppressed| &mut suppressed.found)) {
        found.layer = made_by(inventory, found);
        found.path = paths.to(found);
    }
    matches.sort_by(worst_first);
    suppressed.sort_by(|a, b| worst_first(&a.found, &b.found));
    Ok(VulnerabilityReport {
        matches,
        suppressed,
        coverage: coverage.into_values().chain(from_elsewhere(&elsewhere)).collect(),
        end_of_life: ended(inventory, answered.into_iter(), terms.today),
        unread,
        unseen: inventory.unseen.clone(),
        database: database.checksum(),
        as_of: asked.into_iter().next(),
    })
}

/// The group of packages that are answered for as this one is; still empty.
fn group(scope: &Scope<'_>, package: &Package, terms: &Terms) -> Coverage {
    let feed = scope.slice.filter(|_| !matches!(scope.covered, Covered::None { .. }));
    Coverage {
        ecosystem: package.ecosystem,
        release: scope.release.clone(),
        packages: 0,
        feed: feed.map(|slice| slice.name.clone()),
        elsewhere: false,
        covered: scope.covered.clone().on(feed.map_or("", |slice| &slice.name), terms),
        names_malware: feed.filter(|_| has_malware_feed(package.ecosystem)).map(|slice| slice.malware > 0),
    }
}

/// Packages whose code is from no registry: what they are called says nothing of them. A group for each ecosystem.
fn from_elsewhere(packages: &[&Package]) -> Vec<Coverage> {
    let mut groups: BTreeMap<Ecosystem, Vec<&Package>> = BTreeMap::new();
    for package in packages {
        groups.entry(package.ecosystem).or_default().push(package);
    }
    let group = |(ecosystem, packages): (Ecosystem, Vec<&Package>)| {
        let told = |package: &&Package| {
            let from = package.elsewhere.as_ref().map_or("", Elsewhere::describe);
            format!("{} ({from})", package.name)
        };
        let named: Vec<String> = packages.iter().take(NAMED).map(told).collect();
        let more = packages.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        Coverage {
            ecosystem,
            release: String::new(),
            packages: packages.len() as u64,
            feed: None,
            elsewhere: true,
            covered: Covered::None {
                why: format!(
                    "not from the registry, so that no advisory names them: {}{more}",
                    named.join(", ")
                ),
            },
            names_malware: None,
        }
    };
    groups.into_iter().map(group).collect()
}

/// Whether a package's own feed can answer for it. NodeSource's Debian packages are the Node.js project's, which is asked itself. The
/// main module of a Go program has no version: it is never a release that an advisory could name.
fn is_asked(package: &Package) -> bool {
    let is_release = package.ecosystem != Ecosystem::Go || !package.version.is_empty();
    is_release && !(package.ecosystem == Ecosystem::Deb && package.version.contains("nodesource"))
}

/// The name under which a slice has the package. Python's package index knows many spellings of one name (PEP 503).
fn advisory_key(package: &Package) -> std::borrow::Cow<'_, str> {
    match package.ecosystem {
        Ecosystem::PyPi => normal_name(package.advisory_name()).into(),
        _ => package.advisory_name().into(),
    }
}

fn no_version(package: &Package) -> String {
    if package.version.is_empty() {
        return format!("`{}` has no version", package.name);
    }
    format!("`{}` is no version of {} that can be compared", package.version, package.ecosystem)
}

/// Packages of a group that are named.
const NAMED: usize = 3;

enum Judged {
    Matches(Vec<Match>),
    NoVersion,
}

/// The vulnerabilities that `package` would have at `version`.
pub(crate) fn at_version(
    database: &Database<'_>,
    inventory: &Inventory,
    package: &Package,
    version: &str,
) -> Result<Vec<Match>, Error> {
    let mut moved = Package { version: version.to_owned(), ..package.clone() };
    if let Some(source) = &mut moved.source {
        version.clone_into(&mut source.version);
    }
    let scope = scope(database, inventory, &moved);
    Ok(match check_package(database, &scope, &moved)? {
        Judged::Matches(found) => found,
        Judged::NoVersion => Vec::new(),
    })
}

fn check_package(database: &Database<'_>, scope: &Scope<'_>, package: &Package) -> Result<Judged, Error> {
    let Some(slice) = scope.slice else { return Ok(Judged::Matches(Vec::new())) };
    let version = package.advisory_version();
    let mut found = Joined::default();
    if package.ecosystem.compare(version, version).is_none() {
        return Ok(Judged::NoVersion);
    }
    let fix = |spans: &[Span<'_>]| judge(spans, scope, package.ecosystem, version);
    for advisory in database.lookup_where(slice, &advisory_key(package), |spans| fix(spans).is_some())? {
        if let Some(fix) = fix(&advisory.spans) {
            found.push(to_match(advisory, package, fix));
        }
    }
    Ok(Judged::Matches(found.finish()))
}

/// What fixes the advisory for this version; `None` where the version is not affected.
fn judge(spans: &[Span<'_>], scope: &Scope<'_>, ecosystem: Ecosystem, version: &str) -> Option<Fix> {
    let mut first = None;
    for span in spans.iter().filter(|span| span.is_of(scope.bit) && span.holds(ecosystem, version)) {
        if span.status == Status::NotAffected {
            return None;
        }
        first = first.or(Some(span));
    }
    let span = first?;
    Some(match span.high {
        _ if span.status == Status::WontFix => Fix::WontFix,
        Bound::Fixed(fixed) => Fix::Version { version: fixed.to_owned() },
        Bound::Open => Fix::None,
        Bound::Last(_) | Bound::Unknown => Fix::Unknown,
        Bound::Below(_) => {
            next_fix(spans, ecosystem, version).map_or(Fix::None, |fixed| Fix::Version { version: fixed })
        }
    })
}

/// The lowest fixed version above `version` in any line.
fn next_fix(spans: &[Span<'_>], ecosystem: Ecosystem, version: &str) -> Option<String> {
    let fixed = spans.iter().filter_map(|span| match span.high {
        Bound::Fixed(fixed) => Some(fixed),
        _ => None,
    });
    let above =
        fixed.filter(|fixed| ecosystem.compare(fixed, version).is_some_and(std::cmp::Ordering::is_gt));
    above.min_by(|a, b| ecosystem.compare(a, b).unwrap_or(std::cmp::Ordering::Equal)).map(str::to_owned)
}

fn to_match(advisory: Advisory<'_>, package: &Package, fix: Fix) -> Match {
    Match {
        aliases: advisory.aliases,
        judged_by: advisory.judged_by,
        cvss: advisory.cvss,
        known_exploited: advisory.exploited.is_some(),
        exploited_since: advisory.exploited,
        epss: advisory.epss,
        cwes: advisory.cwes,
        published: advisory.published,
        ..Match::new(advisory.id, advisory.severity, package, fix)
    }
}

/// Matches of one package, those that share an id joined. A package may have thousands, so that none is compared with all
/// others.
#[derive(Default)]
struct Joined {
    matches: Vec<Match>,
    /// All names of a match into which others went.
    names: BTreeMap<usize, BTreeSet<String>>,
    /// The first match that has an id or an alias.
    places: BTreeMap<String, usize>,
}

impl Joined {
    /// Adds a match, or joins it to the first that shares an id.
    fn push(&mut self, new: Match) {
        let ids: Vec<String> = std::iter::once(&new.id).chain(&new.aliases).cloned().collect();
        let at = ids.iter().filter_map(|id| self.places.get(id)).min().copied();
        let at = if let Some(at) = at {
            self.absorb(at, new);
            at
        } else {
            self.matches.push(new);
            self.matches.len() - 1
        };
        for id in ids {
            let place = self.places.entry(id).or_insert(at);
            *place = at.min(*place);
        }
    }

    fn absorb(&mut self, at: usize, new: Match) {
        let other = &mut self.matches[at];
        let names = self.names.entry(at).or_insert_with(|| other.aliases.drain(..).collect());
        names.extend(new.aliases);
        names.insert(new.id);
        if new.severity > other.severity {
            (other.severity, other.judged_by) = (new.severity, new.judged_by);
        }
        other.known_exploited |= new.known_exploited;
        other.exploited_since = other.exploited_since.or(new.exploited_since);
        other.cvss = other.cvss.take().or(new.cvss);
        other.epss = other.epss.or(new.epss);
    }

    fn finish(mut self) -> Vec<Match> {
        for (at, mut names) in self.names {
            let joined = &mut self.matches[at];
            names.remove(&joined.id);
            joined.aliases = names.into_iter().collect();
        }
        self.matches
    }
}
