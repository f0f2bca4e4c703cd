use kiln_pkg::Ecosystem;

/// What rules a feed follows. In the order of the slices of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FeedKind {
    /// Debian, by source package and release.
    Debian,
    /// Alpine, by origin and branch.
    Alpine,
    /// Chainguard, by origin.
    Chainguard,
    /// Wolfi, and Chainguard where it has no slice of its own, by origin.
    Wolfi,
    /// npm, by semver ranges.
    Npm,
    /// Node.js core, by `vulnerable` and `patched` ranges.
    Node,
    /// Go modules and the standard library, by semver ranges.
    Go,
    /// Python packages, by PEP 440 ranges.
    PyPi,
    /// Rust crates, by semver ranges.
    Cargo,
    /// CISA's list of known exploited vulnerabilities; marks the advisories of the other feeds.
    Kev,
    /// FIRST's probabilities of exploitation; marks the advisories of the other feeds.
    Epss,
}

impl FeedKind {
    /// Every kind, in the order of their slices.
    pub(super) const ALL: [Self; 11] = [
        Self::Debian,
        Self::Alpine,
        Self::Chainguard,
        Self::Wolfi,
        Self::Npm,
        Self::Node,
        Self::Go,
        Self::PyPi,
        Self::Cargo,
        Self::Kev,
        Self::Epss,
    ];

    /// The names of all slices.
    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        Self::ALL.into_iter().map(Self::name)
    }

    /// Name of the slice it makes.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Debian => "debian",
            Self::Alpine => "alpine",
            Self::Chainguard => "chainguard",
            Self::Wolfi => "wolfi",
            Self::Npm => "npm",
            Self::Node => "node",
            Self::Go => "go",
            Self::PyPi => "pypi",
            Self::Cargo => "cargo",
            Self::Kev => "kev",
            Self::Epss => "epss",
        }
    }

    /// Whose packages it is about; `None` for lists of single CVEs.
    pub(super) fn ecosystem(self) -> Option<Ecosystem> {
        match self {
            Self::Debian => Some(Ecosystem::Deb),
            Self::Alpine | Self::Chainguard | Self::Wolfi => Some(Ecosystem::Apk),
            Self::Npm => Some(Ecosystem::Npm),
            Self::Node => Some(Ecosystem::Node),
            Self::Go => Some(Ecosystem::Go),
            Self::PyPi => Some(Ecosystem::PyPi),
            Self::Cargo => Some(Ecosystem::Cargo),
            Self::Kev | Self::Epss => None,
        }
    }

    /// Os-release ids it answers for.
    pub(super) fn distros(self) -> &'static [&'static str] {
        match self {
            Self::Debian => &["debian"],
            Self::Alpine => &["alpine"],
            Self::Chainguard => &["chainguard"],
            Self::Wolfi => &["wolfi", "chainguard"],
            _ => &[],
        }
    }

    /// The start of the ecosystem that OSV records of it name. Source: OSV schema 1.7, "Defined ecosystems".
    pub(super) fn osv(self) -> Option<&'static str> {
        match self {
            Self::Debian => Some("Debian"),
            Self::Alpine => Some("Alpine"),
            Self::Chainguard => Some("Chainguard"),
            Self::Wolfi => Some("Wolfi"),
            Self::Npm => Some("npm"),
            Self::Node => Some("Node.js"),
            Self::Go => Some("Go"),
            Self::PyPi => Some("PyPI"),
            Self::Cargo => Some("crates.io"),
            Self::Kev | Self::Epss => None,
        }
    }

    /// The kind whose ecosystem an OSV record names, with or without a release after a colon.
    pub(super) fn of_osv(ecosystem: &str) -> Option<Self> {
        let name = ecosystem.split(':').next();
        Self::ALL.into_iter().find(|kind| kind.osv() == name)
    }

    /// Starts of the ids that its advisories are best known by, the best first.
    pub(super) fn preferred(self) -> &'static [&'static str] {
        match self {
            Self::Debian | Self::Alpine | Self::Chainguard | Self::Wolfi | Self::Node => &["CVE-", "GHSA-"],
            _ => &["GHSA-", "CVE-"],
        }
    }
}
