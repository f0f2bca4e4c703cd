//! VEX: what somebody says of vulnerabilities in products. OpenVEX and CycloneDX are read into one shape; OpenVEX is written.

mod cyclonedx;
mod openvex;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::error::ErrorKind;

/// Most bytes of a document.
const DOCUMENT_MAX: usize = 64 << 20;
/// Most statements of a document, and most products of a statement.
const STATEMENTS_MAX: usize = 100_000;
const PRODUCTS_MAX: usize = 100_000;

/// A VEX document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vex {
    /// Its own id, where it has one.
    pub id: String,
    /// Who wrote it.
    pub author: String,
    /// In the order in which later ones overrule earlier ones.
    pub statements: Vec<VexStatement>,
}

/// One statement: a vulnerability, products, and what holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VexStatement {
    /// The ids of the vulnerability.
    pub ids: Vec<String>,
    /// What it is about; none is every product the document is applied to.
    pub products: Vec<VexProduct>,
    /// What holds.
    pub status: VexStatus,
    /// Why not affected, in OpenVEX's words.
    pub justification: Option<String>,
    /// The same in free words.
    pub impact: Option<String>,
    /// What is done about it, of what is affected.
    pub action: Option<String>,
    /// What else is known of it: who says so, and where.
    pub notes: Option<String>,
    /// When it was said; RFC 3339.
    pub time: Option<String>,
}

/// What a statement is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VexProduct {
    /// Its names, each of which may be given: package URLs, image names, digests (`sha256:…`).
    pub ids: Vec<String>,
    /// Parts of it that the statement is limited to, each by its names; none is the product as a whole.
    pub parts: Vec<Vec<String>>,
}

/// What holds for a product. Source: OpenVEX 0.2.0, "Status labels".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VexStatus {
    /// It needs no action.
    NotAffected,
    /// It has the vulnerability.
    Affected,
    /// It has the fix.
    Fixed,
    /// Nobody knows yet.
    UnderInvestigation,
}

/// Why something is not affected, in the words that OpenVEX has for it.
pub const VEX_JUSTIFICATIONS: [&str; 5] = [
    "component_not_present",
    "vulnerable_code_not_present",
    "vulnerable_code_not_in_execute_path",
    "vulnerable_code_cannot_be_controlled_by_adversary",
    "inline_mitigations_already_exist",
];

impl VexStatus {
    /// As OpenVEX writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotAffected => "not_affected",
            Self::Affected => "affected",
            Self::Fixed => "fixed",
            Self::UnderInvestigation => "under_investigation",
        }
    }

    /// Whether a finding about it needs no action.
    pub fn clears(self) -> bool {
        matches!(self, Self::NotAffected | Self::Fixed)
    }
}

/// What tells the formats apart.
#[derive(Deserialize)]
struct Kind {
    #[serde(rename = "@context", default)]
    context: Option<serde_json::Value>,
    #[serde(rename = "bomFormat")]
    bom_format: Option<String>,
}

impl Vex {
    /// Reads an OpenVEX document or a CycloneDX one with vulnerabilities.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > DOCUMENT_MAX {
            return Err(Error::unfit(WHAT, "is larger than any VEX document"));
        }
        let kind: Kind = json(bytes)?;
        let vex = match kind {
            Kind { bom_format: Some(format), .. } if format == "CycloneDX" => cyclonedx::read(bytes)?,
            Kind { context: Some(context), .. } if openvex::is_context(&context) => openvex::read(bytes)?,
            _ => return Err(Error::unfit(WHAT, "is neither OpenVEX nor CycloneDX")),
        };
        let has_many_products = |statement: &VexStatement| {
            statement.products.iter().map(|product| 1 + product.parts.len()).sum::<usize>() > PRODUCTS_MAX
        };
        if vex.statements.len() > STATEMENTS_MAX || vex.statements.iter().any(has_many_products) {
            return Err(Error::unfit(WHAT, "has more statements or products than any VEX document"));
        }
        Ok(vex)
    }

    /// As OpenVEX 0.2.0. `time` is for the document and for statements without their own; RFC 3339.
    pub fn to_openvex(&self, time: &str) -> serde_json::Value {
        openvex::write(self, time)
    }
}

const WHAT: &str = "VEX document";

fn json<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Error> {
    serde_json::from_slice(bytes).map_err(|source| ErrorKind::Json { what: WHAT, source }.into())
}
