//! A registry in memory that keeps to the specification, and can be told not to.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kiln_fetch::Retry;
use kiln_fetch::http::Pace;
use kiln_image::copy;
use kiln_oci::{Descriptor, Digest, Index, Manifest, media_type};
use kiln_registry::{Client, Keyring, Options, RegistrySettings, Repository};
use kiln_store::Layout;

use crate::server::{Reply, Request, Server};

/// What it holds and what it can do.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) blobs: BTreeMap<String, Vec<u8>>,
    /// By `repository/digest` and `repository/tag`.
    pub(crate) manifests: BTreeMap<String, (String, Vec<u8>)>,
    uploads: BTreeMap<String, Vec<u8>>,
    sessions: usize,
    /// It keeps account of referrers.
    pub(crate) referrers: bool,
    /// It takes blobs over from other repositories.
    pub(crate) mounts: bool,
}

impl State {
    pub(crate) fn hold_blob(&mut self, bytes: &[u8]) -> Descriptor {
        let descriptor = Descriptor::of(media_type::LAYER, bytes);
        self.blobs.insert(descriptor.digest.to_string(), bytes.to_vec());
        descriptor
    }

    pub(crate) fn hold(&mut self, name: &str, tag: &str, kind: &str, bytes: &[u8]) -> Descriptor {
        let descriptor = Descriptor::of(kind, bytes);
        for reference in [tag.to_owned(), descriptor.digest.to_string()] {
            self.manifests.insert(format!("{name}/{reference}"), (kind.to_owned(), bytes.to_vec()));
        }
        descriptor
    }

    /// An image of one layer.
    pub(crate) fn hold_image(&mut self, name: &str, tag: &str, layer: &[u8]) -> Descriptor {
        let config = self.hold_blob(b"{}");
        let layer = self.hold_blob(layer);
        let config = Descriptor { media_type: media_type::CONFIG.into(), ..config };
        let manifest = Manifest::image(config, vec![layer]).to_bytes();
        self.hold(name, tag, media_type::MANIFEST, &manifest)
    }

    /// What a registry that keeps to the specification answers.
    pub(crate) fn answer(&mut self, request: &Request) -> Reply {
        let path = request.bare().to_owned();
        let Some(rest) = path.strip_prefix("/v2/") else { return Reply::new(404) };
        if rest.is_empty() {
            return Reply::ok(b"{}");
        }
        for part in ["/manifests/", "/blobs/", "/referrers/"] {
            if let Some((name, reference)) = rest.split_once(part) {
                return match part {
                    "/manifests/" => self.manifest(request, name, reference),
                    "/blobs/" => self.blob(request, name, reference),
                    _ => self.list(name, reference),
                };
            }
        }
        Reply::new(404)
    }

    fn manifest(&mut self, request: &Request, name: &str, reference: &str) -> Reply {
        let key = format!("{name}/{reference}");
        if request.method == "PUT" {
            let kind = request.header("content-type").unwrap_or_default().to_owned();
            let parsed = serde_json::from_slice::<Manifest>(&request.body).ok();
            let blobs = parsed.iter().flat_map(|one| std::iter::once(&one.config).chain(&one.layers));
            for blob in blobs {
                if !self.blobs.contains_key(&blob.digest.to_string()) {
                    let body = br#"{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","message":"blob unknown"}]}"#;
                    return Reply { status: 404, ..Reply::ok(body) };
                }
            }
            let digest = self.hold(name, reference, &kind, &request.body).digest;
            let reply = Reply::new(201).with("docker-content-digest", &digest.to_string());
            return match parsed.and_then(|one| one.subject).filter(|_| self.referrers) {
                Some(subject) => reply.with("oci-subject", &subject.digest.to_string()),
                None => reply,
            };
        }
        match self.manifests.get(&key) {
            Some((kind, bytes)) => Reply::ok(bytes)
                .with("content-type", kind)
                .with("docker-content-digest", &Digest::of(bytes).to_string()),
            None => Reply::new(404),
        }
    }

    fn blob(&mut self, request: &Request, name: &str, reference: &str) -> Reply {
        if let Some(session) = reference.strip_prefix("uploads/") {
            return self.upload(request, name, session);
        }
        let Some(bytes) = self.blobs.get(reference) else { return Reply::new(404) };
        let offset = request
            .header("range")
            .and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok());
        match offset {
            Some(offset) => Reply { status: 206, ..Reply::ok(&bytes[offset..]) }
                .with("content-range", &format!("bytes {offset}-{}/{}", bytes.len() - 1, bytes.len())),
            None => Reply::ok(bytes),
        }
    }

    fn upload(&mut self, request: &Request, name: &str, session: &str) -> Reply {
        if request.method == "POST" {
            if let Some(mount) = request.query("mount").filter(|_| self.mounts)
                && self.blobs.contains_key(&mount)
            {
                return Reply::new(201);
            }
            self.sessions += 1;
            let id = format!("session-{}", self.sessions);
            self.uploads.insert(id.clone(), Vec::new());
            return Reply::new(202).with("location", &format!("/v2/{name}/blobs/uploads/{id}?state=x"));
        }
        let Some(so_far) = self.uploads.get_mut(session) else { return Reply::new(404) };
        assert_eq!(request.query("state").as_deref(), Some("x"), "the query of the location is kept");
        if request.method == "PATCH" {
            let start = request.header("content-range").and_then(|range| range.split_once('-'));
            if start.is_some_and(|(start, _)| start != so_far.len().to_string()) {
                return Reply::new(416);
            }
        }
        so_far.extend_from_slice(&request.body);
        let here = format!("/v2/{name}/blobs/uploads/{session}?state=x");
        let range = format!("0-{}", so_far.len().saturating_sub(1));
        match request.method.as_str() {
            "PUT" => {
                let bytes = self.uploads.remove(session).unwrap();
                let digest = Digest::of(&bytes).to_string();
                if request.query("digest") != Some(digest.clone()) {
                    return Reply::new(400);
                }
                self.blobs.insert(digest, bytes);
                Reply::new(201)
            }
            "PATCH" => Reply::new(202).with("location", &here).with("range", &range),
            _ => Reply::new(204).with("location", &here).with("range", &range),
        }
    }

    fn list(&self, name: &str, subject: &str) -> Reply {
        if !self.referrers {
            return Reply::new(404);
        }
        let manifests = self
            .manifests
            .iter()
            .filter(|(key, _)| key.starts_with(&format!("{name}/sha256:")))
            .filter_map(|(_, (kind, bytes))| {
                let parsed: Manifest = serde_json::from_slice(bytes).ok()?;
                let of = parsed.subject?.digest.to_string();
                (of == subject).then(|| Descriptor::of(kind, bytes))
            })
            .collect();
        let index = Index { manifests, ..Index::default() };
        Reply::ok(&index.to_bytes()).with("content-type", media_type::INDEX)
    }
}

/// A running registry of which a test can change anything.
pub(crate) struct Fake {
    pub(crate) server: Server,
    pub(crate) state: Arc<Mutex<State>>,
}

impl Fake {
    pub(crate) fn start() -> Self {
        Self::scripted(|_| None)
    }

    /// What `script` answers goes before what the registry would.
    pub(crate) fn scripted(script: impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let own = state.clone();
        let server = Server::start(move |request| {
            script(request).unwrap_or_else(|| own.lock().unwrap().answer(request))
        });
        Self { server, state }
    }

    pub(crate) fn image(&self, layer: &[u8]) -> Descriptor {
        self.state.lock().unwrap().hold_image("team/app", "1", layer)
    }

    pub(crate) fn repository(&self) -> Repository {
        self.named("team/app")
    }

    pub(crate) fn named(&self, name: &str) -> Repository {
        client(&RegistrySettings::default()).repository(&self.reference(name).parse().unwrap()).unwrap()
    }

    pub(crate) fn reference(&self, name: &str) -> String {
        format!("{}/{name}:1", self.server.host)
    }
}

/// An impatient client, for tests.
pub(crate) fn client(settings: &RegistrySettings) -> Client {
    client_with(settings, Keyring::default())
}

pub(crate) fn client_with(settings: &RegistrySettings, keyring: Keyring) -> Client {
    Client::new(settings, keyring, options()).unwrap()
}

pub(crate) fn options() -> Options {
    Options {
        retry: Retry {
            attempts: 3,
            backoff: Duration::from_millis(2),
            retry_after_max: Duration::from_secs(2),
            ..Options::default().retry
        },
        stall: Duration::from_secs(2),
        pace: Pace { window: Duration::from_millis(200), least: 1000 },
        ..Options::default()
    }
}

/// A layout in a folder of its own.
pub(crate) struct Shelf {
    pub(crate) layout: Layout,
    pub(crate) folder: tempfile::TempDir,
}

impl Shelf {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { layout: Layout::create(&folder.path().join("layout")).unwrap(), folder }
    }

    pub(crate) fn put(&self, kind: &str, bytes: &[u8]) -> Descriptor {
        self.layout.put_bytes(bytes).unwrap();
        Descriptor::of(kind, bytes)
    }

    /// An image of one layer, tagged `1`.
    pub(crate) fn image(&self, layer: &[u8]) -> Descriptor {
        let config = self.put(media_type::CONFIG, b"{}");
        let layer = self.put(media_type::LAYER, layer);
        self.put(media_type::MANIFEST, &Manifest::image(config, vec![layer]).to_bytes())
    }

    /// A statement about `subject`.
    pub(crate) fn about(&self, subject: &Descriptor, what: &str) -> Descriptor {
        let config = self.put(media_type::EMPTY, b"{}");
        let layer = self.put("text/plain", what.as_bytes());
        let mut manifest = Manifest::image(config, vec![layer]);
        manifest.artifact_type = Some("application/vnd.test".into());
        manifest.subject = Some(subject.clone());
        let manifest = self.put(media_type::MANIFEST, &manifest.to_bytes());
        kiln_image::Sink::publish(&self.layout, &manifest, None).unwrap();
        manifest
    }

    pub(crate) fn push(&self, repository: &Repository, image: &Descriptor) {
        copy(&self.layout, repository, image, Some("1")).unwrap();
    }

    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}
