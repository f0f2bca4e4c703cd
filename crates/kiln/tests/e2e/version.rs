use crate::harness::{World, project};

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
fn every_command_has_help() {
    let world = World::new();
    let help = world.run(["--help"]).exits(0).stdout;
    for command in [
        "base", "build", "check", "copy", "db", "doctor", "explain", "fix", "images", "keygen", "lint",
        "plan", "prune", "pull", "push", "rm", "sbom", "scan", "ship", "verify", "version",
    ] {
        assert!(help.contains(&format!("\n  {command} ")), "{command}: {help}");
        world.run([command, "--help"]).exits(0);
    }
}

#[test]
fn checks_are_explained() {
    let world = World::new();
    let page = world.run(["explain", "im001"]).exits(0).stdout;
    assert!(page.starts_with("# IM001 ") && page.contains("## How to fix"), "{page}");
    let page = world.run(["explain", "last_user_root"]).exits(0).stdout;
    assert!(page.starts_with("# DF023 last_user_root\n"), "{page}");
    let run = world.run(["explain", "IM999"]).exits(2);
    assert!(run.stderr.contains("IM001"), "{}", run.stderr);
}

#[test]
fn the_readme_names_every_command() {
    let readme = std::fs::read_to_string(project().join("README.md")).unwrap();
    let help = World::new().run(["--help"]).exits(0).stdout;
    let (_, list) = help.split_once("Commands:\n").unwrap();
    for line in list.lines().take_while(|line| !line.is_empty()) {
        let name = line.split_whitespace().next().unwrap();
        assert!(name == "help" || readme.contains(&format!("| `kiln {name}")), "{name} is not in README.md");
    }
}
