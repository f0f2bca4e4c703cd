//! How long verification takes: one bundle, and an image with 300 right and 300 hostile ones. `bench/run verify` runs it.

#[path = "../tests/instance/mod.rs"]
#[expect(dead_code, clippy::unwrap_used, reason = "made for tests")]
mod instance;

use std::io::Write;
use std::time::Instant;

use kiln_attest::predicate::SIGNATURE;
use kiln_trust::{
    Authority, Certified, Identity, Matcher, Requirement, TrustRoot, bundles, verify_bundle, verify_image,
};

use crate::instance::{Instance, Leaf, image};

const ROUNDS: u32 = 200;
const MANY: usize = 300;
const ISSUER: &str = "https://issuer.example.invalid";
const SUBJECT: &str = "https://example.invalid/workflow";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let instance = Instance::new();
    let root = TrustRoot::read(&instance.trusted_root())?;
    let identity =
        Identity { issuer: Matcher::exact(ISSUER)?, subject: Matcher::exact(SUBJECT)?, claims: Vec::new() };
    let authority = Authority::Certificate(Box::new(Certified {
        root: root.into(),
        identity,
        needs_certificate_log: false,
        logs: 1,
    }));
    let right = instance.sign(&Leaf::new(ISSUER, SUBJECT)).into_bytes();
    let begun = Instant::now();
    for _ in 0..ROUNDS {
        verify_bundle(&right, &authority, &image(), SIGNATURE)?;
    }
    let one = begun.elapsed() / ROUNDS;
    let hostile = Instance::new().sign(&Leaf::new(ISSUER, SUBJECT)).into_bytes();
    let all = (0..MANY).flat_map(|_| [hostile.clone(), right.clone()]);
    let evidence = bundles(&image(), all);
    let begun = Instant::now();
    let report = verify_image(&image(), &evidence, &authority, &[Requirement::of(SIGNATURE)]);
    let many = begun.elapsed();
    writeln!(
        std::io::stdout(),
        "one bundle: {:.3} ms\n{} bundles, half of them hostile: {:.1} ms, {} looked at, satisfied: {}",
        one.as_secs_f64() * 1000.0,
        2 * MANY,
        many.as_secs_f64() * 1000.0,
        report.examined.len(),
        report.is_satisfied(),
    )?;
    Ok(())
}
