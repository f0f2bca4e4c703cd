//! From layers and configuration to an image in the store.

use kiln_build::engine::{BuildTarget, StepId};
use kiln_finding::Failure;
use kiln_image::PackedLayer;
use kiln_oci::{Descriptor, History, Manifest, Platform, RootFs, media_type};
use kiln_store::Layout;

/// Writes configuration and manifest.
pub(super) fn assemble(
    target: BuildTarget,
    layers: &[(StepId, PackedLayer)],
    labels: Vec<(String, String)>,
    created: &str,
    layout: &Layout,
) -> Result<Descriptor, Failure> {
    let mut config = target.config;
    config.config.labels.extend(labels);
    config.created = Some(created.to_owned());
    config.rootfs =
        RootFs { diff_ids: layers.iter().map(|(_, layer)| layer.diff_id).collect(), ..RootFs::default() };
    for (text, step) in target.history {
        let has_layer = step.is_some_and(|step| layers.iter().any(|(made_by, _)| *made_by == step));
        config.history.push(History {
            created: Some(created.to_owned()),
            created_by: Some(text),
            comment: target.comment.map(str::to_owned),
            empty_layer: !has_layer,
            ..History::default()
        });
    }
    let config_bytes = config.to_bytes();
    layout.put_bytes(&config_bytes)?;
    let list = layers.iter().map(|(_, layer)| layer.descriptor.clone()).collect();
    let mut manifest = Manifest::image(Descriptor::of(media_type::CONFIG, &config_bytes), list);
    manifest.annotations = target.annotations;
    let bytes = manifest.to_bytes();
    layout.put_bytes(&bytes)?;
    let platform = Platform { architecture: config.architecture, os: config.os, variant: None };
    Ok(Descriptor { platform: Some(platform), ..Descriptor::of(media_type::MANIFEST, &bytes) })
}
