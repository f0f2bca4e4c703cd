//! What `kiln scan` makes of small inputs: `tests/verdicts/cases.toml`.

use std::collections::BTreeMap;
use std::path::Path;

use kiln_image::{Sink, pack_layer};
use kiln_oci::{Descriptor, ImageConfig, Manifest, media_type};
use kiln_rootfs::Tree;
use kiln_store::Layout;
use serde::Deserialize;
use serde_json::json;

use crate::harness::World;

#[derive(Deserialize)]
struct Table {
    case: Vec<Case>,
}

type Files = BTreeMap<String, String>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default)]
    flags: Vec<String>,
    exit: i32,
    #[serde(default)]
    says: Vec<String>,
    #[serde(default)]
    not: Vec<String>,
    files: Option<Files>,
    layers: Option<Vec<Files>>,
    sbom: Option<Vec<String>>,
    #[serde(default)]
    property: BTreeMap<String, String>,
    #[serde(default)]
    feeds: Vec<String>,
}

fn cases() -> Vec<Case> {
    let table: Table = toml::from_str(include_str!("../verdicts/cases.toml")).unwrap();
    table.case
}

impl Case {
    /// Writes the input; what `kiln scan` is told to look at.
    fn write(&self, world: &World) -> String {
        match (&self.files, &self.layers, &self.sbom) {
            (Some(files), None, None) => {
                for (path, text) in files {
                    let path = world.path("subject").join(path);
                    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                    std::fs::write(path, text).unwrap();
                }
                "dir:subject".to_owned()
            }
            (None, Some(layers), None) => {
                image(&world.path("layout"), layers);
                "oci:layout:1".to_owned()
            }
            (None, None, Some(purls)) => {
                std::fs::write(world.path("bill.json"), self.bill(purls)).unwrap();
                "sbom:bill.json".to_owned()
            }
            _ => panic!("{}: one of files, layers, sbom", self.name),
        }
    }

    fn bill(&self, purls: &[String]) -> String {
        let mut components: Vec<serde_json::Value> = purls
            .iter()
            .map(|purl| json!({"type": "library", "bom-ref": purl, "name": "x", "purl": purl}))
            .collect();
        let properties = self.property.iter().map(|(name, value)| json!({"name": name, "value": value}));
        if let Some(last) = components.last_mut() {
            last["properties"] = properties.collect();
        }
        json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": components}).to_string()
    }

    /// Runs it; what is wrong with the answer.
    fn judge(&self) -> Option<String> {
        let world = World::new();
        let subject = self.write(&world);
        let mut args = vec!["scan".to_owned(), subject];
        if self.flags.is_empty() {
            args.extend(["--fail-on", "low"].map(str::to_owned));
        }
        args.extend(self.flags.iter().cloned());
        if !self.feeds.is_empty() {
            std::fs::create_dir(world.path("feeds")).unwrap();
            for (at, feed) in self.feeds.iter().enumerate() {
                std::fs::write(world.path(&format!("feeds/{at}.json")), feed).unwrap();
            }
            world.run(["db", "build", "--from", "feeds", "-o", "my.kdb"]).exits(0);
            args.extend(["--db", "my.kdb"].map(str::to_owned));
        }
        let run = world.run(&args);
        // Details stand in the formats for programs.
        let details = world.run(args.iter().map(String::as_str).chain(["--format", "sarif"]));
        let text = run.stdout.clone() + &details.stdout;
        let lacks = self.says.iter().filter(|said| !text.contains(said.as_str()));
        let wrong = self.not.iter().filter(|said| text.contains(said.as_str()));
        let complaints: Vec<String> = lacks
            .map(|said| format!("does not say `{said}`"))
            .chain(wrong.map(|said| format!("says `{said}`")))
            .chain((run.code != Some(self.exit)).then(|| format!("exits with {:?}", run.code)))
            .collect();
        let (name, said) = (&self.name, complaints.join(", "));
        (!said.is_empty()).then(|| format!("{name}: {said}\n{}{}", run.stdout, run.stderr))
    }
}

/// An image of these layers, tagged `1`.
fn image(folder: &Path, layers: &[Files]) {
    let layout = Layout::create(folder).unwrap();
    let put = |media_type: &str, bytes: &[u8]| {
        let descriptor = Descriptor::of(media_type, bytes);
        layout.put(&descriptor, &mut &bytes[..]).unwrap();
        descriptor
    };
    let mut config =
        ImageConfig { architecture: "amd64".into(), os: "linux".into(), ..ImageConfig::default() };
    config.rootfs.kind = "layers".into();
    let mut packed = Vec::new();
    for files in layers {
        let (bytes, layer) = pack_layer(&tree(files), 0, 1, Vec::new()).unwrap();
        layout.put(&layer.descriptor, &mut &bytes[..]).unwrap();
        config.rootfs.diff_ids.push(layer.diff_id);
        packed.push(layer.descriptor);
    }
    let config = put(media_type::CONFIG, &config.to_bytes());
    let manifest = put(media_type::MANIFEST, &Manifest::image(config, packed).to_bytes());
    layout.publish(&manifest, Some("1")).unwrap();
}

fn tree(files: &Files) -> Tree {
    let mut tree = Tree::new();
    for (path, text) in files {
        match text.strip_prefix("-> ") {
            Some(target) => tree.insert_symlink(path, target).unwrap(),
            None if text == "@bundle" => {
                let text = format!("{}function __webpack_require__(id) {{}}", "x".repeat(4096));
                tree.insert_file(path, 0o644, text.into_bytes()).unwrap();
            }
            None if text == "@long" => {
                let text = "const a = 1;\n".repeat(200);
                tree.insert_file(path, 0o644, text.into_bytes()).unwrap();
            }
            None => tree.insert_file(path, 0o644, text.as_bytes()).unwrap(),
        }
    }
    tree
}

#[test]
fn small_inputs_are_judged_as_the_table_says() {
    let cases = cases();
    assert!(cases.len() >= 90, "{} cases", cases.len());
    let wrong: Vec<String> = cases.iter().filter_map(Case::judge).collect();
    assert!(wrong.is_empty(), "{} of {} are wrong\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    // The same gate never passes what is not known.
    assert!(cases.iter().filter(|case| case.exit == 3).count() >= 40);
}
