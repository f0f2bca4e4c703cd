//! kiln, as a user starts it. One module per topic; [`harness`] is how each of them does it.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod agreement;
mod app_build;
mod archives;
mod attached;
mod base_trust;
mod chain;
mod db;
mod differential;
mod dockerfile;
mod fix;
mod git_daemon;
mod harness;
mod held_keys;
mod hostile;
mod http;
mod images;
mod instance;
mod inventory;
mod keeping;
mod kept;
mod keyless;
mod kills;
mod lint;
mod peers;
mod plan;
mod refusals;
mod registry;
mod roots;
mod scan;
mod ship;
mod survival;
mod trust;
mod users;
mod version;
mod walls;
