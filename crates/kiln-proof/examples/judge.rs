//! Judges an image as `kiln ship` does, from a program of one's own: `cargo run -p kiln-proof --example judge -- IMAGE [KEY]`.
//!
//! IMAGE is named as everywhere: `registry.example/team/app:1`, `oci:DIR:TAG`, `docker-archive:FILE`, `docker:NAME`. KEY is the
//! public key whose statements count.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use kiln_finding::Failure;
use kiln_images::clock::timestamp;
use kiln_images::{Machine, RegistrySettings};
use kiln_policy::PolicySettings;
use kiln_proof::{judge, read_public};
use kiln_report::{Format, Results, Stamp};

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let Some(image) = args.next() else {
        say("usage: judge IMAGE [KEY]");
        return ExitCode::from(2);
    };
    match verdict(&image, args.next().as_deref()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(failure) => {
            say(&format!("error[{}]: {}", failure.code, failure.sentence()));
            ExitCode::from(3)
        }
    }
}

fn verdict(image: &str, key: Option<&str>) -> Result<bool, Failure> {
    let home = std::env::var_os("HOME").map_or_else(std::env::temp_dir, PathBuf::from);
    let machine = Machine {
        data_dir: home.join(".local/share/kiln"),
        cache_dir: home.join(".cache/kiln"),
        offline: false,
        registry: RegistrySettings::default(),
        on_damage: |digest, _| say(&format!("a damaged blob was put aside: {digest}")),
    };
    let trusted = key.map(|key| read_public(Path::new(key))).transpose()?.map(Into::into);
    let card = judge(&machine, image, &PolicySettings::hardened(), trusted.as_ref())?;
    let stamp = Stamp {
        today: card.today,
        time: timestamp(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        width: 80,
        explains: false,
    };
    let rendered = Format::find("human").and_then(|human| human.render(&Results::Card(&card), &stamp));
    // Whoever does not read it wants to know nothing.
    drop(writeln!(io::stdout(), "{}", rendered.unwrap_or_else(|| card.result())));
    Ok(card.passes())
}

fn say(what: &str) {
    drop(writeln!(io::stderr(), "{what}"));
}
