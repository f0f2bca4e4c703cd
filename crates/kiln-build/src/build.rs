use kiln_image::PackedLayer;
use kiln_oci::Digest;
use kiln_plan::{Plan, Step};
use kiln_rootfs::Tree;
use serde::{Deserialize, Serialize};

use crate::error::ErrorKind;
use crate::{Error, Keep, Key, Run, Runner, split, tree_digest};

/// What a build starts from.
pub struct Input<'a> {
    /// The decisions.
    pub plan: &'a Plan,
    /// The source files, without `node_modules` and what `.dockerignore` leaves out.
    pub source: &'a Tree,
    /// Names the builder base; its digest, or anything that changes whenever the builder does.
    pub builder: Digest,
    /// Seconds since 1970 that every file carries.
    pub mtime: u64,
}

/// The layers on top of the base.
#[derive(Clone, Debug)]
pub struct Built {
    /// `node_modules`, for production.
    pub dependencies: StageOutcome,
    /// The app.
    pub app: StageOutcome,
}

/// A layer, and whether it had to be made.
#[derive(Clone, Debug)]
pub struct StageOutcome {
    /// The layer.
    pub layer: PackedLayer,
    /// It was there from an earlier build.
    pub cached: bool,
}

/// What is remembered of a layer.
#[derive(Serialize, Deserialize)]
struct Record {
    layer: PackedLayer,
    /// Of the dependency layer: nothing. Of the app layer: whether the entry was found in it.
    has_entry: bool,
    near: Vec<String>,
}

/// Makes the layers of the plan, or finds them.
pub fn build<R: Runner, K: Keep>(input: &Input<'_>, runner: &R, keep: &K) -> Result<Built, Error> {
    let manifests = manifests(input)?;
    let manifests_digest = digest(&manifests)?;
    let step_key = |kind, steps: &[Step]| {
        Key::new(kind)
            .field("builder", input.builder.as_bytes())
            .field("mtime", input.mtime.to_string())
            .field("manifests", manifests_digest.as_bytes())
            .list("steps", steps.iter().map(|step| step.argv.join("\0")))
    };
    let production_key = step_key("production", &input.plan.production).finish();
    let install_key = step_key("install", &input.plan.install).finish();
    let app_key = step_key("app", &input.plan.build)
        .field("install", install_key.as_bytes())
        .field("source", digest(input.source)?.as_bytes())
        .finish();

    let dependencies = match find(keep, &production_key)? {
        Some(record) => StageOutcome { layer: record.layer, cached: true },
        None => make_dependencies(input, &manifests, production_key, runner, keep)?,
    };
    let (app, record) = match find(keep, &app_key)? {
        Some(record) => (StageOutcome { layer: record.layer.clone(), cached: true }, record),
        None => make_app(input, &manifests, install_key, app_key, runner, keep)?,
    };
    if record.has_entry || entry_file(input.plan).is_some_and(|entry| entry.starts_with("node_modules/")) {
        return Ok(Built { dependencies, app });
    }
    let entry = entry_file(input.plan).unwrap_or_default().to_owned();
    Err(ErrorKind::EntryMissing { entry, near: record.near }.into())
}

/// The first argument of node that is no flag.
fn entry_file(plan: &Plan) -> Option<&str> {
    plan.entry.iter().map(String::as_str).find(|word| !word.starts_with('-'))
}

fn manifests(input: &Input<'_>) -> Result<Tree, Error> {
    let mut tree = Tree::new();
    for path in &input.plan.manifests {
        if let Some(entry) = input.source.get(path) {
            tree.insert(path.clone(), entry.clone()).map_err(|source| ErrorKind::Tree { source })?;
        }
    }
    Ok(tree)
}

fn digest(tree: &Tree) -> Result<Digest, Error> {
    tree_digest(tree).map_err(|(path, source)| ErrorKind::Read { path: path.to_string(), source }.into())
}

/// A record whose layer is still there.
fn find<K: Keep>(keep: &K, key: &Digest) -> Result<Option<Record>, Error> {
    let Some(bytes) = keep.record(key).map_err(Error::port("look into the build cache"))? else {
        return Ok(None);
    };
    let record: Record = serde_json::from_slice(&bytes).map_err(|source| ErrorKind::Record { source })?;
    let is_there = keep.has_layer(&record.layer).map_err(Error::port("look for a layer"))?;
    Ok(is_there.then_some(record))
}

fn remember<K: Keep>(keep: &K, key: &Digest, record: &Record) -> Result<(), Error> {
    let bytes = serde_json::to_vec(record).map_err(|source| ErrorKind::Record { source })?;
    keep.remember(key, &bytes).map_err(Error::port("write to the build cache"))
}

fn make_dependencies<R: Runner, K: Keep>(
    input: &Input<'_>,
    manifests: &Tree,
    key: Digest,
    runner: &R,
    keep: &K,
) -> Result<StageOutcome, Error> {
    let steps = &input.plan.production;
    let run = Run { stage: "production", key, over: None, files: manifests, steps };
    let installed = runner.yields(&run).map_err(Error::port("install what production needs"))?;
    let tree = split::dependencies(&installed).map_err(|source| ErrorKind::Tree { source })?;
    let layer = keep.pack(&tree).map_err(Error::port("pack the dependencies"))?;
    runner.release(&run);
    let record = Record { layer, has_entry: false, near: Vec::new() };
    remember(keep, &key, &record)?;
    Ok(StageOutcome { layer: record.layer, cached: false })
}

fn make_app<R: Runner, K: Keep>(
    input: &Input<'_>,
    manifests: &Tree,
    install_key: Digest,
    key: Digest,
    runner: &R,
    keep: &K,
) -> Result<(StageOutcome, Record), Error> {
    let plan = input.plan;
    let run = Run { stage: "build", key, over: Some(install_key), files: input.source, steps: &plan.build };
    let built = if plan.build.is_empty() {
        None
    } else {
        let install =
            Run { stage: "install", key: install_key, over: None, files: manifests, steps: &plan.install };
        runner.prepare(&install).map_err(Error::port("install what the build needs"))?;
        Some(runner.yields(&run).map_err(Error::port("build the app"))?)
    };
    let tree =
        split::app(built.as_ref().unwrap_or(input.source)).map_err(|source| ErrorKind::Tree { source })?;
    let layer = keep.pack(&tree).map_err(Error::port("pack the app"))?;
    if built.is_some() {
        runner.release(&run);
    }
    let entry = entry_file(plan).unwrap_or_default();
    let has_entry = split::has_entry(&tree, &Tree::new(), &plan.folder, entry);
    let near = if has_entry { Vec::new() } else { split::near_misses(&tree) };
    let record = Record { layer: layer.clone(), has_entry, near };
    remember(keep, &key, &record)?;
    Ok((StageOutcome { layer, cached: false }, record))
}
