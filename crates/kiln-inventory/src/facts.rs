use kiln_oci::Digest;
use kiln_pkg::{Distro, Elsewhere, IndicatorKind, Licence, Package, Secret, Unread};

use crate::paths::PathLog;

/// What one layer holds; depends on nothing but its bytes and [`crate::CATALOG`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerFacts {
    /// The catalog that read it; facts of another are read again.
    pub catalog: u64,
    /// What names the layer: the digest of its bytes where facts are kept, its diff id where layers are combined.
    pub digest: Digest,
    /// What comes out of the layer when it is decompressed: its diff id, whatever a configuration says.
    pub content: Digest,
    /// Entries in the layer.
    pub entries: u64,
    /// Files and directories worth telling of, in the layer's order.
    pub files: Vec<FileFacts>,
    /// Paths that are taken away, with all below them, from the layers below.
    pub removed: Vec<String>,
    /// Directories whose content is taken away from the layers below.
    pub emptied: Vec<String>,
    /// Every path of the layer, compressed: what they replace in the layers below.
    pub(crate) paths: PathLog,
    /// What is wrong with the layer as a whole.
    pub unread: Vec<Unread>,
}

/// What is known of one path of a layer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileFacts {
    /// The path, without leading slash.
    pub path: String,
    /// Whether it is a directory.
    pub is_dir: bool,
    /// Why it matters for hardening.
    pub indicators: Vec<IndicatorKind>,
    /// Credentials in it.
    pub secrets: Vec<Secret>,
    /// What a cataloger read from it.
    pub readings: Vec<Reading>,
    /// What could not be read from it.
    pub unread: Option<Unread>,
}

/// What a cataloger reads from a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// An installed package.
    Package(Box<Package>),
    /// A manifest that is no installed package: the app itself, if something is installed beside it.
    Manifest(Box<Package>),
    /// The distribution.
    Distro(Distro),
    /// Folders of packages that are needed for development only.
    DevOnly(Vec<String>),
    /// What npm checked the packages of these folders with: folder and `integrity`.
    Integrity(Vec<(String, String)>),
    /// What npm took the packages of these folders from, where that is no registry: folder and place.
    From(Vec<(String, Elsewhere)>),
    /// What an app's manifest asks for to run, and must be installed. Sorted.
    Declares(Vec<String>),
    /// What it asks for besides, where that can be had. Sorted.
    Wishes(Vec<String>),
    /// Code of a package in `node_modules` beside which its layer holds no manifest.
    Code,
    /// The projects of a workspace: globs of folders below this one, and `workspace:NAME`.
    Projects(Vec<String>),
    /// Where a table says that packages lie: package, and the file that is there where the package is.
    Locations(Vec<(String, String)>),
    /// An archive that packages may be loaded out of.
    Archive,
    /// The release of Alpine that its packages are taken from: `3.20`, or `edge`.
    Release(String),
    /// A hard link to a file of this path, which is in no earlier entry of the same layer.
    SameAs(String),
    /// A program into which a bundler built others.
    Bundle,
    /// A program that a tool wrote, line ends left out: what is in it does not tell whose it is.
    Minified,
    /// Any other program of some length: where its app has a bundler, that may have written it.
    Script,
    /// Packages from which code was built into the program that this is the source map of. Sorted.
    BuiltIn(Vec<String>),
    /// What an app's manifest asks for that builds code of others into its files.
    Bundler,
    /// A list of packages that is not read, and whose they are.
    OtherList(String),
    /// Files that an operating-system package put there, as far as another cataloger may read them.
    Owned {
        /// Name of the package.
        package: String,
        /// The files.
        paths: Vec<String>,
    },
    /// The licence of an operating-system package, by its copyright file.
    Licence {
        /// Name of the package.
        package: String,
        /// Its licence.
        licence: Licence,
    },
    /// A link inside `node_modules`, or one package's documentation that is another's, with its target as written.
    Link(String),
}

impl Reading {
    pub(crate) fn package(&self) -> Option<&Package> {
        let (Self::Package(package) | Self::Manifest(package)) = self else { return None };
        Some(package)
    }

    pub(crate) fn package_mut(&mut self) -> Option<&mut Package> {
        let (Self::Package(package) | Self::Manifest(package)) = self else { return None };
        Some(package)
    }
}

impl FileFacts {
    pub(crate) fn is_empty(&self) -> bool {
        self.indicators.is_empty()
            && self.secrets.is_empty()
            && self.readings.is_empty()
            && self.unread.is_none()
    }
}
