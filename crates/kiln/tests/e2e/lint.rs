use std::fs;

use crate::harness::{World, project};

const NAIVE: &str = "FROM node:24-slim\nWORKDIR /app\nCOPY server.js ./\nCMD [\"node\", \"server.js\"]\n";
const CLEAN: &str = "FROM node:24-slim\nWORKDIR /app\nENV NODE_ENV=production\nCOPY server.js ./\nUSER 1000:1000\nCMD [\"node\", \"server.js\"]\n";

#[test]
fn findings_are_shown_with_their_lines() {
    let world = World::new();
    let app = world.app(&[("Dockerfile", NAIVE)]);
    let run = world.run(["lint".as_ref(), app.as_os_str()]).exits(1);
    for text in ["error[DF023 last_user_root]", "Dockerfile:1:1", "1 | FROM node:24-slim", "+ USER 1000:1000"]
    {
        assert!(run.stdout.contains(text), "{text} in:\n{}", run.stdout);
    }
    assert!(run.stderr.starts_with("1 file: 1 error, 1 warning"), "{}", run.stderr);
    fs::write(app.join("Dockerfile"), CLEAN).unwrap();
    let run = world.run(["lint".as_ref(), app.as_os_str()]).exits(0);
    assert_eq!(run.stdout, "");
    assert_eq!(run.stderr, "1 file: nothing to say\n");
}

#[test]
fn folders_are_searched_and_files_come_in_order() {
    let world = World::new();
    let app = world.app(&[
        ("b/Dockerfile", NAIVE),
        ("a/Dockerfile.dev", NAIVE),
        ("a/api.Dockerfile", NAIVE),
        ("a/Dockerfile.dockerignore", "x"),
        ("node_modules/x/Dockerfile", NAIVE),
    ]);
    let run = world.run(["lint".as_ref(), app.as_os_str(), "--format".as_ref(), "json".as_ref()]).exits(1);
    let paths: Vec<String> =
        run.json().as_array().unwrap().iter().map(|file| file["path"].as_str().unwrap().to_owned()).collect();
    let ends = ["a/Dockerfile.dev", "a/api.Dockerfile", "b/Dockerfile"];
    assert_eq!(paths.len(), ends.len(), "{paths:?}");
    assert!(paths.iter().zip(ends).all(|(path, end)| path.ends_with(end)), "{paths:?}");
    world.run(["lint".as_ref(), world.path("nowhere").as_os_str()]).exits(2);
    fs::create_dir(world.path("empty")).unwrap();
    world.run(["lint".as_ref(), world.path("empty").as_os_str()]).exits(2);
}

#[test]
fn the_level_decides_the_exit_code() {
    let world = World::new();
    let app = world.app(&[("Dockerfile", &CLEAN.replace("USER 1000:1000", "USER node"))]);
    let lint = |level: &str| {
        world.run(["lint".as_ref(), app.as_os_str(), "--fail-on".as_ref(), level.as_ref()]).code
    };
    assert_eq!(
        [lint("info"), lint("warning"), lint("error"), lint("never")],
        [Some(1), Some(1), Some(0), Some(0)]
    );
}

#[test]
fn sarif_has_ranges_and_fixes() {
    let world = World::new();
    let app = world.app(&[("Dockerfile", NAIVE)]);
    let run = world.run(["lint".as_ref(), app.as_os_str(), "--format".as_ref(), "sarif".as_ref()]).exits(1);
    let sarif = run.json();
    assert_eq!(sarif["version"], "2.1.0");
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let root = results.iter().find(|result| result["ruleId"] == "DF023").unwrap();
    let region = &root["locations"][0]["physicalLocation"]["region"];
    assert_eq!((region["startColumn"].as_u64(), region["endColumn"].as_u64()), (Some(1), Some(18)));
    let replacement = &root["fixes"][0]["artifactChanges"][0]["replacements"][0];
    assert_eq!(replacement["deletedRegion"]["startLine"], 4);
    assert_eq!(replacement["insertedContent"]["text"], "USER 1000:1000\n");
    let rules = sarif["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(rules[usize::try_from(root["ruleIndex"].as_u64().unwrap()).unwrap()]["id"], "DF023");
}

#[test]
fn github_gets_commands_and_nothing_can_be_smuggled_in() {
    let world = World::new();
    let app = world.app(&[("Dockerfile", "FROM alpine:3.23\nCOYP\u{7}%0A::error::x a\nUSER 1000\n")]);
    let run = world
        .run(["check".as_ref(), app.join("Dockerfile").as_os_str(), "--format".as_ref(), "github".as_ref()])
        .exits(1);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert!(lines.iter().all(|line| line.starts_with("::error file=")), "{lines:?}");
    assert!(lines[0].contains("title=DF000 syntax::") && lines[0].contains("%250A"), "{lines:?}");
    world.run(["plan", "--format", "github"]).exits(2);
}

#[test]
fn repairs_are_shown_checked_and_written() {
    let world = World::new();
    let app = world.app(&[("Dockerfile", NAIVE)]);
    let file = app.join("Dockerfile");
    let lint =
        |more: &[&str]| world.run([&["lint", file.to_str().unwrap(), "--fix", "--unsafe"], more].concat());
    let diff = lint(&["--diff"]).exits(0);
    assert!(
        diff.stdout.contains("+USER 1000:1000\n") && diff.stdout.contains("+ENV NODE_ENV=production\n"),
        "{}",
        diff.stdout
    );
    lint(&["--check"]).exits(1);
    assert_eq!(fs::read_to_string(&file).unwrap(), NAIVE);
    let done = lint(&[]).exits(0);
    assert!(done.stderr.contains("DF023") && done.stderr.contains("changed 1 of 1 files"), "{}", done.stderr);
    let after = fs::read_to_string(&file).unwrap();
    assert!(after.contains("USER 1000:1000\n"), "{after}");
    lint(&["--check"]).exits(0);
    fs::write(&file, NAIVE).unwrap();
    let fix = |more: &[&str]| world.run([&["fix", file.to_str().unwrap(), "--unsafe"], more].concat());
    fix(&["--check"]).exits(1);
    fix(&["--to", "slim"]).exits(2);
    fix(&[]).exits(0);
    assert_eq!(fs::read_to_string(&file).unwrap(), after);
    world.run(["check".as_ref(), file.as_os_str()]).exits(0);
}

#[test]
fn the_folder_of_the_build_is_looked_at() {
    let world = World::new();
    let app = world.app(&[
        ("package.json", "{\"name\": \"a\", \"scripts\": {\"start\": \"node src/server.js\"}}"),
        ("package-lock.json", "{\"lockfileVersion\": 3, \"packages\": {}}"),
        ("src/server.js", "process.on('SIGTERM', () => process.exit())\n"),
        (".env", "PASSWORD=x\n"),
        ("docker/Dockerfile", "FROM node:24-slim\nWORKDIR /app\nENV NODE_ENV=production\nCOPY src package.json ./\nCOPY . .\nCOPY lib ./lib\nUSER 1000\nCMD [\"npm\", \"start\"]\n"),
    ]);
    let run = world.run(["lint".as_ref(), app.as_os_str(), "--format".as_ref(), "json".as_ref()]).exits(1);
    let value = run.json();
    let ids: Vec<&str> = value[0]["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["DF052", "DF054", "DF053", "NA036"]);
}

#[test]
fn comments_and_kiln_toml_decide() {
    let world = World::new();
    let text = NAIVE.replace("FROM", "# kiln: allow DF023 DF049 a demonstration\nFROM");
    let app = world.app(&[("Dockerfile", &text)]);
    world.run(["lint".as_ref(), app.as_os_str()]).exits(0);
    fs::write(app.join("Dockerfile"), NAIVE).unwrap();
    let config = app.join("kiln.toml");
    fs::write(&config, "[lint]\nprofile = \"docker\"\ndisable = [\"DF023\", \"node_env_not_production\"]\n")
        .unwrap();
    let config = config.to_str().unwrap();
    world.run(["lint", app.to_str().unwrap(), "--config", config]).exits(0);
    let run = world.run(["lint", app.to_str().unwrap(), "--config", config, "--enable", "DF002"]).exits(1);
    assert!(run.stdout.contains("DF002"), "{}", run.stdout);
    let run = world.run(["lint", app.to_str().unwrap(), "--disable", "last_user_rot"]).exits(2);
    assert!(run.stderr.contains("last_user_root"), "{}", run.stderr);
}

#[test]
fn the_examples_can_be_looked_at() {
    let world = World::new();
    let examples = project().join("examples");
    let run = world.run([
        "lint".as_ref(),
        examples.as_os_str(),
        "--format".as_ref(),
        "json".as_ref(),
        "--fail-on".as_ref(),
        "never".as_ref(),
    ]);
    run.exits(0);
}

#[test]
fn what_is_no_text_is_not_written_and_links_stay() {
    let world = World::new();
    let app = world.app(&[("real/Dockerfile", NAIVE)]);
    let link = app.join("Dockerfile");
    std::os::unix::fs::symlink("real/Dockerfile", &link).unwrap();
    world.run(["lint".as_ref(), link.as_os_str(), "--fix".as_ref()]).exits(0);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(fs::read_to_string(&link).unwrap().contains("NODE_ENV"));
    let bytes = [NAIVE.as_bytes(), b"# caf\xe9\n"].concat();
    let odd = app.join("Dockerfile.odd");
    fs::write(&odd, &bytes).unwrap();
    let run = world.run(["lint".as_ref(), odd.as_os_str(), "--fix".as_ref()]).exits(0);
    assert!(run.stderr.contains("left alone"), "{}", run.stderr);
    assert_eq!(fs::read(&odd).unwrap(), bytes);
}

#[test]
fn a_folder_that_does_not_fit_is_not_guessed() {
    let world = World::new();
    let app = world.app(&[
        ("package.json", "{}"),
        ("py/requirements.txt", "x"),
        ("py/Dockerfile", "FROM python:3.13-slim\nWORKDIR /app\nCOPY requirements.txt ./\nUSER 1000\n"),
    ]);
    let run = world.run(["lint".as_ref(), app.as_os_str(), "--format".as_ref(), "json".as_ref()]).exits(0);
    assert_eq!(run.json()[0]["has_context"], false);
}

#[test]
fn a_link_out_of_the_folder_is_not_repaired() {
    let world = World::new();
    let app = world.app(&[("package.json", "{}")]);
    let outside = world.path("outside");
    std::fs::write(&outside, NAIVE).unwrap();
    std::os::unix::fs::symlink(&outside, app.join("Dockerfile")).unwrap();
    let run = world.run(["lint".as_ref(), app.as_os_str(), "--fix".as_ref()]).exits(2);
    assert!(
        run.stderr.contains("it is a link to") && run.stderr.contains("name that file"),
        "{}",
        run.stderr
    );
    assert_eq!(std::fs::read_to_string(&outside).unwrap(), NAIVE);
}
