//! Source: OpenVEX specification 0.2.0; 0.0.1 had products and vulnerabilities as plain strings.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Vex, VexProduct, VexStatement, VexStatus};
use crate::Error;

const CONTEXT: &str = "https://openvex.dev/ns";
const WRITTEN: &str = "https://openvex.dev/ns/v0.2.0";

#[derive(Deserialize)]
struct Document {
    #[serde(rename = "@id", default)]
    id: String,
    #[serde(default)]
    author: String,
    timestamp: Option<String>,
    statements: Vec<Statement>,
}

#[derive(Deserialize)]
struct Statement {
    vulnerability: Named,
    #[serde(default)]
    products: Vec<Product>,
    /// Of 0.0.1, for all products.
    #[serde(default)]
    subcomponents: Vec<Part>,
    status: VexStatus,
    justification: Option<String>,
    #[serde(rename = "impact_statement")]
    impact: Option<String>,
    #[serde(rename = "action_statement")]
    action: Option<String>,
    #[serde(rename = "status_notes")]
    notes: Option<String>,
    timestamp: Option<String>,
    last_updated: Option<String>,
}

/// A vulnerability: its id, or its names.
#[derive(Deserialize)]
#[serde(untagged)]
enum Named {
    Plain(String),
    Whole {
        name: Option<String>,
        #[serde(rename = "@id")]
        id: Option<String>,
        #[serde(default)]
        aliases: Vec<String>,
    },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Product {
    Plain(String),
    Whole {
        #[serde(flatten)]
        part: Component,
        #[serde(default)]
        subcomponents: Vec<Part>,
    },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Part {
    Plain(String),
    Whole(Component),
}

#[derive(Deserialize)]
struct Component {
    #[serde(rename = "@id")]
    id: Option<String>,
    #[serde(default)]
    identifiers: BTreeMap<String, String>,
    #[serde(default)]
    hashes: BTreeMap<String, String>,
}

impl Component {
    fn ids(self) -> Vec<String> {
        let digests = self.hashes.into_iter().filter(|(name, _)| name == "sha-256");
        let digests = digests.map(|(_, hex)| format!("sha256:{hex}"));
        self.id.into_iter().chain(self.identifiers.into_values()).chain(digests).collect()
    }
}

impl Part {
    fn ids(self) -> Vec<String> {
        match self {
            Self::Plain(id) => vec![id],
            Self::Whole(component) => component.ids(),
        }
    }
}

pub(super) fn is_context(context: &Value) -> bool {
    let is = |value: &Value| value.as_str().is_some_and(|text| text.starts_with(CONTEXT));
    is(context) || context.as_array().is_some_and(|all| all.iter().any(is))
}

pub(super) fn read(bytes: &[u8]) -> Result<Vex, Error> {
    let document: Document = super::json(bytes)?;
    let mut statements: Vec<VexStatement> = document
        .statements
        .into_iter()
        .map(|statement| statement.read(document.timestamp.as_ref()))
        .collect();
    // Without a name it would be taken for every product.
    if statements.iter().flat_map(|statement| &statement.products).any(|product| product.ids.is_empty()) {
        return Err(Error::unfit(super::WHAT, "has a product without a name"));
    }
    // The newest statement holds; where times are the same, the last.
    statements.sort_by(|a, b| a.time.cmp(&b.time));
    Ok(Vex { id: document.id, author: document.author, statements })
}

impl Statement {
    fn read(self, document_time: Option<&String>) -> VexStatement {
        let ids = match self.vulnerability {
            Named::Plain(id) => vec![id],
            Named::Whole { name, id, aliases } => {
                // The `@id` is an address; its last part is the id.
                let id = id.and_then(|id| id.rsplit('/').next().map(str::to_owned));
                name.or(id).into_iter().chain(aliases).collect()
            }
        };
        let shared: Vec<Vec<String>> = self.subcomponents.into_iter().map(Part::ids).collect();
        let product = |product| {
            let (ids, parts) = match product {
                Product::Plain(id) => (vec![id], Vec::new()),
                Product::Whole { part, subcomponents } => {
                    (part.ids(), subcomponents.into_iter().map(Part::ids).collect())
                }
            };
            VexProduct { ids, parts: if parts.is_empty() { shared.clone() } else { parts } }
        };
        VexStatement {
            ids,
            products: self.products.into_iter().map(product).collect(),
            status: self.status,
            justification: self.justification,
            impact: self.impact,
            action: self.action,
            notes: self.notes,
            time: self.last_updated.or(self.timestamp).or_else(|| document_time.cloned()),
        }
    }
}

pub(super) fn write(vex: &Vex, time: &str) -> Value {
    let part = |ids: &Vec<String>| json!({"@id": ids.first()});
    let product = |product: &VexProduct| {
        let mut value = json!({"@id": product.ids.first()});
        if let Some(purl) = product.ids.iter().find(|id| id.starts_with("pkg:")) {
            value["identifiers"] = json!({"purl": purl});
        }
        if !product.parts.is_empty() {
            value["subcomponents"] = product.parts.iter().map(part).collect();
        }
        value
    };
    let statement = |statement: &VexStatement| {
        let mut value = json!({
            "vulnerability": {"name": statement.ids.first()},
            "timestamp": statement.time.as_deref().unwrap_or(time),
            "products": statement.products.iter().map(product).collect::<Vec<_>>(),
            "status": statement.status,
        });
        if statement.ids.len() > 1 {
            value["vulnerability"]["aliases"] = json!(statement.ids.get(1..));
        }
        let texts = [
            ("justification", &statement.justification),
            ("impact_statement", &statement.impact),
            ("action_statement", &statement.action),
            ("status_notes", &statement.notes),
        ];
        for (name, text) in texts.into_iter().filter_map(|(name, text)| Some((name, text.as_ref()?))) {
            value[name] = json!(text);
        }
        value
    };
    json!({
        "@context": WRITTEN,
        "@id": vex.id,
        "author": vex.author,
        "timestamp": time,
        "version": 1,
        "statements": vex.statements.iter().map(statement).collect::<Vec<_>>(),
    })
}
