//! Which sources provenance says that a build was made from. Source: SLSA v1.0, `buildDefinition`.

use serde_json::Value;

/// Where build types name the build's own source among what the build was asked for: the workflows of GitHub, container-based builds,
/// BuildKit, Google's Cloud Build.
const ASKED: [&str; 6] = [
    "/workflow/repository",
    "/source/repository",
    "/source/uri",
    "/configSource/uri",
    "/sourceToBuild/repository",
    "/source",
];
/// What an entry of what was resolved is called that is the source.
const OWN: &str = "source";

/// The repositories that a build names as its source, without revisions. What it was asked for says it, by an address or by the name
/// of what was resolved; else the entry that is called so. All of them count, where it names several. Other repositories that were
/// resolved are dependencies, also where there is only one: whoever controls a dependency could else be the source.
pub(crate) fn sources(predicate: &Value) -> Vec<String> {
    let asked = predicate.pointer("/buildDefinition/externalParameters");
    let resolved = predicate.pointer("/buildDefinition/resolvedDependencies").and_then(Value::as_array);
    let called = |name: &str| -> Vec<&str> {
        let entries = resolved.into_iter().flatten().filter(|entry| entry["name"] == name);
        entries.map(|entry| entry["uri"].as_str().unwrap_or_default()).collect()
    };
    let named: Vec<&str> = asked
        .iter()
        .flat_map(|asked| ASKED.iter().filter_map(|path| asked.pointer(path)?.as_str()))
        .collect();
    let pointed = |named| {
        let entries = called(named);
        if entries.is_empty() { vec![named] } else { entries }
    };
    let uris = if named.is_empty() { called(OWN) } else { named.into_iter().flat_map(pointed).collect() };
    let mut found: Vec<String> = uris.into_iter().map(repository).collect();
    found.sort();
    found.dedup();
    found
}

/// The address of a repository: without `git+`, and without the revision behind `@` or `#`.
fn repository(uri: &str) -> String {
    let uri = uri.strip_prefix("git+").unwrap_or(uri);
    let uri = uri.split('#').next().unwrap_or(uri);
    // A user may stand before the host: `ssh://git@host/path@revision`.
    let host = uri.find("://").map_or(0, |at| at + "://".len());
    let path = uri[host..].find('/').map_or(uri.len(), |at| host + at);
    // A path may hold an `@`, and so may a revision, which begins with `refs/` where it is written out.
    let end = uri[path..].find("@refs/").or_else(|| uri[path..].rfind('@')).map_or(uri.len(), |at| path + at);
    uri[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(asked: &Value, resolved: &Value) -> Vec<String> {
        sources(
            &json!({ "buildDefinition": { "externalParameters": asked, "resolvedDependencies": resolved } }),
        )
    }

    #[test]
    fn the_build_s_own_source_is_meant_and_no_dependency() {
        let (own, dependency) = ("https://example.invalid/org/app", "https://example.invalid/evil/library");
        let git = |uri: &str| json!({ "uri": format!("git+{uri}@refs/heads/main") });
        let (first, second) = (git(own), git(dependency));
        let none: [&str; 0] = [];
        for dependencies in [
            json!([{ "uri": "pkg:npm/express@5" }, first]),
            json!([first]),
            json!([first, second]),
            json!([{ "name": "library", "uri": format!("git+{own}") }]),
            json!([{ "name": ["source"], "uri": format!("git+{own}") }]),
            json!({ "name": "source", "uri": format!("git+{own}") }),
        ] {
            assert_eq!(of(&json!({}), &dependencies), none, "no source is named: {dependencies}");
        }
        assert_eq!(of(&json!({ "inputs": { "source": own }, "repository": own }), &json!([first])), none);
        let named = json!([{ "name": "source", "uri": format!("git+{own}@v1") }, second]);
        assert_eq!(of(&json!({}), &named), [own]);
        let twice = json!([named[0], { "name": "source", "uri": format!("git+{dependency}") }]);
        assert_eq!(of(&json!({}), &twice), [dependency, own], "each must be right");
        let unnamed = json!([named[0], { "name": "source" }]);
        assert_eq!(of(&json!({}), &unnamed), ["", own]);
        let points = json!([second, { "name": "app", "uri": format!("git+{own}@v1") }]);
        assert_eq!(of(&json!({ "source": "app" }), &points), [own]);
        let both = json!({ "workflow": { "repository": own }, "source": { "uri": dependency } });
        assert_eq!(of(&both, &json!([])), [dependency, own], "each must be right");
        for asked in [
            json!({ "workflow": { "repository": own } }),
            json!({ "source": { "uri": format!("git+{own}@refs/tags/v1") } }),
            json!({ "source": own }),
            json!({ "configSource": { "uri": format!("{own}#refs/heads/main") } }),
        ] {
            assert_eq!(of(&asked, &json!([second])), [own], "{asked}");
        }
        assert_eq!(of(&json!({ "app": "orders" }), &json!([])), [""; 0]);
    }

    #[test]
    fn revisions_are_no_part_of_a_repository() {
        for (uri, expected) in [
            ("git+https://example.invalid/org/app@refs/heads/main", "https://example.invalid/org/app"),
            ("git+ssh://git@example.invalid/org/app@v1", "ssh://git@example.invalid/org/app"),
            ("https://example.invalid/org/app.git#v1:sub", "https://example.invalid/org/app.git"),
            ("https://example.invalid", "https://example.invalid"),
            (
                "git+https://example.invalid/o/r@evil.invalid/x@v1",
                "https://example.invalid/o/r@evil.invalid/x",
            ),
            ("git+https://example.invalid/o/r@refs/tags/pkg@1.0", "https://example.invalid/o/r"),
        ] {
            assert_eq!(repository(uri), expected);
        }
    }
}
