use std::collections::BTreeMap;

use kiln_image::PackedLayer;
use kiln_oci::{
    Arch, ContainerConfig, Descriptor, Digest, Healthcheck, History, ImageConfig, Manifest, RootFs,
    media_type,
};
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

/// An image, ready to be stored.
#[derive(Clone, Debug)]
pub struct Assembled {
    /// The manifest and what names it.
    pub manifest: (Descriptor, Vec<u8>),
    /// The configuration and what names it.
    pub config: (Descriptor, Vec<u8>),
}

/// Puts layers on a base. Nothing is read or unpacked.
pub fn assemble(
    plan: &Plan,
    base: &BaseImage,
    layers: &[(&str, &PackedLayer)],
    arch: Arch,
    facts: &Facts,
) -> Assembled {
    let labels = labels(plan, base, facts);
    let mut config = ImageConfig {
        created: Some(facts.created.clone()),
        architecture: arch.as_str().to_owned(),
        os: "linux".to_owned(),
        config: container_config(plan, base, labels.clone()),
        rootfs: RootFs::default(),
        history: base.config.history.clone(),
        ..ImageConfig::default()
    };
    config.rootfs.diff_ids.clone_from(&base.config.rootfs.diff_ids);
    for (what, layer) in layers {
        config.rootfs.diff_ids.push(layer.diff_id);
        config.history.push(History {
            created: Some(facts.created.clone()),
            created_by: Some(format!("kiln build: {what}")),
            ..History::default()
        });
    }
    let config_bytes = config.to_bytes();
    let config = Descriptor::of(media_type::CONFIG, &config_bytes);
    let all = base.layers.iter().chain(layers.iter().map(|(_, layer)| *layer));
    let mut manifest = Manifest::image(config.clone(), all.map(|layer| layer.descriptor.clone()).collect());
    manifest.annotations = labels;
    let manifest_bytes = manifest.to_bytes();
    let descriptor = Descriptor::of(media_type::MANIFEST, &manifest_bytes);
    Assembled { manifest: (descriptor, manifest_bytes), config: (config, config_bytes) }
}

/// Source: image-spec, annotations.md.
fn labels(plan: &Plan, base: &BaseImage, facts: &Facts) -> BTreeMap<String, String> {
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
