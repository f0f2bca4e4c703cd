use std::fs;
use std::path::Path;
use std::time::SystemTime;

use kiln_finding::size;
use kiln_images::clock::{now, rfc3339};
use kiln_proof::advisories::{newest, today};
use kiln_vuln::Database;

use super::found::Found;
use crate::context::Context;

/// The oldest kernel that lets ordinary users mount overlays. Source: Linux 5.11 release notes.
const OLDEST_KERNEL: (u32, u32) = (5, 11);
/// Less free space than this is too little for any build, and less than that soon will be.
const FREE_LEAST: u64 = 500_000_000;
const FREE_GOOD: u64 = 5_000_000_000;
/// Days after which advisories miss too much to be left alone.
const ADVISORIES_OLD: u32 = 30;
/// How far a clock may be ahead of the advisories inside kiln, in days: ten years.
const FAR_FUTURE: u32 = 3_650;
/// Seconds that files may be ahead of the clock: disks of other machines have clocks of their own.
const AHEAD: u64 = 120;

pub(super) fn kernel() -> Found {
    let about = "kernel";
    let name = rustix::system::uname();
    let release = name.release().to_string_lossy().into_owned();
    let shown = format!("Linux {release}, {}", name.machine().to_string_lossy());
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse::<u32>);
    let version = match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor),
        _ => {
            return Found::weak(
                about,
                format!("{shown}: its version cannot be read"),
                "kiln wants Linux 5.11",
            );
        }
    };
    if version >= OLDEST_KERNEL || rustix::process::geteuid().is_root() {
        return Found::fine(about, shown);
    }
    Found::broken(
        about,
        shown,
        "before Linux 5.11 only root mounts overlays: run kiln as root, or a newer kernel",
    )
}

/// Whether users and groups in images are real to the steps of a build.
pub(super) fn subordinate_ids() -> Found {
    let about = "users in images";
    if rustix::process::geteuid().is_root() {
        return Found::fine(about, "real ids: kiln runs as root");
    }
    let uid = rustix::process::geteuid().as_raw().to_string();
    let user = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let user = user
        .lines()
        .find(|line| line.split(':').nth(2) == Some(&uid))
        .and_then(|line| line.split(':').next());
    let has_range = |file: &str| {
        let text = fs::read_to_string(file).unwrap_or_default();
        text.lines()
            .any(|line| line.split(':').next().is_some_and(|owner| owner == uid || Some(owner) == user))
    };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let has_program = |name: &str| std::env::split_paths(&path).any(|folder| folder.join(name).is_file());
    let missing = if !["/etc/subuid", "/etc/subgid"].into_iter().all(has_range) {
        format!("usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {}", user.unwrap_or(&uid))
    } else if !["newuidmap", "newgidmap"].into_iter().all(has_program) {
        "install newuidmap (Debian's uidmap)".to_owned()
    } else {
        return Found::fine(about, "real ids, from the range of subordinate ids of this user");
    };
    Found::weak(about, "one id: owners that steps set are noted, not real", missing)
}

/// Free space where images and the cache lie.
pub(super) fn disks(context: &Context) -> Vec<Found> {
    let folders =
        [("disk of the store", &context.machine.data_dir), ("disk of the cache", &context.machine.cache_dir)];
    folders.map(|(about, folder)| disk(about, folder)).into()
}

fn disk(about: &'static str, folder: &Path) -> Found {
    // Before the first command the folder is not there yet.
    let Some(found) = folder.ancestors().find(|folder| folder.exists()) else {
        return Found::broken(about, format!("{} is nowhere", folder.display()), "choose another folder");
    };
    if rustix::fs::access(found, rustix::fs::Access::WRITE_OK).is_err() {
        let what = format!("{} cannot be written to", found.display());
        return Found::broken(about, what, "choose folders with --data-dir and --cache-dir");
    }
    let Ok(space) = rustix::fs::statvfs(found) else {
        return Found::weak(
            about,
            format!("{}: free space is not known", folder.display()),
            "look at the disk",
        );
    };
    let free = space.f_bavail.saturating_mul(space.f_frsize);
    let what = format!("{} free in {}", size(free), folder.display());
    let cure = "kiln prune, or another folder (--data-dir, --cache-dir)";
    match free {
        0..FREE_LEAST => Found::broken(about, what, cure),
        FREE_LEAST..FREE_GOOD => Found::weak(about, what, cure),
        _ => Found::fine(about, what),
    }
}

/// Whether the clock is near the truth: certificates, ages and signatures hang on it.
pub(super) fn clock(context: &Context) -> Found {
    let about = "clock";
    let cure = "set it, for example with timedatectl set-ntp true";
    let shown = rfc3339(now());
    let built = Database::embedded().newest();
    let Some(built) = built else { return Found::fine(about, shown) };
    if today() < built {
        return Found::broken(
            about,
            format!("{shown} is before {built}, when kiln's advisories were made"),
            cure,
        );
    }
    if built.age(today()) > FAR_FUTURE {
        return Found::broken(about, format!("{shown} is more than ten years after kiln was made"), cure);
    }
    let written = fs::metadata(context.machine.store().join("index.json")).and_then(|found| found.modified());
    let ahead = written.ok().and_then(|written| written.duration_since(SystemTime::now()).ok());
    match ahead {
        Some(ahead) if ahead.as_secs() > AHEAD => Found::weak(
            about,
            format!("{shown}, and the store was written {} s later", ahead.as_secs()),
            cure,
        ),
        _ => Found::fine(about, shown),
    }
}

pub(super) fn logins() -> Found {
    let about = "logins";
    let (known, unread) = kiln_images::known_logins();
    if let Some(file) = unread {
        let what = format!("{} cannot be read as JSON", file.display());
        return Found::broken(about, what, "remove it and log in again (docker login, podman login)");
    }
    match known.as_slice() {
        [] => Found::fine(about, "none; registries are asked without a name (docker login, podman login)"),
        known => Found::fine(about, known.join(", ")),
    }
}

pub(super) fn advisories(context: &Context) -> Found {
    let about = "advisories";
    let opened = match newest(&context.machine) {
        Ok(opened) => opened,
        Err(failure) => {
            return Found::broken(
                about,
                failure.sentence(),
                failure.help.unwrap_or_else(|| "kiln db update".to_owned()),
            );
        }
    };
    let Some(newest) = opened.database.newest() else {
        return Found::broken(about, "there are none", "kiln db update");
    };
    let age = newest.age(today());
    let what = format!("the newest are of {newest}, {age} days ago; kiln db status shows each feed");
    if age > ADVISORIES_OLD { Found::weak(about, what, "kiln db update") } else { Found::fine(about, what) }
}
