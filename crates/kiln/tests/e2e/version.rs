use crate::harness::World;

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
    for command in ["base", "build", "db", "keygen", "plan", "sbom", "scan", "ship", "verify", "version"] {
        assert!(help.contains(&format!("\n  {command} ")), "{command}: {help}");
        world.run([command, "--help"]).exits(0);
    }
}
