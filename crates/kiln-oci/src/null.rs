use serde::{Deserialize, Deserializer};

/// Go programs write a list or map without entries as `null`.
pub(crate) fn null_is_empty<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use crate::{ImageConfig, Manifest};

    #[test]
    fn what_go_writes_for_nothing_is_nothing() {
        let config = r#"{"architecture":"amd64","os":"linux","config":{"Env":null,"Labels":null,"Volumes":null},
            "rootfs":{"type":"layers","diff_ids":null},"history":null}"#;
        let config: ImageConfig = serde_json::from_str(config).unwrap();
        assert!(
            config.rootfs.diff_ids.is_empty() && config.config.env.is_empty() && config.history.is_empty()
        );
        let hash = "a".repeat(64);
        let manifest = format!(
            r#"{{"schemaVersion":2,"config":{{"mediaType":"x","digest":"sha256:{hash}","size":2}},"layers":null}}"#
        );
        assert!(serde_json::from_str::<Manifest>(&manifest).unwrap().layers.is_empty());
    }
}
