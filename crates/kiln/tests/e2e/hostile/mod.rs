//! Layers, archives and caches that try to leave their folder, by every way in. A canary beside the working folder stays as
//! it is, and nothing of it gets into an image.

mod canary;
mod contexts;
mod kinds;
mod tar;

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use canary::Canary;
use kiln_image::{Sink, Source};
use kiln_oci::{Descriptor, Digest, ImageConfig, Manifest, media_type};
use kiln_store::Layout;
use serde_json::Value;

use crate::differential::DEBIAN;
use crate::harness::{Run, World, needs, project};

/// Where entries stand: at the top, in a folder of the base, below a link of the base, in a folder of their own.
const POSITIONS: [&str; 4] = ["", "etc/", "lib64/", "new/deep/"];
const PLAIN_LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// One hostile archive, by kind and place.
struct Case {
    name: String,
    at: &'static str,
    tar: Vec<u8>,
}

/// A machine with a canary, a layout with all hostile images, and what kiln keeps.
struct Machine {
    world: World,
    canary: Canary,
    cases: Vec<Case>,
}

impl Machine {
    fn new(positions: &[&'static str]) -> Option<Self> {
        if !needs(&["namespaces", "debian"]) {
            return None;
        }
        let world = World::new();
        let canary = Canary::new(world.path("canary"), None);
        let out = canary.name();
        let cases = positions
            .iter()
            .flat_map(|at| {
                kinds::kinds(at, &out).into_iter().map(move |(name, entries)| Case {
                    name: format!("{name} at /{at}"),
                    at,
                    tar: tar::tar(&entries),
                })
            })
            .collect();
        Some(Self { world, canary, cases })
    }

    /// Builds each case the way that `dockerfile` says, given the number of the case; `prepare` lays out its files.
    fn build_all(
        &self,
        way: &str,
        ids: &str,
        threads: usize,
        prepare: &(dyn Fn(usize, &Case, &Path) -> Vec<String> + Sync),
    ) -> usize {
        let (next, accepted) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    while let Some((number, case)) = {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        self.cases.get(at).map(|case| (at, case))
                    } {
                        let folder = self.world.path(&format!("{way}-{ids}-{number}"));
                        fs::create_dir(&folder).unwrap();
                        let args = prepare(number, case, &folder);
                        let run = Run::of(self.kiln(ids).arg("build").args(args).arg(&folder));
                        // Refused with its reason, or built; never a panic, never a signal.
                        let code = run.code.unwrap_or(-1);
                        assert!(
                            [0, 2, 3].contains(&code),
                            "{way}: {}: exit {code}\n{}",
                            case.name,
                            run.stderr
                        );
                        accepted.fetch_add(usize::from(code == 0), Ordering::Relaxed);
                        self.canary.is_as_it_was(&format!("{way}: {}", case.name));
                        fs::remove_dir_all(&folder).unwrap();
                    }
                });
            }
        });
        let accepted = accepted.into_inner();
        say(&format!(
            "hostile: {} builds by {way} with {ids} ids: {accepted} accepted, the others refused",
            self.cases.len()
        ));
        assert!(accepted > 0 && accepted < self.cases.len(), "{way}: {accepted} of {}", self.cases.len());
        self.cases.len()
    }

    fn kiln(&self, ids: &str) -> Command {
        kiln_with(&self.world, ids)
    }

    /// Nothing that kiln keeps holds the secret.
    fn keeps_no_secret(&self) {
        let files = self.canary.is_not_in(&self.world.data("store"))
            + self.canary.is_not_in(&self.world.path("cache"));
        assert!(files > 0, "there was nothing to look at");
    }

    /// All cases as images of one layout: `bare-N` is the hostile layer alone, `full-N` lies over a
    /// little of Debian: what removes something is unpacked together with all below it.
    fn layout(&self) -> PathBuf {
        let folder = self.world.path("images");
        let (debian, layout) =
            (Layout::open(&project().join(DEBIAN)).unwrap(), Layout::create(&folder).unwrap().unhurried());
        let root = debian_manifest(&debian);
        let config: ImageConfig = serde_json::from_slice(&read(&debian, &root.config)).unwrap();
        let base = put(&layout, PLAIN_LAYER, &little(&read(&debian, &root.layers[0])));
        for (number, case) in self.cases.iter().enumerate() {
            let layer = put(&layout, PLAIN_LAYER, &case.tar);
            let image = |layers: Vec<Descriptor>, mut diff_ids: Vec<Digest>, name: &str| {
                diff_ids.push(layer.digest);
                let mut config = config.clone();
                config.rootfs.diff_ids = diff_ids;
                config.history.clear();
                let config = put(&layout, media_type::CONFIG, &config.to_bytes());
                let manifest = Manifest::image(config, [layers, vec![layer.clone()]].concat());
                let manifest = put(&layout, media_type::MANIFEST, &manifest.to_bytes());
                layout.publish(&manifest, Some(&format!("{name}-{number}"))).unwrap();
            };
            image(Vec::new(), Vec::new(), "bare");
            image(vec![base.clone()], vec![base.digest], "full");
        }
        folder
    }
}

/// kiln with a cache of this world's own, and one id or many.
fn kiln_with(world: &World, ids: &str) -> Command {
    let mut kiln = world.kiln();
    kiln.env("KILN_CACHE_DIR", world.path("cache"));
    if ids == "one" {
        kiln.env("KILN_SANDBOX_IDS", "one");
    }
    kiln
}

/// What commands of the suite need of Debian, which is packed with gzip in one layer.
fn little(packed: &[u8]) -> Vec<u8> {
    let is_needed = |path: &Path| {
        let path = path.to_str().unwrap().trim_start_matches("./").trim_matches('/');
        let name = path.rsplit('/').next().unwrap_or_default();
        match path.split('/').next().unwrap_or_default() {
            "usr" if path.starts_with("usr/bin/") => ["sh", "dash", "cat"].contains(&name),
            "usr" if path.starts_with("usr/lib") && path.contains("linux-gnu/") => {
                path.split('/').count() == 4 && (name.starts_with("libc.so.") || name.starts_with("ld-linux"))
            }
            "usr" => {
                ["usr", "usr/bin", "usr/lib", "usr/lib64"].contains(&path)
                    || name.ends_with("-linux-gnu")
                    || path.starts_with("usr/lib64/")
                    || name.starts_with("ld-linux")
            }
            "var" | "opt" | "srv" => false,
            _ => true,
        }
    };
    let mut tar = ::tar::Builder::new(Vec::new());
    let mut debian = ::tar::Archive::new(flate2::read::MultiGzDecoder::new(packed));
    for entry in debian.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().into_owned();
        if !is_needed(&path) {
            continue;
        }
        let mut header = entry.header().clone();
        match entry.link_name().unwrap() {
            Some(target) => tar.append_link(&mut header, &path, target.as_ref()).unwrap(),
            None => tar.append_data(&mut header, &path, &mut entry).unwrap(),
        }
    }
    tar.into_inner().unwrap()
}

fn debian_manifest(debian: &Layout) -> Manifest {
    let index: Value =
        serde_json::from_slice(&fs::read(debian.folder().join("index.json")).unwrap()).unwrap();
    let digest: Digest = index["manifests"][0]["digest"].as_str().unwrap().parse().unwrap();
    serde_json::from_slice(&fs::read(debian.blob_path(&digest)).unwrap()).unwrap()
}

fn read(layout: &Layout, content: &Descriptor) -> Vec<u8> {
    fs::read(layout.blob_path(&content.digest)).unwrap()
}

fn put(layout: &Layout, media_type: &str, bytes: &[u8]) -> Descriptor {
    let descriptor = Descriptor::of(media_type, bytes);
    layout.put(&descriptor, &mut &bytes[..]).unwrap();
    descriptor
}

#[expect(clippy::explicit_write, reason = "the macro would be captured")]
fn say(line: &str) {
    writeln!(std::io::stderr(), "{line}").unwrap();
}

/// What a command of the build reads and keeps, of all that a hostile layer may lead to.
fn look(at: &str) -> String {
    format!(
        "cat /{at}x /{at}a /{at}b /{at}a/secret /{at}b/secret /etc/passwd /etc/resolv.conf > /seen 2>&1; true\n"
    )
}

fn dockerfile(folder: &Path, text: &str) {
    fs::write(folder.join("Dockerfile"), text).unwrap();
}

fn from_layout(layout: &Path, name: &str) -> Vec<String> {
    vec!["--build-context".to_owned(), format!("hostile=oci:{}:{name}", layout.display()), "-f".to_owned()]
}

#[test]
fn no_layer_leaves_its_folder() {
    let Some(machine) = Machine::new(&POSITIONS) else { return };
    let layout = machine.layout();
    let with = |name: String, folder: &Path, text: String| {
        dockerfile(folder, &text);
        let mut args = from_layout(&layout, &name);
        args.push(folder.join("Dockerfile").display().to_string());
        args
    };
    let run = |number: usize, case: &Case, folder: &Path| {
        with(format!("full-{number}"), folder, format!("FROM hostile\nRUN {}", look(case.at)))
    };
    let copy = |number: usize, _: &Case, folder: &Path| {
        with(format!("bare-{number}"), folder, "FROM scratch\nCOPY --from=hostile / /all/\n".to_owned())
    };
    let built =
        machine.build_all("RUN", "many", 2, &run) + machine.build_all("COPY --from", "many", 2, &copy);
    machine.keeps_no_secret();
    say(&format!("hostile: {built} builds over layers, nothing escaped"));
}

#[test]
fn no_layer_leaves_its_folder_for_a_user_with_one_id() {
    let Some(machine) = Machine::new(&POSITIONS[..1]) else { return };
    let layout = machine.layout();
    let debian = format!("base=oci:{}", project().join(DEBIAN).display());
    let run = |number: usize, case: &Case, folder: &Path| {
        dockerfile(folder, &format!("FROM hostile\nRUN {}", look(case.at)));
        let mut args = from_layout(&layout, &format!("full-{number}"));
        args.push(folder.join("Dockerfile").display().to_string());
        args
    };
    let mount = |number: usize, _: &Case, folder: &Path| {
        let mounts =
            "--mount=type=bind,from=hostile,source=/a,target=/m --mount=type=bind,from=hostile,target=/n";
        dockerfile(
            folder,
            &format!("FROM base\nRUN {mounts} cat /m /m/secret /n/a /n/x > /seen 2>&1; true\n"),
        );
        let mut args = vec!["--build-context".to_owned(), debian.clone()];
        args.extend(from_layout(&layout, &format!("bare-{number}")));
        args.push(folder.join("Dockerfile").display().to_string());
        args
    };
    machine.build_all("RUN", "one", 2, &run);
    machine.build_all("mount", "one", 2, &mount);
    machine.build_all("mount", "many", 2, &mount);
    machine.keeps_no_secret();
}

#[test]
fn no_archive_leaves_its_folder() {
    let Some(machine) = Machine::new(&POSITIONS) else { return };
    let debian = format!("base=oci:{}", project().join(DEBIAN).display());
    let add = |_: usize, case: &Case, folder: &Path| {
        fs::write(folder.join("a.tar"), &case.tar).unwrap();
        let mut text = "FROM base\nADD a.tar /\n".to_owned();
        for (program, end) in [("gzip", "gz"), ("bzip2", "bz2"), ("xz", "xz")] {
            if case.at.is_empty() {
                let line = format!("{program} -k a.tar");
                assert!(
                    Command::new("sh").args(["-c", &line]).current_dir(folder).status().unwrap().success()
                );
                writeln!(text, "ADD a.tar.{end} /{end}/").unwrap();
            }
        }
        if case.at.is_empty() {
            fs::write(folder.join("a.tar.zst"), zstd::encode_all(&case.tar[..], 1).unwrap()).unwrap();
            text.push_str("ADD a.tar.zst /zst/\n");
        }
        text += "RUN ";
        text += &look(case.at);
        dockerfile(folder, &text);
        vec![
            "--build-context".into(),
            debian.clone(),
            "-f".into(),
            folder.join("Dockerfile").display().to_string(),
        ]
    };
    machine.build_all("ADD", "many", 2, &add);
    machine.keeps_no_secret();
}

#[test]
fn no_cache_leaves_its_folder() {
    let Some(machine) = Machine::new(&POSITIONS[..1]) else { return };
    let debian = format!("base=oci:{}", project().join(DEBIAN).display());
    let known = "FROM base\nRUN touch /made\n";
    // What no cache has, and what the hostile layer must be unpacked for.
    let text = format!("{known}RUN {}COPY --from=base /etc/hostname /h\n", look(""));
    let honest = machine.world.path("honest");
    let first = World::new();
    let folder = machine.world.path("first");
    fs::create_dir(&folder).unwrap();
    dockerfile(&folder, known);
    let place = format!("oci:{}", honest.display());
    let file = folder.join("Dockerfile").display().to_string();
    let mut export = first.kiln();
    export.env("KILN_CACHE_DIR", first.path("cache")).args([
        "build",
        "--build-context",
        &debian,
        "--cache-to",
        &place,
    ]);
    Run::of(export.args(["-f", &file]).arg(&folder)).exits(0);
    let kept = machine.world.path("cache");
    let import = |_: usize, case: &Case, folder: &Path| {
        let cache = folder.join("cache");
        poison(&honest, &cache, &case.tar);
        forget_steps(&kept);
        dockerfile(folder, &text);
        let mut args: Vec<String> = ["--build-context", &debian, "--cache-from"].map(str::to_owned).into();
        args.extend([format!("oci:{}", cache.display()), "-f".to_owned()]);
        args.push(folder.join("Dockerfile").display().to_string());
        args
    };
    machine.build_all("--cache-from", "many", 1, &import);
    machine.keeps_no_secret();
}

/// Takes from a cache folder what steps made, so that nothing of an earlier case answers; bases stay.
fn forget_steps(cache: &Path) {
    drop(fs::remove_dir_all(cache.join("steps")));
    let owners = fs::read_dir(cache.join("layers")).into_iter().flatten().flatten();
    for name in owners.flat_map(|owner| fs::read_dir(owner.path()).unwrap().flatten()) {
        if name.path().is_symlink() && !name.file_name().to_string_lossy().starts_with("base-") {
            fs::remove_file(name.path()).unwrap();
        }
    }
}

/// A cache that an earlier command filled with links takes the place of a folder in which the sandbox itself writes.
#[test]
fn nothing_takes_the_place_of_what_is_the_kernels() {
    if !needs(&["namespaces", "debian"]) {
        return;
    }
    // Not below the folder in which the sandbox puts its root together, which would hide it.
    let place = tempfile::tempdir_in("/var/tmp").unwrap();
    let canary = Canary::new(place.path().join("canary"), None);
    let world = World::new();
    let debian = format!("base=oci:{}", project().join(DEBIAN).display());
    let out = canary.name();
    let fill = format!(
        "mkdir -p /c/sys/user /c/user /c/sys/kernel; for at in /c /c/user /c/sys/user; do ln -sfn /{out}/secret $at/max_net_namespaces; \
         ln -sfn /{out}/new $at/max_ipc_namespaces; done; ln -sfn /{out}/secret /c/sys/kernel/pid_max; ln -sfn /{out} /c/shm"
    );
    for ids in ["many", "one"] {
        for target in [
            "/proc",
            "/proc/sys",
            "/proc/sys/user",
            "/proc/self",
            "/sys",
            "/sys/fs",
            "/dev",
            "/dev/pts",
            "/../proc",
        ] {
            let folder = world.path("context");
            fs::create_dir_all(&folder).unwrap();
            dockerfile(
                &folder,
                &format!(
                    "FROM base\nRUN --mount=type=cache,id=z,target=/c {fill}\n\
                     RUN --mount=type=cache,id=z,target={target} true\nRUN --mount=type=tmpfs,target={target} true\n"
                ),
            );
            let mut kiln = world.kiln();
            kiln.env("KILN_CACHE_DIR", world.path("cache")).args(["build", "--build-context", &debian, "-f"]);
            if ids == "one" {
                kiln.env("KILN_SANDBOX_IDS", "one");
            }
            let run = Run::of(kiln.arg(folder.join("Dockerfile")).arg(&folder)).exits(3);
            assert!(run.stderr.contains("nothing can be mounted in /proc"), "{target}: {}", run.stderr);
            canary.is_as_it_was(target);
        }
    }
}

/// A mount inside of a cache, while another command swaps a folder of it for a link.
#[test]
fn a_mount_point_that_is_swapped_leads_nowhere() {
    if !needs(&["namespaces", "debian"]) {
        return;
    }
    let place = tempfile::tempdir_in("/var/tmp").unwrap();
    let canary = Canary::new(place.path().join("canary"), None);
    let world = World::new();
    let debian = format!("base=oci:{}", project().join(DEBIAN).display());
    let folder = world.path("context");
    fs::create_dir(&folder).unwrap();
    // 316 is renameat2 of x86_64, 276 that of arm64; 2 is RENAME_EXCHANGE.
    let number = if cfg!(target_arch = "x86_64") { 316 } else { 276 };
    let swap = format!(
        "mkdir -p /c/a; ln -sfn /{} /c/b; perl -e 'my $end = time + 6; while (time < $end) {{ syscall({number}, -100, \"/c/a\", -100, \"/c/b\", 2) }}'",
        canary.name()
    );
    let mounts = (0..20).fold(String::new(), |mounts, at| {
        mounts
            + "RUN --mount=type=cache,id=r,target=/c --mount=type=tmpfs,target=/c/a/pwned"
            + &at.to_string()
            + " true\n"
    });
    let mut refused = 0;
    for round in 0..3 {
        dockerfile(
            &folder,
            &format!(
                "FROM base AS a\nRUN --mount=type=cache,id=r,target=/c {swap} # {round}\nRUN touch /a\n\
                 FROM base AS b\nRUN sleep 1 # {round}\n{mounts}RUN touch /b\n\
                 FROM scratch\nCOPY --from=a /a /\nCOPY --from=b /b /\n"
            ),
        );
        let mut kiln = world.kiln();
        kiln.env("KILN_CACHE_DIR", world.path("cache")).env("KILN_SANDBOX_IDS", "one");
        kiln.args(["build", "--no-cache", "--build-context", &debian, "-f"]);
        let run = Run::of(kiln.arg(folder.join("Dockerfile")).arg(&folder));
        assert!([Some(0), Some(3)].contains(&run.code), "{:?} {}", run.code, run.stderr);
        refused += usize::from(run.stderr.contains("a symbolic link is in the way"));
        canary.is_as_it_was("a swapped mount point");
    }
    say(&format!("hostile: a mount point in a folder that is swapped: {refused} of 3 rounds met the link"));
}

/// What a command without rights writes on its files makes nobody else their owner.
#[test]
fn no_note_of_a_command_gives_its_files_away() {
    if !needs(&["namespaces", "debian"]) {
        return;
    }
    let world = World::new();
    let debian = format!("base=oci:{}", project().join(DEBIAN).display());
    let folder = world.path("context");
    fs::create_dir(&folder).unwrap();
    let number = if cfg!(target_arch = "x86_64") { 188 } else { 5 };
    let note = |name: &str, value: &str| {
        format!(
            "perl -e '$f = \"/tmp/mine\"; $n = \"{name}\"; $v = \"{value}\"; syscall({number}, $f, $n, $v, length $v, 0)'"
        )
    };
    let (owner, capability) =
        (note("user.kiln.owner", "0:0"), note("user.kiln.note.security.capability", "x"));
    dockerfile(
        &folder,
        &format!(
            "FROM base\nUSER 1000:1000\nRUN cp /bin/cat /tmp/mine && chmod 4755 /tmp/mine; {owner}; {capability}; true\n"
        ),
    );
    for ids in ["many", "one"] {
        let mut kiln = world.kiln();
        kiln.env("KILN_CACHE_DIR", world.path("cache")).args([
            "build",
            "--build-context",
            &debian,
            "-t",
            ids,
            "-f",
        ]);
        if ids == "one" {
            kiln.env("KILN_SANDBOX_IDS", "one");
        }
        Run::of(kiln.arg(folder.join("Dockerfile")).arg(&folder)).exits(0);
        let out = world.path(&format!("out-{ids}"));
        world.run(["copy", ids, &format!("oci:{}", out.display())]).exits(0);
        let mut found = 0;
        for blob in fs::read_dir(out.join("blobs/sha256")).unwrap().flatten() {
            let bytes = fs::read(blob.path()).unwrap();
            let Ok(tar) = kiln_rootfs::decompress(&bytes[..]) else { continue };
            let mut reader = kiln_rootfs::LayerReader::new(tar, kiln_rootfs::Limits::default());
            while let Ok(Some(entry)) = reader.next_entry() {
                if entry.path.as_str() == "tmp/mine" {
                    found += 1;
                    assert_eq!((entry.uid, entry.gid), (1000, 1000), "{ids}");
                    assert!(entry.xattrs.is_empty(), "{ids}: {:?}", entry.xattrs);
                }
            }
        }
        assert_eq!(found, 1, "{ids}");
    }
}

/// What honest builders write, and runtimes take: hard links to files of lower layers, marks of both kinds, folders in place of
/// links and links in place of folders.
#[test]
fn what_honest_builders_write_is_taken() {
    if !needs(&["namespaces", "debian"]) {
        return;
    }
    let world = World::new();
    let layers = [
        vec![
            tar::dir("d").mode(0o1777),
            tar::file("d/f").mode(0o640).body("one"),
            tar::file("d/g").body("two"),
            tar::dir("o"),
            tar::file("o/gone").body("x"),
            tar::dir("folder"),
            tar::file("folder/in").body("x"),
            tar::symlink("link", "d"),
        ],
        vec![
            tar::hardlink("h", "d/f"),
            tar::hardlink("d/i", "h"),
            tar::file("o/.wh..wh..opq"),
            tar::file("o/new").body("y"),
            tar::symlink("folder", "d"),
            tar::dir("link"),
            tar::file("d/.wh.g"),
            // Below a link of the base: a runtime goes through it.
            tar::file("lib/through").body("lib"),
            tar::symlink("far", "/d/"),
        ],
        vec![
            tar::file("d/f").body("three"),
            tar::hardlink("late", "d/i"),
            tar::file("far/deep/new").body("far"),
            tar::file("lib/.wh.through"),
        ],
    ];
    let folder = stacked(&world, &layers);
    let text = "FROM hostile\n\
        RUN test \"$(cat /h /d/i /late /d/f)\" = oneoneonethree && test \"$(stat -c %i /late)\" = \"$(stat -c %i /d/i)\"\n\
        RUN test \"$(stat -c %a /d)\" = 1777 && test \"$(stat -c %a /h)\" = 640\n\
        RUN test -L /lib && test ! -e /usr/lib/through && test \"$(cat /d/deep/new)\" = far && test -L /far\n\
        RUN test \"$(ls /o)\" = new && test ! -e /d/g && test -L /folder && test -d /link && test ! -L /link\n\
        FROM scratch\nCOPY --from=hostile /h /late /d/f /all/\n";
    for ids in ["many", "one"] {
        let place = world.path(ids);
        fs::create_dir(&place).unwrap();
        dockerfile(&place, text);
        let mut kiln = kiln_with(&world, ids);
        kiln.arg("build").args(from_layout(&folder, "stacked"));
        kiln.arg(place.join("Dockerfile")).arg(&place);
        Run::of(&mut kiln).exits(0);
        // The last stage needs none of the commands; the first is built for itself.
        let mut target = kiln_with(&world, ids);
        target.args(["build", "--target", "0"]);
        target.args(from_layout(&folder, "stacked")).arg(place.join("Dockerfile")).arg(&place);
        Run::of(&mut target).exits(0);
    }
}

/// A layer that takes much away is unpacked together with those below it, and what is seen and taken is the same.
#[test]
fn many_removals_take_away_what_they_name_and_no_more() {
    if !needs(&["namespaces", "debian"]) {
        return;
    }
    let world = World::new();
    let names = 0..2_100;
    let mut files =
        vec![tar::dir("d"), tar::file("d/kept").body("kept"), tar::file("d/linked").body("linked")];
    files.extend(names.clone().map(|name| tar::file(format!("d/f{name}"))));
    let mut marks = vec![tar::dir("d"), tar::hardlink("h", "d/linked"), tar::file("d/f7").body("again")];
    marks.extend(names.map(|name| tar::file(format!("d/.wh.f{name}"))));
    let above = vec![tar::file("d/above").body("above"), tar::file("d/.wh.kept")];
    let folder = stacked(&world, &[files, marks, above]);
    let text = "FROM hostile AS removed\n\
        RUN test \"$(ls -x /d)\" = \"above  f7  linked\" && test \"$(stat -c %h /h)\" = 2 && test -e /etc/passwd\n\
        RUN echo more > /d/more && rm /d/above\n\
        FROM hostile\nCOPY --from=removed /d /all/\n\
        RUN test \"$(ls -x /all)\" = \"f7  linked  more\" && test \"$(cat /all/f7 /all/linked)\" = againlinked\n\
        RUN --mount=type=bind,from=removed,source=/d,target=/m test \"$(ls -x /m)\" = \"f7  linked  more\"\n";
    dockerfile(&world.path("."), text);
    for ids in ["many", "one"] {
        let mut kiln = kiln_with(&world, ids);
        kiln.args(["build", "--no-cache", "-t", "removed:1"]).args(from_layout(&folder, "stacked"));
        kiln.arg(world.path("Dockerfile")).arg(world.path("."));
        Run::of(&mut kiln).exits(0);
    }
}

/// The same layer in two images is in each what the layers below make of it, whichever was built first.
#[test]
fn no_image_changes_what_another_is() {
    if !needs(&["namespaces", "debian"]) {
        return;
    }
    let world = World::new();
    let layer =
        vec![tar::file("lib64/foo").body("x"), tar::file("tmp/foo").body("x"), tar::file("d/.wh.ghost")];
    let layout = Layout::create(&world.path("alone")).unwrap().unhurried();
    let blob = put(&layout, PLAIN_LAYER, &tar::tar(&layer));
    let mut config: ImageConfig = serde_json::from_str(
        r#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#,
    )
    .unwrap();
    config.rootfs.diff_ids.push(blob.digest);
    let config = put(&layout, media_type::CONFIG, &config.to_bytes());
    let manifest = put(&layout, media_type::MANIFEST, &Manifest::image(config, vec![blob]).to_bytes());
    layout.publish(&manifest, Some("alone")).unwrap();
    let over = stacked(&world, &[vec![tar::dir("d").mode(0o700)], layer]);
    dockerfile(&world.path("."), "FROM scratch\nCOPY --from=hostile / /x/\n");
    let build = |images: &Path, name: &str| {
        let mut kiln = kiln_with(&world, "many");
        kiln.args(["build", "-t", "x:1"]).args(from_layout(images, name));
        Run::of(kiln.arg(world.path("Dockerfile")).arg(world.path("."))).exits(0);
    };
    build(&world.path("alone"), "alone");
    let look = "FROM hostile\nRUN test -L /lib64 && test $(stat -c %a /tmp) = 1777 && test $(stat -c %a /d) = 700 && ! ls /d | grep .\n\
        RUN --mount=type=bind,from=hostile,source=/d,target=/m ! ls -A /m | grep .\n";
    dockerfile(&world.path("."), look);
    build(&over, "stacked");
}

/// A layout whose image `stacked` is Debian with these layers on top.
fn stacked(world: &World, layers: &[Vec<tar::Entry>]) -> PathBuf {
    let folder = world.path("images");
    let (debian, layout) =
        (Layout::open(&project().join(DEBIAN)).unwrap(), Layout::create(&folder).unwrap().unhurried());
    let mut manifest = debian_manifest(&debian);
    for layer in &manifest.layers {
        layout.put(layer, &mut Source::open(&debian, layer).unwrap()).unwrap();
    }
    let mut config: ImageConfig = serde_json::from_slice(&read(&debian, &manifest.config)).unwrap();
    config.history.clear();
    for entries in layers {
        let layer = put(&layout, PLAIN_LAYER, &tar::tar(entries));
        config.rootfs.diff_ids.push(layer.digest);
        manifest.layers.push(layer);
    }
    manifest.config = put(&layout, media_type::CONFIG, &config.to_bytes());
    let manifest = put(&layout, media_type::MANIFEST, &manifest.to_bytes());
    layout.publish(&manifest, Some("stacked")).unwrap();
    folder
}

/// A copy of a cache, in which the first layer is replaced.
fn poison(honest: &Path, folder: &Path, tar: &[u8]) {
    let (from, to) = (Layout::open(honest).unwrap(), Layout::create(folder).unwrap().unhurried());
    let index: Value = serde_json::from_slice(&fs::read(honest.join("index.json")).unwrap()).unwrap();
    let digest: Digest = index["manifests"][0]["digest"].as_str().unwrap().parse().unwrap();
    let mut manifest: Manifest = serde_json::from_slice(&fs::read(from.blob_path(&digest)).unwrap()).unwrap();
    let mut contents: Value = serde_json::from_slice(&read(&from, &manifest.config)).unwrap();
    let layer = put(&to, PLAIN_LAYER, tar);
    for step in contents["steps"].as_object_mut().unwrap().values_mut().filter(|step| !step.is_null()) {
        step["descriptor"] = serde_json::to_value(&layer).unwrap();
        step["diff_id"] = Value::String(layer.digest.to_string());
    }
    manifest.config = put(&to, &manifest.config.media_type, &serde_json::to_vec(&contents).unwrap());
    manifest.layers = vec![layer];
    let manifest = put(&to, media_type::MANIFEST, &manifest.to_bytes());
    to.publish(&manifest, None).unwrap();
}
