use std::sync::atomic::{AtomicBool, Ordering};

use kiln_build::engine::{BuildTarget, Graph, Solver};
use kiln_fetch::endpoints::Npm;
use kiln_finding::Failure;
use kiln_image::PackedLayer;
use kiln_images::Machine;
use kiln_oci::Descriptor;
use kiln_sandbox::Ids;
use kiln_store::{Layout, StepCache};

use super::assemble::assemble;
use super::commands::Commands;
use super::executor::{LocalExecutor, MakeBuilder};
use super::facts::FactCache;
use super::given::{FindGiven, GivenOnce};
use super::layer_store::LayerStore;
use super::options::BuildOptions;
use super::share;
use super::watch::Telling;
use crate::progress::Progress;

/// Everything that a graph is made into an image with.
pub(crate) struct Engine<'a> {
    pub(crate) machine: &'a Machine,
    pub(crate) layout: &'a Layout,
    pub(crate) options: &'a BuildOptions,
    pub(crate) progress: &'a dyn Progress,
    /// Which users and groups commands see.
    pub(crate) ids: Ids,
    /// What commands need of this machine.
    pub(crate) given: FindGiven<'a>,
    /// Settings of this machine's npm, where every command with network has them.
    pub(crate) npm: Option<&'a Npm>,
    /// What helps a command that wants a network and has none.
    pub(crate) without_network: &'static str,
    pub(crate) make_builder: MakeBuilder<'a>,
    /// Seconds since 1970 that every file of a layer has, and the time when the image was made.
    pub(crate) times: (u64, String),
    /// Labels besides those of the target.
    pub(crate) labels: Vec<(String, String)>,
    /// What an error of the graph is told as.
    pub(crate) told: &'a dyn Fn(kiln_build::Error) -> Failure,
}

/// A made image.
pub(crate) struct Made {
    /// Its manifest, in the layout, without a name.
    pub(crate) manifest: Descriptor,
    /// Its layers, lowest first, each with the step that made it.
    pub(crate) layers: Vec<(usize, PackedLayer)>,
    /// `3 steps done, 5 from the cache`
    pub(crate) steps: String,
    /// The steps that were made now, and not found.
    pub(crate) done: Vec<usize>,
    /// Some command got this machine's network in place of one of its own.
    pub(crate) had_host_network: bool,
}

/// Looks at what was made before it becomes an image.
pub(crate) type Check<'a> =
    &'a dyn Fn(&Solver<'_, LocalExecutor<'_>, FactCache>) -> Result<(), kiln_build::Error>;

impl Engine<'_> {
    /// Makes the layers of a graph that nobody made before, and the image. `summary` is what is said of it.
    pub(crate) fn make(
        self,
        graph: &Graph,
        target: BuildTarget,
        check: Check<'_>,
        summary: &dyn Fn(&Made) -> String,
    ) -> Result<Made, Failure> {
        let Self { machine, layout, options, progress, told, .. } = self;
        progress.start("build", "looking into the cache");
        let (note, say) = (progress.notifier(), progress.teller());
        let telling = Telling::new(options, &*note, &*say);
        let facts = FactCache::new(StepCache::create(&machine.cache_dir.join("steps"))?);
        let mut store = LayerStore::new(
            layout,
            &facts,
            &machine.cache_dir,
            self.ids,
            self.times.0,
            options.compression,
            &*say,
        );
        // A place that cannot be written to is told before anything is done.
        let caches = options.cache_to.iter().map(|place| Ok((place, share::target(place, machine)?)));
        let caches = caches.collect::<Result<Vec<_>, Failure>>()?;
        for place in &options.cache_from {
            // A cache that cannot be had costs time, and the user wants to know.
            if let Err(failure) = share::import(place, &mut store, machine) {
                say(&format!("  warning: the cache {place} is not used: {}", failure.sentence()));
            }
        }
        let on_line = |origin: &_, line: &str| telling.line(origin, line);
        let commands = Commands {
            given: GivenOnce::new(self.given),
            npm: self.npm,
            secrets: &options.secrets,
            agents: options.agents.clone(),
            timeout: options.limit(),
            offline: machine.offline,
            without_network: self.without_network,
            caches: machine.cache_dir.join("mounts"),
            on_line: &on_line,
            had_host_network: AtomicBool::new(false),
        };
        let executor = LocalExecutor { store, commands, make_builder: self.make_builder };
        let solver = Solver::new(graph, &executor, &facts, &telling, options.no_cache);
        let top = target.top;
        let layers = solver.layers(top).map_err(told)?;
        check(&solver).map_err(told)?;
        let manifest = assemble(target, &layers, self.labels, &self.times.1, layout)?;
        let done = (0..graph.steps.len()).filter(|&id| telling.was_made(&graph.steps[id].origin)).collect();
        let made = Made {
            manifest,
            layers,
            steps: telling.summary(),
            done,
            had_host_network: executor.commands.had_host_network.load(Ordering::Relaxed),
        };
        progress.done(&summary(&made));
        for (place, target) in caches {
            progress.start("cache", place);
            let shared = solver.shared(top).map_err(told)?;
            let count = shared.steps.len();
            share::export(target, shared, &executor.store, layout)?;
            progress.done(&format!("{count} steps to {place}"));
        }
        Ok(made)
    }
}
