use std::collections::BTreeMap;

use kiln_image::PackedLayer;
use kiln_oci::{Arch, ContainerConfig, Digest, Healthcheck, ImageConfig};
use kiln_plan::{Plan, health_command};

/// The user of every image: numeric, so that Kubernetes can tell that it is not root.
const USER: &str = "65532";
const SECOND: u64 = 1_000_000_000;

/// What an image is built on.
#[derive(Clone, Debug)]
pub struct BaseImage {
    /// `kiln/node:24-debian13`
    pub name: String,
    /// Digest of its manifest.
    pub digest: Digest,
    /// Its layers, lowest first.
    pub layers: Vec<PackedLayer>,
    /// Its configuration.
    pub config: ImageConfig,
}

/// What the image says of itself beyond the plan.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// RFC 3339 time of creation; a fixed one unless the user gives it.
    pub created: String,
    /// Licence of the app.
    pub licence: Option<String>,
    /// Commit the sources come from.
    pub revision: Option<String>,
}

/// The configuration of the image; its layers and their history are still to come.
pub(super) fn configure(plan: &Plan, base: &BaseImage, arch: Arch, facts: &Facts) -> ImageConfig {
    ImageConfig {
        created: Some(facts.created.clone()),
        architecture: arch.as_str().to_owned(),
        os: "linux".to_owned(),
        config: container_config(plan, base, annotations(plan, base, facts)),
        history: base.config.history.clone(),
        ..ImageConfig::default()
    }
}

/// What the image says of itself, as annotations and as labels. Source: image-spec, annotations.md.
pub(super) fn annotations(plan: &Plan, base: &BaseImage, facts: &Facts) -> BTreeMap<String, String> {
    let entries = [
        ("title", Some(plan.name.clone())),
        ("version", plan.version.clone()),
        ("licenses", facts.licence.clone()),
        ("revision", facts.revision.clone()),
        ("created", Some(facts.created.clone())),
        ("base.name", Some(base.name.clone())),
        ("base.digest", Some(base.digest.to_string())),
    ];
    let named = entries.into_iter().filter_map(|(name, value)| Some((name, value?)));
    named.map(|(name, value)| (format!("org.opencontainers.image.{name}"), value)).collect()
}

fn container_config(plan: &Plan, base: &BaseImage, labels: BTreeMap<String, String>) -> ContainerConfig {
    let mut env = base.config.config.env.clone();
    env.push("NODE_ENV=production".to_owned());
    let more = plan.env.iter().filter(|(name, _)| name != "NODE_ENV");
    env.extend(more.map(|(name, value)| format!("{name}={value}")));
    let entrypoint =
        std::iter::once("/nodejs/bin/node".to_owned()).chain(plan.entry.iter().cloned()).collect();
    let ports = plan.port.map(|port| (format!("{port}/tcp"), serde_json::Map::new()));
    ContainerConfig {
        user: USER.to_owned(),
        exposed_ports: ports.into_iter().collect(),
        env,
        entrypoint: Some(entrypoint),
        working_dir: if plan.folder.is_empty() { "/app".to_owned() } else { format!("/app/{}", plan.folder) },
        labels,
        healthcheck: healthcheck(plan),
        ..ContainerConfig::default()
    }
}

fn healthcheck(plan: &Plan) -> Option<Healthcheck> {
    let (health, port) = (plan.health.as_ref()?, plan.port?);
    let mut test = vec!["CMD".to_owned()];
    test.extend(health_command(health, port));
    Some(Healthcheck {
        test,
        interval: Some(30 * SECOND),
        timeout: Some(5 * SECOND),
        start_period: Some(10 * SECOND),
        retries: Some(3),
        ..Healthcheck::default()
    })
}
