use std::io::Read;

use super::cataloger::{Candidate, Cataloger};
use super::reader::{Reader, Seen};
use super::{cargo_audit, go_build};
use crate::facts::FileFacts;

/// Programs that tell what they were built of: those of Go, and those of Rust that were built with cargo-auditable.
pub(super) static CATALOGER: Cataloger =
    Cataloger { name: "binary", examples: &["usr/bin/app", "app/build/Release/addon.node"], wants, read };

/// A smaller program has no runtime of Go or Rust inside.
const MIN_SIZE: u64 = 64 << 10;
const EXECUTABLE: u32 = 0o111;
const ELF: &[u8] = b"\x7fELF";
/// Bytes read at once.
const CHUNK: usize = 128 << 10;
/// Bytes that a reader may look at to recognise its start.
const AHEAD: usize = 256;

fn wants(candidate: &Candidate<'_>) -> bool {
    let is_program = candidate.mode & EXECUTABLE != 0 || candidate.path.rsplit('.').next() == Some("node");
    is_program && candidate.size >= MIN_SIZE && candidate.size != u64::MAX
}

fn read(candidate: &Candidate<'_>, content: &mut dyn Read, file: &mut FileFacts) -> Result<(), String> {
    let mut buffer = Vec::with_capacity(CHUNK + AHEAD);
    let fill = |buffer: &mut Vec<u8>, content: &mut dyn Read| {
        content.take(CHUNK as u64).read_to_end(buffer).map_err(|error| error.to_string())
    };
    fill(&mut buffer, content)?;
    if !buffer.starts_with(ELF) {
        return Ok(());
    }
    let mut readers: Vec<(Box<dyn Reader>, Stage)> = vec![
        (Box::new(go_build::BuildInfo::default()), Stage::Looking),
        (Box::new(cargo_audit::Audit::default()), Stage::Looking),
    ];
    let mut new = 0;
    loop {
        for (reader, stage) in &mut readers {
            *stage = step(reader.as_mut(), *stage, &buffer, new);
        }
        if readers.iter().all(|(_, stage)| *stage == Stage::Done) {
            break;
        }
        let kept = buffer.len().min(AHEAD);
        buffer.drain(..buffer.len() - kept);
        new = kept;
        if fill(&mut buffer, content)? == 0 {
            break;
        }
    }
    let results = readers.into_iter().map(|(reader, _)| reader.finish(candidate.path, file));
    // Each has its say before the first failure ends it.
    results.collect::<Vec<_>>().into_iter().collect()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Looking,
    Taking,
    Done,
}

/// `new` is where bytes start that were not shown before.
fn step(reader: &mut dyn Reader, stage: Stage, view: &[u8], new: usize) -> Stage {
    let taken = match stage {
        Stage::Done => return Stage::Done,
        Stage::Taking => reader.take(view.get(new..).unwrap_or_default()),
        Stage::Looking => match reader.find(view) {
            Seen::Nothing => return Stage::Looking,
            Seen::Start(at) => reader.take(view.get(at..).unwrap_or_default()),
        },
    };
    if taken {
        return Stage::Taking;
    }
    // What else it looks for may be among the same bytes.
    if !reader.is_done() {
        reader.find(view);
    }
    if reader.is_done() { Stage::Done } else { Stage::Looking }
}
