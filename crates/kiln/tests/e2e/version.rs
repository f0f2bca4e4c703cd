use crate::harness::{Run, World, project};

#[test]
fn the_flag_and_the_command_say_the_same() {
    let world = World::new();
    let flag = world.run(["--version"]).exits(0);
    let command = world.run(["version"]).exits(0);
    assert_eq!(flag.stdout, format!("kiln {}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!(command.stdout, flag.stdout);
    assert_eq!(command.stderr, "");
}

#[test]
fn unknown_words_are_usage_errors() {
    let world = World::new();
    for args in [&["bake"][..], &["plan", "--no-such-flag"], &["--format", "yaml", "version"], &[]] {
        let run = world.run(args).exits(2);
        assert_eq!(run.stdout, "", "{args:?}");
        assert!(run.stderr.contains("--help"), "{args:?}: {}", run.stderr);
    }
}

#[test]
fn usage_errors_are_json_where_that_is_asked_for() {
    let world = World::new();
    for args in [
        &["scn", "--format", "json"][..],
        &["plan", "--no-such-flag", "--format=json"],
        &["--format", "json"],
    ] {
        let run = world.run(args).exits(2);
        let error = &run.json()["error"];
        assert_eq!((error["code"].as_str(), run.stderr.as_str()), (Some("kiln.usage"), ""), "{args:?}");
        assert!(!error["what"].as_str().unwrap().contains('\n') && error["help"].is_string(), "{error}");
    }
    let meant = world.run(["scn", "--format", "json"]).exits(2).json();
    assert!(meant["error"]["help"].as_str().unwrap().contains("'scan'"), "{meant}");
}

#[test]
fn a_new_key_pair_is_told_in_json() {
    let world = World::new();
    let value = world.run(["keygen", "--output-key-prefix", "mine", "--format", "json"]).exits(0).json();
    assert_eq!((value["private"].as_str(), value["public"].as_str()), (Some("mine.key"), Some("mine.pub")));
    assert!(world.path("mine.key").exists() && world.path("mine.pub").exists());
}

#[test]
fn what_was_probably_meant_is_named() {
    let world = World::new();
    std::fs::write(world.path("Dockerfile"), "FROM node:22 AS build\nRUN true\n").unwrap();
    for (args, meant) in [
        (&["scn", "x"][..], "'scan'"),
        (&["scan", "x", "--format", "sariff"], "'sarif'"),
        (&["lint", "--enable", "DF02x"], "`DF02"),
        (&["lint", "--target", "biuld"], "did you mean `build`?"),
        (&["explain", "last_usr_root"], "did you mean `last_user_root`?"),
        (&["verify", "x", "--require", "spdxx"], "did you mean `spdx`?"),
    ] {
        let run = world.run(args).exits(2);
        assert!(run.stderr.contains(meant), "{args:?}: {}", run.stderr);
    }
}

#[test]
fn a_command_shows_only_the_formats_that_it_writes() {
    let world = World::new();
    let help = world.run(["plan", "--help"]).exits(0).stdout;
    assert!(help.contains("- json:") && !help.contains("sarif"), "{help}");
    assert!(world.run(["scan", "--help"]).exits(0).stdout.contains("- cyclonedx:"));
    let run = world.run(["--format", "sarif", "version"]).exits(2);
    assert!(run.stderr.contains("it writes human, json"), "{}", run.stderr);
    let value = world.run(["--format", "json", "version"]).exits(0).json();
    assert_eq!(value["version"], env!("CARGO_PKG_VERSION"));
}

/// The commands that `kiln --help` lists.
fn commands(world: &World) -> Vec<String> {
    let help = world.run(["--help"]).exits(0).stdout;
    let (list, _) = help.split_once("\nOptions:\n").unwrap();
    let lines = list.lines().filter_map(|line| line.strip_prefix("  "));
    lines.map(|line| line.split_whitespace().next().unwrap().to_owned()).collect()
}

#[test]
fn every_command_has_help() {
    let world = World::new();
    let commands = commands(&world);
    for command in [
        "base", "build", "check", "copy", "db", "doctor", "explain", "fix", "images", "keygen", "lint",
        "plan", "prune", "pull", "push", "rm", "sbom", "scan", "ship", "verify", "version",
    ] {
        assert!(commands.contains(&command.to_owned()), "{command}: {commands:?}");
    }
    for command in commands.iter().filter(|command| *command != "help") {
        world.run([command, "--help"]).exits(0);
    }
}

#[test]
fn checks_are_explained() {
    let world = World::new();
    let page = world.run(["explain", "im001"]).exits(0).stdout;
    assert!(page.starts_with("# IM001 ") && page.contains("## How to fix"), "{page}");
    let page = world.run(["explain", "im010"]).exits(0).stdout;
    assert!(page.contains("of 150 MB") && !page.contains("```toml"), "{page}");
    let page = world.run(["explain", "last_user_root"]).exits(0).stdout;
    assert!(page.starts_with("# DF023 last_user_root\n"), "{page}");
    for (name, wanted) in [
        ("DL3002", "# DF023 last_user_root\n"),
        ("supply-chain-attestations", "# SG002 "),
        ("store.missing", "# store.missing\n\nA blob "),
        ("source-map", "# source-map\n"),
    ] {
        let page = world.run(["explain", name]).exits(0).stdout;
        assert!(page.starts_with(wanted), "{name}: {page}");
    }
    let list = world.run(["explain"]).exits(0).stdout;
    assert!(
        list.contains("\n  IM001  ") && list.contains("\n  DF023  ") && list.contains("\n  kiln.no_image "),
        "{list}"
    );
    let list = world.run(["explain", "--format", "json"]).exits(0).json();
    assert!(list.as_array().unwrap().iter().any(|topic| topic["id"] == "DF023" && topic["kind"] == "rule"));
    let run = world.run(["explain", "IM999"]).exits(2);
    assert!(run.stderr.contains("IM001"), "{}", run.stderr);
}

#[test]
fn the_readme_names_every_command() {
    let readme = std::fs::read_to_string(project().join("README.md")).unwrap();
    for name in commands(&World::new()) {
        assert!(name == "help" || readme.contains(&format!("| `kiln {name}")), "{name} is not in README.md");
    }
}

/// Alone in an app's folder it says what it would do, and does nothing; elsewhere it is the help.
#[test]
fn alone_it_says_what_it_would_do() {
    let world = World::new();
    let app = world.example("orders-api");
    let before = std::fs::read_dir(&app).unwrap().count();
    let run = Run::of(world.kiln().current_dir(&app)).exits(0);
    for words in ["orders-api:1.4.0", "npm run build", "node dist/server.js", "/healthz"] {
        assert!(run.stdout.contains(words), "{words} in {}", run.stdout);
    }
    assert_eq!(std::fs::read_dir(&app).unwrap().count(), before);
    std::fs::remove_file(app.join("package-lock.json")).unwrap();
    let run = Run::of(world.kiln().current_dir(&app)).exits(2);
    assert!(run.stderr.contains("error[plan."), "{}", run.stderr);
    let run = Run::of(world.kiln().current_dir(world.path("."))).exits(2);
    assert!(run.stderr.contains("Usage: kiln"), "{}", run.stderr);
}
