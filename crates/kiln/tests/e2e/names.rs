//! One name, one image: in kiln's store, and between it and registries.

use crate::harness::{World, needs};
use crate::images::{image_in, vulnerable};
use crate::peers::{registry, registry_with_referrers};

/// Every spelling of one image of the registry that names without a host are of.
pub(crate) fn spellings(image: &str) -> Vec<String> {
    let hosts = include_str!("../../../kiln-oci/data/hosts.tsv").lines().find(|line| !line.starts_with('#'));
    let hosts: Vec<&str> = hosts.unwrap().split('\t').collect();
    let mut all = vec![image.to_owned(), format!("library/{image}"), format!("{}/{image}", hosts[0])];
    all.extend(hosts.iter().map(|host| format!("{host}/library/{image}")));
    all.push(format!("{}:443/library/{image}", hosts[0].to_uppercase()));
    all
}

fn names(world: &World) -> Vec<String> {
    let listed = world.run(["images", "--format", "json"]).exits(0).json();
    listed["images"]
        .as_array()
        .or(listed.as_array())
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn every_spelling_of_a_name_is_one_image_in_the_store() {
    let world = World::new();
    let image = vulnerable(&world);
    let spellings = spellings("node:24");
    assert!(spellings.len() >= 6);
    for written in &spellings {
        world.run(["copy", "-q", &image, &format!("store:{written}")]).exits(0);
        assert_eq!(names(&world), [written.as_str()], "what was written last is shown");
        for asked in &spellings {
            world.run(["scan", &format!("store:{asked}"), "--offline"]).exits(0);
        }
    }
    world.run(["scan", "store:node:25", "--offline"]).exits(2);
    world.run(["scan", "team/node:24", "--offline"]).exits(2);
    world.run(["rm", &spellings[4]]).exits(0);
    assert_eq!(names(&world), [""; 0]);
}

/// `verify` asks the registry; `scan`, `push` and `copy` take what was built here and not pushed since, and say so.
#[test]
fn what_was_built_here_counts_until_it_is_pushed() {
    if !needs(&["registry"]) {
        return;
    }
    let world = World::new();
    let image = vulnerable(&world);
    let (_server, host) = registry(&world);
    let name = format!("{host}/team/app:1");
    world.run(["push", "-q", &image, &name]).exits(0);
    let there = world.run(["scan", &name, "--format", "json"]).exits(0).json()[0]["image"]["digest"].clone();
    // Another one is built under that name.
    let other = image_in(&world.path("other"), &[("app/index.js", 0o644, "1")]);
    world.run(["copy", "-q", &format!("oci:{}:1", other.display()), &format!("store:{name}")]).exits(0);
    let scan = |name: &str| {
        let run = world.run(["scan", name, "--format", "json"]).exits(0);
        (run.json()[0]["image"]["digest"].clone(), run.stderr)
    };
    let (here, said) = scan(&name);
    assert_ne!(here, there);
    assert!(said.contains("built here and not pushed since"), "{said}");
    assert_eq!(scan(&format!("registry:{name}")).0, there);
    let (forced, said) = scan(&format!("store:{name}"));
    assert!(forced == here && !said.contains("note:"), "{said}");
    let copied = world.run(["copy", &name, "oci:copied:1", "--format", "json"]).exits(0);
    assert!(
        copied.json()["digest"] == here && copied.stderr.contains("not pushed since"),
        "{}",
        copied.stderr
    );
    world.run(["keygen", "--output-key-prefix", "k"]).exits(0);
    world.run(["sign", &format!("store:{name}"), "--key", "k.key"]).exits(0);
    let verify = |name: &str, args: &[&str]| {
        world.run(
            [&["verify", name, "--key", "k.pub", "--require", "signature", "--format", "json"], args]
                .concat(),
        )
    };
    assert_eq!(verify(&name, &[]).exits(1).json()["digest"], there);
    assert_eq!(verify(&format!("store:{name}"), &[]).exits(0).json()["digest"], here);
    let offline = verify(&name, &["--offline"]).exits(0);
    assert!(offline.stderr.contains("taken from kiln's store"), "{}", offline.stderr);
    // From the push on, they are the same.
    world.run(["push", "-q", &name]).exits(0);
    assert_eq!(verify(&name, &[]).exits(0).json()["digest"], here);
    let (now, said) = scan(&name);
    assert!(now == here && !said.contains("note:"), "{said}");
    // What others push there meanwhile is what is scanned; what is not there is said to be here.
    world.run(["push", "-q", &image, &name]).exits(0);
    assert_eq!(scan(&name).0, there);
    world.run(["copy", "-q", &image, &format!("store:{host}/team/only:1")]).exits(0);
    let missing = verify(&format!("{host}/team/only:1"), &[]).exits(2);
    assert!(missing.stdout.contains(&format!("store:{host}/team/only:1")), "{}", missing.stdout);
}

#[test]
fn an_image_may_be_named_by_its_sha_512() {
    if !needs(&["referrers"]) {
        return;
    }
    let world = World::new();
    let image = vulnerable(&world);
    let (_server, host) = registry_with_referrers();
    world.run(["push", "-q", &image, &format!("{host}/team/app:1")]).exits(0);
    let wrong = format!("{host}/team/app@sha512:{}", "0".repeat(128));
    // Whether a registry knows such digests is its own affair; that another image stands for one is not.
    assert_ne!(world.run(["scan", &wrong]).code, Some(0));
    world.run(["copy", &image, &wrong]).exits(2);
    world.run(["scan", &format!("{host}/team/app@sha512:12")]).exits(2);
}
