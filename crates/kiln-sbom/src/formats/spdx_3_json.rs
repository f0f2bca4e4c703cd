use std::collections::BTreeMap;

use kiln_pkg::{Checksum, Ecosystem, Package};
use serde_json::{Value, json};

use crate::extra::Extra;
use crate::{Document, Format, id};

/// SPDX 3.0.1 as JSON-LD. Source: spdx.github.io/spdx-spec/v3.0.1, profiles Core, Software and SimpleLicensing.
pub(super) static FORMAT: Format = Format {
    name: "spdx-3-json",
    version: "3.0.1",
    extension: ".spdx3.json",
    predicate_type: "https://spdx.dev/Document",
    render,
};

const CONTEXT: &str = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld";
const CREATION: &str = "_:creation";

fn render(document: &Document<'_>) -> String {
    let space = format!("urn:uuid:{}", id::uuid(&format!("spdx 3 {}", document.seed())));
    let mut graph = Graph { space, elements: Vec::new() };
    let image = subject(document, &mut graph);
    let mut contained = Vec::new();
    if let Some(distro) = &document.inventory.distro {
        let mut fields = json!({"name": distro.id, "software_primaryPurpose": "operatingSystem"});
        if !distro.version.is_empty() {
            fields["software_packageVersion"] = distro.version.clone().into();
        }
        if !distro.name.is_empty() {
            fields["description"] = distro.name.clone().into();
        }
        contained.push(graph.add("software_Package", "system", fields));
    }
    let mut licences = BTreeMap::new();
    let mut agents = BTreeMap::new();
    let packages = &document.inventory.packages;
    contained.extend(packages.iter().map(|found| package(found, &mut graph, &mut licences, &mut agents)));
    graph.relate("contains", &image, contained);
    edges(packages, &mut graph);
    for (at, unread) in document.inventory.all_unread().iter().enumerate() {
        graph.annotate(&format!("unread-{at}"), &image, &format!("kiln unread: {}", json!(unread)));
    }
    for (at, layer) in document.inventory.layers.iter().enumerate() {
        graph.annotate(&format!("layer-{at}"), &image, &format!("kiln layer: {}", json!(layer)));
    }
    graph.finish(document, &image)
}

/// The elements of a document. Their ids start with the document's own.
struct Graph {
    space: String,
    elements: Vec<Value>,
}

impl Graph {
    fn iri(&self, id: &str) -> String {
        format!("{}#{id}", self.space)
    }

    /// Adds an element; its id.
    fn add(&mut self, kind: &str, id: &str, mut fields: Value) -> String {
        let iri = self.iri(id);
        fields["type"] = kind.into();
        fields["spdxId"] = iri.clone().into();
        fields["creationInfo"] = CREATION.into();
        self.elements.push(fields);
        iri
    }

    fn relate(&mut self, kind: &str, from: &str, to: Vec<String>) {
        if to.is_empty() {
            return;
        }
        let id = format!("{kind}-{}", from.rsplit('#').next().unwrap_or_default());
        self.add("Relationship", &id, json!({"relationshipType": kind, "from": from, "to": to}));
    }

    fn annotate(&mut self, id: &str, subject: &str, statement: &str) {
        let fields = json!({"annotationType": "other", "subject": subject, "statement": statement});
        self.add("Annotation", &format!("note-{id}"), fields);
    }

    fn finish(mut self, document: &Document<'_>, image: &str) -> String {
        let agent =
            self.add("SoftwareAgent", "kiln", json!({"name": format!("kiln {}", document.tool_version)}));
        let all: Vec<Value> = self.elements.iter().map(|element| element["spdxId"].clone()).collect();
        let fields = json!({"software_sbomType": ["analyzed"], "rootElement": [image], "element": all});
        let bom = self.add("software_Sbom", "sbom", fields);
        let mut all = all;
        all.push(bom.clone().into());
        self.add(
            "SpdxDocument",
            "document",
            json!({
                "name": document.subject.name,
                "profileConformance": ["core", "software", "simpleLicensing"],
                "rootElement": [bom],
                "element": all,
            }),
        );
        self.elements.insert(
            0,
            json!({
                "type": "CreationInfo",
                "@id": CREATION,
                "specVersion": "3.0.1",
                "created": document.created,
                "createdBy": [agent],
            }),
        );
        let value = json!({"@context": CONTEXT, "@graph": self.elements});
        serde_json::to_string_pretty(&value).expect("a JSON value can be written")
    }
}

fn subject(document: &Document<'_>, graph: &mut Graph) -> String {
    let subject = document.subject;
    let mut fields = json!({"name": subject.name, "software_primaryPurpose": "source"});
    if let Some(digest) = subject.digest {
        fields["software_primaryPurpose"] = "container".into();
        fields["software_packageVersion"] = digest.to_string().into();
        fields["software_packageUrl"] = subject.id().into();
        fields["verifiedUsing"] = json!([{"type": "Hash", "algorithm": "sha256", "hashValue": digest.hex()}]);
    }
    graph.add("software_Package", "subject", fields)
}

fn package(
    found: &Package,
    graph: &mut Graph,
    licences: &mut BTreeMap<String, String>,
    agents: &mut BTreeMap<String, String>,
) -> String {
    let id = id::element(found);
    let places: Vec<&str> = found.places.iter().map(|place| place.path.as_str()).collect();
    let mut fields = json!({
        "name": found.name,
        "software_packageUrl": found.key(),
        "software_primaryPurpose": if found.ecosystem == Ecosystem::Node { "application" } else { "library" },
        "software_sourceInfo": format!("found in {}", places.join(", ")),
    });
    if !found.version.is_empty() {
        fields["software_packageVersion"] = found.version.clone().into();
    }
    if found.ecosystem == Ecosystem::Node {
        let cpe = format!("cpe:2.3:a:nodejs:node.js:{}:*:*:*:*:*:*:*", found.version);
        fields["externalIdentifier"] =
            json!([{"type": "ExternalIdentifier", "externalIdentifierType": "cpe23", "identifier": cpe}]);
    }
    if !found.checksums.is_empty() {
        let hash = |one: &Checksum| json!({"type": "Hash", "algorithm": one.algorithm().as_str(), "hashValue": one.hex()});
        fields["verifiedUsing"] = found.checksums.iter().map(hash).collect();
    }
    if let Some(supplier) = &found.supplier {
        fields["suppliedBy"] = agent(supplier, graph, agents).into();
    }
    let iri = graph.add("software_Package", &id, fields);
    if let Some(licence) = &found.licence
        && let Some(licence) = self::licence(licence, graph, licences)
    {
        graph.relate("hasDeclaredLicense", &iri, vec![licence]);
    }
    let parts: Vec<String> = found
        .parts
        .iter()
        .map(|part| {
            let fields = json!({
                "name": part.name,
                "software_packageVersion": part.version,
                "software_primaryPurpose": "library",
            });
            graph.add("software_Package", &format!("{id}-{}", id::spdx(&part.name)), fields)
        })
        .collect();
    graph.relate("hasStaticLink", &iri, parts);
    graph.annotate(&id, &iri, &Extra::of(found).comment());
    iri
}

fn edges(packages: &[Package], graph: &mut Graph) {
    let ids: BTreeMap<String, String> =
        packages.iter().map(|found| (found.key(), graph.iri(&id::element(found)))).collect();
    for found in packages {
        let needs = found.depends_on.iter().filter_map(|key| ids.get(key)).cloned().collect();
        graph.relate("dependsOn", &graph.iri(&id::element(found)), needs);
    }
}

/// The agent that supplies a package, added once.
fn agent(supplier: &str, graph: &mut Graph, agents: &mut BTreeMap<String, String>) -> String {
    if let Some(known) = agents.get(supplier) {
        return known.clone();
    }
    let id = format!("agent-{}", kiln_oci::Digest::of(supplier.as_bytes()).short());
    let iri = graph.add("Agent", &id, json!({"name": supplier}));
    agents.insert(supplier.to_owned(), iri.clone());
    iri
}

/// The licence as an element, added once; `None` for prose.
fn licence(
    licence: &kiln_pkg::Licence,
    graph: &mut Graph,
    known: &mut BTreeMap<String, String>,
) -> Option<String> {
    let (kind, field, text) = match &licence.spdx {
        Some(spdx) => ("simplelicensing_LicenseExpression", "simplelicensing_licenseExpression", spdx),
        None if licence.declared.is_empty() || licence.declared.len() > 200 => return None,
        None => ("simplelicensing_SimpleLicensingText", "simplelicensing_licenseText", &licence.declared),
    };
    if let Some(known) = known.get(text) {
        return Some(known.clone());
    }
    let mut fields = json!({});
    fields[field] = text.clone().into();
    let iri = graph.add(kind, &id::licence(text), fields);
    known.insert(text.clone(), iri.clone());
    Some(iri)
}
