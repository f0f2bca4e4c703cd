//! Laws by many processes: whatever is killed at whatever moment, and however many work at once, what is kept stays sound, the
//! next command works, and nothing of a killed one stays after it.

use std::fs;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use kiln_image::Source;
use kiln_oci::{Descriptor, media_type};
use kiln_store::Layout;

use crate::harness::{Run, World, needs};
use crate::http::{Http, Request, Response};
use crate::images::image_in;
use crate::kept::{is_sound, is_swept};
use crate::ship::can_ship;

/// How often each kind of command is killed before it ends.
const KILLS_EACH: u32 = 26;
/// How often that is tried at most: some end before they are killed.
const TRIES_EACH: u32 = 8 * KILLS_EACH;
/// Choose another with this variable; which moments are chosen hangs on it, what happens then on the machine.
const SEED: &str = "KILN_KILL_SEED";
const PROCESSES: usize = 8;

/// SplitMix64. Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators".
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }
}

/// How long a command takes, as far as it is known: a machine that others use, too, is slower at one time than at another.
struct Span {
    most: u64,
    now: u64,
}

impl Span {
    fn new(undisturbed: Duration) -> Self {
        let most = u64::try_from(undisturbed.as_micros()).unwrap();
        Self { most, now: most }
    }

    fn moment(&self, random: &mut Random) -> Duration {
        Duration::from_micros(random.below(self.now))
    }

    /// Earlier, if the command had ended before it was killed.
    fn learn(&mut self, was_there: bool) {
        self.now = if was_there { (self.now * 5 / 4).min(self.most) } else { self.now * 3 / 4 };
    }
}

/// Bytes that do not get smaller when they are packed.
fn noise(random: &mut Random, count: usize) -> Vec<u8> {
    (0..count.div_ceil(8)).flat_map(|_| random.next().to_le_bytes()).take(count).collect()
}

/// A registry that holds the image of a layout, to be read only.
fn registry(folder: &Path) -> Http {
    let layout = Layout::open(folder).unwrap();
    Http::start(move |request| answer(&layout, request))
}

fn answer(layout: &Layout, request: &Request) -> Response {
    let bytes = |content: &Descriptor| fs::read(layout.blob_path(&content.digest)).unwrap();
    if let Some((_, wanted)) = request.path.split_once("/manifests/") {
        let manifest = layout.resolve("1").unwrap().unwrap();
        let is_it = wanted == "1" || wanted == manifest.digest.to_string();
        let headers = vec![
            ("content-type", media_type::MANIFEST.to_owned()),
            ("docker-content-digest", manifest.digest.to_string()),
        ];
        return if is_it {
            Response { status: 200, headers, body: bytes(&manifest), cut: false }
        } else {
            Response::status(404)
        };
    }
    match request.path.split_once("/blobs/").map(|(_, digest)| digest.parse()) {
        Some(Ok(digest)) if layout.blob_path(&digest).exists() => {
            let body = fs::read(layout.blob_path(&digest)).unwrap();
            let headers = vec![("content-type", "application/octet-stream".to_owned())];
            Response { status: 200, headers, body, cut: false }
        }
        Some(_) => Response::status(404),
        None => Response::json(200, &serde_json::json!({})),
    }
}

/// The commands that are killed, and what each of them works on.
struct Bench {
    world: World,
    registry: Http,
    feed: Http,
    random: Random,
}

const KINDS: [&str; 8] = ["build", "pull", "copy in", "copy out", "sign", "db update", "rm", "prune"];

impl Bench {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let world = World::new();
        for folder in ["out", "context"] {
            fs::create_dir(world.path(folder)).unwrap();
        }
        let text: String =
            noise(&mut random, 200_000).iter().map(|byte| char::from(b'a' + byte % 26)).collect();
        for name in ["base", "other"] {
            image_in(&world.path(name), &[("etc/name", 0o644, name), ("data", 0o644, &text)]);
        }
        fs::write(world.path("context/Dockerfile"), "FROM base\nCOPY noise /noise\n").unwrap();
        let record = r#"{"id":"GHSA-aaaa-bbbb-0001","modified":"2026-11-02T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"p"},"versions":["1.0.0"]}]}"#;
        let feed = Http::start(move |_| Response::json(200, &serde_json::from_str(record).unwrap()));
        let registry = registry(&world.path("other"));
        Self { world, registry, feed, random }
    }

    fn kiln(&self, args: &[&str]) -> Command {
        let mut kiln = self.world.kiln();
        kiln.env("KILN_CACHE_DIR", self.world.path("cache")).args(args);
        kiln
    }

    /// The layout that an image is copied from.
    fn from(&self, name: &str) -> String {
        format!("oci:{}:1", self.world.path(name).display())
    }

    /// Makes sure that the command has something to do, and yields it.
    fn command(&mut self, kind: &str) -> Command {
        let out = format!("docker-archive:{}", self.world.path("out/image.tar").display());
        match kind {
            "build" => {
                let noise = noise(&mut self.random, 300_000);
                fs::write(self.world.path("context/noise"), noise).unwrap();
                let context = self.world.path("context").display().to_string();
                let base = format!("base={}", self.from("base").trim_end_matches(":1"));
                let file = format!("{context}/Dockerfile");
                self.kiln(&["build", "-t", "built:1", "--build-context", &base, "-f", &file, &context])
            }
            "pull" => {
                let name = format!("{}/team/app:1", self.registry.url.trim_start_matches("http://"));
                self.forget(&name);
                self.kiln(&["pull", &name])
            }
            "copy in" => {
                self.forget("copied:1");
                self.kiln(&["copy", &self.from("other"), "copied:1"])
            }
            "copy out" => self.kiln(&["copy", "kept:1", &out]),
            "sign" => self.kiln(&["sign", "kept:1"]),
            "db update" => {
                self.kiln(&["db", "update", "--force", "--from", &format!("{}/feed.json", self.feed.url)])
            }
            "rm" => {
                Run::of(&mut self.kiln(&["copy", &self.from("other"), "going:1", "-q"])).exits(0);
                self.kiln(&["rm", "going:1"])
            }
            _ => {
                // Something that nothing leads to.
                Run::of(&mut self.kiln(&["copy", &self.from("other"), "kept:2", "-q"])).exits(0);
                Run::of(&mut self.kiln(&["copy", &self.from("base"), "kept:2", "-q"])).exits(0);
                self.kiln(&["prune"])
            }
        }
    }

    /// Takes an image away that may be there, so that it must be brought again.
    fn forget(&self, name: &str) {
        drop(self.kiln(&["rm", name]).output());
    }

    /// How long the command takes if nobody kills it.
    fn undisturbed(&mut self, kind: &str) -> Duration {
        let mut command = self.command(kind);
        let began = Instant::now();
        Run::of(&mut command).exits(0);
        began.elapsed()
    }

    /// Kills the command at a moment somewhere in `span`. Says whether it was still there.
    fn kill(&mut self, kind: &str, span: &Span) -> bool {
        let mut command = self.command(kind);
        let after = span.moment(&mut self.random);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(after);
        drop(child.kill());
        child.wait().unwrap().signal().is_some()
    }
}

/// Says something past the capture of test output, for the reader of the log.
#[expect(clippy::explicit_write, reason = "the macro would be captured")]
fn tell(text: &str) {
    writeln!(std::io::stderr(), "kills: {text}").unwrap();
}

fn seed() -> u64 {
    std::env::var(SEED).ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_129)
}

#[test]
fn killed_at_any_moment_it_leaves_everything_sound() {
    let seed = seed();
    tell(&format!("{SEED}={seed}"));
    let mut bench = Bench::new(seed);
    Run::of(&mut bench.kiln(&["copy", &bench.from("base"), "kept:1", "-q"])).exits(0);
    let mut killed = 0;
    for kind in KINDS {
        let mut span = Span::new(bench.undisturbed(kind));
        let (mut here, mut tries) = (0, 0);
        while here < KILLS_EACH {
            tries += 1;
            assert!(tries <= TRIES_EACH, "{kind} ends before it is killed: {here} of {tries}");
            let was_there = bench.kill(kind, &span);
            span.learn(was_there);
            here += u32::from(was_there);
            is_sound(&bench.world.data("store"));
            // The next command, whatever it is.
            Run::of(&mut bench.kiln(&["images", "-q"])).exits(0);
            is_swept_but_beside_archives(&bench.world);
        }
        killed += here;
        // And the one that was killed.
        bench.undisturbed(kind);
        is_sound(&bench.world.data("store"));
        is_swept(&bench.world);
    }
    tell(&format!("{killed} kills"));
    Run::of(&mut bench.kiln(&["verify", "kept:1", "-q", "--require", "signature"])).exits(0);
    let doctor = Run::of(&mut bench.kiln(&["doctor", "--format", "json"])).json();
    let checks = doctor["checks"].as_array().unwrap();
    let of_store = checks
        .iter()
        .filter(|check| ["blobs of the store", "images"].contains(&check["about"].as_str().unwrap()));
    assert!(
        of_store.clone().count() == 2 && of_store.clone().all(|check| check["state"] == "fine"),
        "{doctor}"
    );
}

#[test]
fn a_ship_that_is_killed_is_shipped_the_next_time() {
    if !can_ship() {
        return;
    }
    let world = World::new();
    let app = world.example("orders-api");
    let cache = world.own_cache();
    let ship = || {
        let mut kiln = world.kiln();
        kiln.env("KILN_CACHE_DIR", &cache).args(["ship", "-q"]).arg(&app);
        kiln
    };
    Run::of(&mut ship()).exits(0);
    let timed = || {
        let began = Instant::now();
        Run::of(&mut ship()).exits(0);
        began.elapsed()
    };
    let mut unchanged = Span::new(timed());
    fs::write(app.join("src/more.ts"), "export const more = true;\n").unwrap();
    let mut changed = Span::new(timed());
    let mut random = Random(seed());
    let (mut here, mut tries) = (0, 0);
    while here < KILLS_EACH {
        tries += 1;
        assert!(tries <= TRIES_EACH, "it ends before it is killed: {here} of {tries}");
        let is_changed = tries % 4 == 0;
        if is_changed {
            fs::write(app.join("src/more.ts"), format!("export const tries = {tries};\n")).unwrap();
        }
        let span = if is_changed { &mut changed } else { &mut unchanged };
        let after = span.moment(&mut random);
        let mut child = ship().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(after);
        drop(child.kill());
        let was_there = child.wait().unwrap().signal().is_some();
        span.learn(was_there);
        here += u32::from(was_there);
        is_sound(&world.data("store"));
        Run::of(world.kiln().env("KILN_CACHE_DIR", &cache).args(["images", "-q"])).exits(0);
        is_swept(&world);
    }
    tell(&format!("{here} kills of a ship"));
    Run::of(&mut ship()).exits(0);
    Run::of(world.kiln().args(["verify", "orders-api:1.4.0", "-q"])).exits(0);
    is_sound(&world.data("store"));
}

/// What lies beside an archive goes with the next one that is written there.
fn is_swept_but_beside_archives(world: &World) {
    let aside = world.path("out");
    let hidden = world.path("hidden");
    fs::rename(&aside, &hidden).unwrap();
    is_swept(world);
    fs::rename(&hidden, &aside).unwrap();
}

/// The moment between a file's two names is too short to be hit by chance: here it was hit in every folder.
#[test]
fn what_a_killed_command_left_in_the_making_goes_with_the_next() {
    let mut bench = Bench::new(5);
    bench.undisturbed("build");
    bench.undisturbed("db update");
    let (data, cache) = (bench.world.data(""), bench.world.path("cache"));
    for staging in [data.join("store/ingest"), cache.join("steps/incoming"), cache.join("downloads/partial")]
    {
        fs::create_dir_all(&staging).unwrap();
        fs::write(staging.join(".kiln-0123456789abcdef.tmp"), "half").unwrap();
    }
    Run::of(&mut bench.kiln(&["images", "-q"])).exits(0);
    is_swept(&bench.world);
    assert!(!cache.join("downloads/partial/.kiln-0123456789abcdef.tmp").exists());
}

/// In containers that share a volume every kiln may be process 1.
#[test]
fn many_at_once_that_all_are_process_1() {
    if !needs(&["pid-namespaces"]) {
        return;
    }
    let bench = Bench::new(8);
    Run::of(&mut bench.kiln(&["copy", &bench.from("base"), "kept:1", "-q"])).exits(0);
    for round in 0..6 {
        let running: Vec<_> = (0..PROCESSES)
            .map(|number| {
                let context = bench.world.path(&format!("context-{number}"));
                fs::create_dir_all(&context).unwrap();
                fs::write(context.join("Dockerfile"), "FROM base\nCOPY noise /noise\nCOPY noise /again\n")
                    .unwrap();
                // Of the same length, and two of them the same.
                let mut random = Random(round * 100 + number as u64 / 2);
                fs::write(context.join("noise"), noise(&mut random, 400_000)).unwrap();
                let (context, name) = (context.display().to_string(), format!("built:{number}"));
                let base = format!("base={}", bench.from("base").trim_end_matches(":1"));
                let file = format!("{context}/Dockerfile");
                let args = match number {
                    6 => vec!["prune"],
                    7 => vec!["sign", "kept:1"],
                    _ => vec!["build", "-t", &name, "--build-context", &base, "-f", &file, &context],
                };
                let kiln = bench.kiln(&args);
                let mut alone = Command::new("unshare");
                alone.args(["--pid", "--fork", "--kill-child"]).arg(kiln.get_program()).args(&args);
                alone.current_dir(bench.world.path("")).stdin(Stdio::null());
                alone.stdout(Stdio::piped()).stderr(Stdio::piped());
                for (name, value) in kiln.get_envs() {
                    match value {
                        Some(value) => alone.env(name, value),
                        None => alone.env_remove(name),
                    };
                }
                (args.join(" "), alone.spawn().unwrap())
            })
            .collect();
        for (what, child) in running {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
        }
        is_sound(&bench.world.data("store"));
        is_swept(&bench.world);
    }
    let listed = Run::of(&mut bench.kiln(&["images", "--format", "json"])).exits(0).json();
    assert_eq!(listed["images"].as_array().unwrap().len(), PROCESSES - 2 + 1, "{listed}");
}
