//! The advisory database: built of feeds, updated, published, refused.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};

use crate::harness::{Run, World};

const NPM: &str = r#"{"id":"GHSA-wc69-rhjr-hc9g","aliases":["CVE-2022-31129"],"modified":"2026-11-01T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"moment"},"ranges":[{"type":"SEMVER","events":[{"introduced":"2.18.0"},{"fixed":"2.29.4"}]}]}]}"#;

/// Advisories that name ever more packages.
fn feed(count: usize) -> String {
    let record = |at| {
        format!(
            r#"{{"id":"GHSA-aaaa-bbbb-{at:04}","modified":"2026-11-{:02}T00:00:00Z","affected":[{{"package":{{"ecosystem":"npm","name":"p{at}"}},"versions":["1.0.0"]}}]}}"#,
            1 + at % 20
        )
    };
    (0..count).map(record).collect::<Vec<_>>().join("\n")
}

type Files = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

/// A server that gives out `files`, each as it is at that moment; what ends in `!` breaks off half way.
struct Server {
    url: String,
    files: Files,
}

impl Server {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let files: Files = Arc::default();
        let shared = Arc::clone(&files);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { continue };
                let mut request = [0; 4096];
                let count = stream.read(&mut request).unwrap_or(0);
                let request = String::from_utf8_lossy(&request[..count]).into_owned();
                let path = request.split(' ').nth(1).unwrap_or_default().trim_start_matches('/').to_owned();
                let found = shared.lock().unwrap().iter().find(|(name, _)| *name == path).cloned();
                let answer = |status: &str, length: usize, body: &[u8]| {
                    let head =
                        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
                    [head.as_bytes(), body].concat()
                };
                let bytes = match found {
                    None => answer("404 Not Found", 0, b""),
                    Some((name, body)) if name.ends_with('!') => {
                        answer("200 OK", body.len(), &body[..body.len() / 2])
                    }
                    Some((_, body)) => answer("200 OK", body.len(), &body),
                };
                drop(stream.write_all(&bytes));
            }
        });
        Self { url, files }
    }

    fn put(&self, name: &str, bytes: &[u8]) -> String {
        let mut files = self.files.lock().unwrap();
        files.retain(|(known, _)| known != name);
        files.push((name.to_owned(), bytes.to_vec()));
        format!("{}/{name}", self.url)
    }
}

fn slices(world: &World) -> Vec<(String, u64)> {
    let status = world.run(["db", "status", "--format", "json"]).exits(0).json();
    let slice = |slice: &serde_json::Value| {
        let info = &slice["slice"];
        (info["name"].as_str().unwrap().to_owned(), info["advisories"].as_u64().unwrap())
    };
    status["slices"].as_array().unwrap().iter().map(slice).collect()
}

fn zip(path: &Path, entries: &[(&str, &str)]) {
    let script = "import sys, zipfile\nwith zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED) as z:\n  for i in range(2, len(sys.argv), 2): z.writestr(sys.argv[i], sys.argv[i + 1])";
    let mut command = std::process::Command::new("python3");
    command.args(["-c", script]).arg(path);
    for (name, text) in entries {
        command.args([name, text]);
    }
    crate::harness::Run::of(&mut command).exits(0);
}

#[test]
fn a_database_is_built_of_folders_and_archives_and_scans_take_it() {
    let world = World::new();
    let folder = world.path("feeds");
    fs::create_dir_all(&folder).unwrap();
    zip(&folder.join("all.zip"), &[("GHSA-1.json", NPM), ("notes.txt", "nothing")]);
    fs::write(folder.join("README.md"), "# no feed").unwrap();
    let built = world.run(["db", "build", "--from", "feeds", "-o", "my.kdb", "--format", "json"]).exits(0);
    assert_eq!(built.json()["slices"][0]["name"], "npm");
    assert!(built.stderr.contains("README.md is no advisory feed"), "{}", built.stderr);
    let status = world.run(["db", "status", "--db", "my.kdb", "--format", "json"]).exits(0).json();
    assert_eq!((&status["origin"], &status["slices"][0]["slice"]["advisories"]), (&"file".into(), &1.into()));
    let text = world.run(["db", "status", "--db", "my.kdb"]).exits(0).stdout;
    assert!(text.contains("malware is named by none of these feeds"), "{text}");
    let old = world.run(["db", "status", "--db", "my.kdb", "--db-max-age", "0"]).exits(3);
    // Of one feed somebody may ask more than of the others.
    world.run(["db", "status", "--db", "my.kdb", "--db-max-age", "99999,npm=0"]).exits(3);
    world.run(["db", "status", "--db", "my.kdb", "--db-max-age", "0,npm=99999"]).exits(0);
    world.run(["db", "status", "--db", "my.kdb", "--db-max-age", "nmp=3"]).exits(2);
    assert!(old.stderr.contains("error[db.old]"), "{}", old.stderr);
}

#[test]
fn what_is_named_and_is_no_feed_is_an_error_and_so_is_a_broken_one() {
    let world = World::new();
    for (name, text, why) in [
        ("page.html", "<html>", "it is no advisory feed that kiln knows"),
        ("half.json", &NPM[..NPM.len() / 2], "it is broken off or damaged"),
    ] {
        fs::write(world.path(name), text).unwrap();
        let run = world.run(["db", "build", "--from", name, "-o", "my.kdb"]).exits(3);
        assert!(run.stderr.contains(why), "{}", run.stderr);
    }
    fs::create_dir_all(world.path("feeds")).unwrap();
    fs::write(world.path("feeds/half.json"), &NPM[..NPM.len() / 2]).unwrap();
    world.run(["db", "build", "--from", "feeds", "-o", "my.kdb"]).exits(3);
    zip(&world.path("cut.zip"), &[("a.json", NPM)]);
    let whole = fs::read(world.path("cut.zip")).unwrap();
    fs::write(world.path("cut.zip"), &whole[..whole.len() - 30]).unwrap();
    world.run(["db", "build", "--from", "cut.zip", "-o", "my.kdb"]).exits(3);
    assert!(!world.path("my.kdb").exists());
}

#[test]
fn updates_swap_whole_databases_and_a_failed_one_leaves_the_old() {
    let (world, server) = (World::new(), Server::start());
    assert!(slices(&world).len() > 3, "the database inside kiln");
    let url = server.put("npm.json", feed(100).as_bytes());
    let refused = world.run(["db", "update", "--from", &url]).exits(3);
    assert!(
        refused.stderr.contains("error[db.shrunk]") && refused.stderr.contains("--force"),
        "{}",
        refused.stderr
    );
    assert!(slices(&world).len() > 3, "still the database inside kiln");
    world.run(["db", "update", "--from", &url, "--force"]).exits(0);
    assert_eq!(slices(&world), [("npm".to_owned(), 100)]);
    let status = world.run(["db", "status"]).exits(0);
    assert!(
        status.stdout.contains("(not signed)") && status.stdout.contains(&server.url),
        "{}",
        status.stdout
    );

    server.put("npm.json", feed(80).as_bytes());
    let shrunk = world.run(["db", "update", "--from", &url]).exits(3);
    assert!(shrunk.stderr.contains("has 80 advisories, the one in use has 100"), "{}", shrunk.stderr);
    let half = server.put("half!", feed(200).as_bytes());
    world.run(["db", "update", "--from", &half]).exits(3);
    world.run(["db", "update", "--from", &format!("{}/none", server.url)]).exits(3);
    assert_eq!(slices(&world), [("npm".to_owned(), 100)]);

    server.put("npm.json", feed(95).as_bytes());
    world.run(["db", "update", "--from", &url]).exits(0);
    assert_eq!(slices(&world), [("npm".to_owned(), 95)]);
}

#[test]
fn of_updates_at_the_same_time_each_is_whole() {
    let (world, server) = (World::new(), Server::start());
    let urls: Vec<String> =
        (0..4).map(|at| server.put(&format!("{at}.json"), feed(300 + at).as_bytes())).collect();
    let mut updates: Vec<_> = urls
        .iter()
        .map(|url| {
            world
                .kiln()
                .args(["db", "update", "--quiet", "--force", "--from", url])
                .stdout(std::process::Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    // One is killed wherever it is.
    updates[0].kill().unwrap();
    for mut update in updates {
        update.wait().unwrap();
        let seen = slices(&world);
        assert!((300..304).contains(&seen[0].1) || seen.len() > 3, "{seen:?}");
    }
    assert!((301..304).contains(&slices(&world)[0].1));
}

#[test]
fn a_damaged_database_is_refused_with_a_way_out() {
    let (world, server) = (World::new(), Server::start());
    let url = server.put("npm.json", feed(50).as_bytes());
    world.run(["db", "update", "--from", &url, "--force"]).exits(0);
    let path = world.data("advisories/advisories.kdb");
    let mut bytes = fs::read(&path).unwrap();
    bytes.truncate(60);
    fs::write(&path, bytes).unwrap();
    let run = world.run(["db", "status"]).exits(3);
    assert!(run.stderr.contains("kiln db update, or remove"), "{}", run.stderr);
    world.run(["db", "update", "--from", &url]).exits(0);
    assert_eq!(slices(&world), [("npm".to_owned(), 50)]);
}

#[test]
fn a_published_database_is_taken_only_with_its_signature() {
    let world = World::new();
    fs::write(world.path("npm.json"), feed(60)).unwrap();
    world.run(["db", "build", "--from", "npm.json", "-o", "my.kdb"]).exits(0);
    world.run(["db", "publish", "oci:published:latest", "--db", "my.kdb"]).exits(0);
    let update = ["db", "update", "--force", "--from", "oci://oci:published:latest"];
    world.run(update).exits(0);
    assert_eq!(slices(&world), [("npm".to_owned(), 60)]);
    let status = world.run(["db", "status"]).exits(0);
    assert!(status.stdout.contains("signed, verified with"), "{}", status.stdout);
    world.run(["keygen", "--output-key-prefix", "other"]).exits(0);
    let other = world.run(update.into_iter().chain(["--key", "other.pub"])).exits(3);
    assert!(other.stderr.contains("error[db.signature]"), "{}", other.stderr);
}

/// More than a gigabyte that packs to almost nothing is given up long before the memory for it is taken.
#[test]
fn what_unpacks_to_far_more_than_it_is_is_no_feed() {
    let (world, server) = (World::new(), Server::start());
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&vec![b' '; 16 << 20]).unwrap();
    // What follows a gzip member is one more of the same document.
    let bomb = gzip.finish().unwrap().repeat(80);
    assert!(bomb.len() < 2 << 20, "{}", bomb.len());
    let url = server.put("bomb.gz", &bomb);
    fs::write(world.path("bomb.gz"), &bomb).unwrap();
    for command in [format!("db update --from {url}"), "db build --from bomb.gz -o my.kdb".to_owned()] {
        let limited = format!("ulimit -v 1000000; exec \"$0\" {command}");
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", &limited, env!("CARGO_BIN_EXE_kiln")]).current_dir(world.path(""));
        shell.env("KILN_DATA_DIR", world.data("")).env("KILN_CACHE_DIR", world.path("cache"));
        let run = Run::of(&mut shell).exits(3);
        assert!(run.stderr.contains("it unpacks to more than any feed has"), "{}", run.stderr);
    }
    // As much of something real, and what packs well within reason, are feeds.
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(feed(3000).as_bytes()).unwrap();
    let url = server.put("npm.json.gz", &gzip.finish().unwrap());
    world.run(["db", "update", "--from", &url, "--force"]).exits(0);
    assert_eq!(slices(&world), [("npm".to_owned(), 3000)]);
}

#[test]
fn without_a_place_nothing_is_asked() {
    let run = World::new().run(["db", "update"]).exits(2);
    assert!(run.stderr.contains("[database] from in kiln.toml"), "{}", run.stderr);
}
