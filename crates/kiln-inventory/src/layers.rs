//! What made each layer, and which of them are the base image's.

use kiln_oci::{History, ImageConfig};
use kiln_pkg::{Inventory, Layer, Origin, Package, Place};

use crate::secrets;

/// Who wrote the history of a base that kiln composed.
const KILN_BASE: &str = "kiln base";

/// The layers of `config`, lowest first. Credentials in instructions are not shown.
pub(crate) fn layers(config: &ImageConfig) -> Vec<Layer> {
    let count = config.rootfs.diff_ids.len();
    let makers: Vec<&History> = config.history.iter().filter(|entry| !entry.empty_layer).collect();
    let base = base_layers(&config.history).filter(|_| makers.len() == count);
    let layer = |(at, diff_id): (usize, &kiln_oci::Digest)| Layer {
        diff_id: *diff_id,
        created_by: makers
            .get(at)
            .filter(|_| makers.len() == count)
            .and_then(|entry| entry.created_by.as_deref())
            .map(secrets::without),
        origin: base.map(|base| if at < base { Origin::Base } else { Origin::App }),
    };
    config.rootfs.diff_ids.iter().enumerate().map(layer).collect()
}

/// How many layers the base image has: those that kiln says are its base's; else all up to the last `CMD` that is followed by
/// another layer, because an instruction that sets the command ends a Dockerfile. `None` where there is no sign of a base.
fn base_layers(history: &[History]) -> Option<usize> {
    let layers_in = |entries: &[History]| entries.iter().filter(|entry| !entry.empty_layer).count();
    let by = |entry: &History, text: &str| entry.created_by.as_deref() == Some(text);
    if let Some(last) = history.iter().rposition(|entry| by(entry, KILN_BASE)) {
        return history.get(..=last).map(layers_in);
    }
    let top = history.iter().rposition(|entry| !entry.empty_layer)?;
    let command = history.get(..top)?.iter().rposition(|entry| entry.empty_layer && sets_command(entry))?;
    history.get(..=command).map(layers_in).filter(|count| *count > 0)
}

/// `CMD ["node"]` of BuildKit and buildah, `/bin/sh -c #(nop)  CMD ["node"]` of Docker before.
fn sets_command(entry: &History) -> bool {
    let text = entry.created_by.as_deref().unwrap_or_default();
    let text = text.split_once("#(nop)").map_or(text, |(_, instruction)| instruction);
    text.trim_start().starts_with("CMD ")
}

/// Says of layers and packages that the lowest `count` layers are the base image's.
pub fn set_base(inventory: &mut Inventory, count: usize) {
    for (at, layer) in inventory.layers.iter_mut().enumerate() {
        layer.origin = Some(if at < count { Origin::Base } else { Origin::App });
    }
    set_origins(inventory);
}

/// A package is the base's where all its places are.
pub(crate) fn set_origins(inventory: &mut Inventory) {
    let Inventory { layers, packages, .. } = inventory;
    let of = |place: &Place| layers.iter().find(|layer| Some(layer.diff_id) == place.layer)?.origin;
    let origin = |package: &Package| {
        let origins: Option<Vec<Origin>> = package.places.iter().map(of).collect();
        origins?.into_iter().max()
    };
    for package in packages {
        package.origin = origin(package);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(entries: &[(&str, bool)]) -> Vec<History> {
        let entry = |(text, empty): &(&str, bool)| History {
            created_by: Some((*text).to_owned()),
            empty_layer: *empty,
            ..History::default()
        };
        entries.iter().map(entry).collect()
    }

    #[test]
    fn the_base_ends_where_its_command_is_set() {
        let debian = ("# debian.sh --arch amd64 out/ bookworm", false);
        let shell = ("/bin/sh -c #(nop)  CMD [\"bash\"]", true);
        let node = ("RUN /bin/sh -c install node # buildkit", false);
        let command = ("CMD [\"node\"]", true);
        let copy = ("COPY . . # buildkit", false);
        assert_eq!(base_layers(&history(&[debian, shell])), None);
        assert_eq!(base_layers(&history(&[debian, shell, node, command])), Some(1));
        assert_eq!(
            base_layers(&history(&[debian, shell, node, command, copy, ("CMD [\"x\"]", true)])),
            Some(2)
        );
        assert_eq!(
            base_layers(&history(&[("kiln base", false), ("kiln base", false), ("kiln build: app", false)])),
            Some(2)
        );
        assert_eq!(base_layers(&[]), None);
    }
}
