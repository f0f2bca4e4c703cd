//! Every format of every kind of result, from one that has everything in it. `UPDATE=1 cargo test -p kiln-report` writes the golden
//! files anew.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod cards;
mod hostile;
mod lints;
mod scans;
mod trust;

use std::path::Path;

use kiln_report::{Format, Results, Stamp};

fn stamp(width: usize) -> Stamp {
    Stamp {
        today: "2026-11-21".parse().unwrap(),
        time: "2026-11-21T12:00:00Z".to_owned(),
        version: "0.1.0".to_owned(),
        width,
        explains: true,
    }
}

/// The document, as it is written where no terminal is.
fn render(format: &str, results: &Results<'_>, width: usize) -> String {
    let text = Format::find(format).unwrap().render(results, &stamp(width)).unwrap();
    anstream::adapter::strip_str(&text).to_string()
}

#[track_caller]
fn golden(name: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, found).unwrap();
    }
    let wanted = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(wanted == found, "{name} differs; UPDATE=1 writes it anew\n{found}");
}

/// JSON with line ends, so that a change is seen in its place.
fn readable(text: &str) -> String {
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(value) => serde_json::to_string_pretty(&value).unwrap() + "\n",
        Err(_) => format!("{text}\n"),
    }
}
