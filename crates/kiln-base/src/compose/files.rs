//! The files and directories that no package brings.

use kiln_oci::ContainerConfig;
use kiln_rootfs::{Attrs, Entry, Kind, RootPath, Tree};

use super::Variant;
use crate::error::Error;
use crate::recipe::{Distribution, RECIPE};

const NONROOT: u32 = 65532;

const GROUP: &str = "root:x:0:\nnobody:x:65534:\ntty:x:5:\nstaff:x:50:\nnonroot:x:65532:\n";

const NSSWITCH: &str = "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nnetworks: files\n\
                        protocols: files\nservices: files\nethers: files\nrpc: files\n";

const DIRS: [(&str, u32); 15] = [
    ("dev", 0o755),
    ("etc", 0o755),
    ("home", 0o755),
    ("proc", 0o755),
    ("root", 0o700),
    ("run", 0o755),
    ("run/lock", 0o1777),
    ("sys", 0o755),
    ("tmp", 0o1777),
    ("usr/local/bin", 0o755),
    ("usr/local/lib", 0o755),
    ("usr/local/sbin", 0o755),
    ("var/cache", 0o755),
    ("var/log", 0o755),
    ("var/tmp", 0o1777),
];

pub(super) fn place(tree: &mut Tree, distribution: Distribution, variant: Variant) -> Result<(), Error> {
    write(tree, distribution, variant).map_err(Error::tree("the files of the base"))
}

fn write(tree: &mut Tree, distribution: Distribution, variant: Variant) -> Result<(), kiln_rootfs::Error> {
    for (path, mode) in DIRS {
        tree.insert_dir(path, mode)?;
    }
    let home = Attrs { mode: 0o700, uid: NONROOT, gid: NONROOT, ..Attrs::default() };
    tree.insert(RootPath::new("home/nonroot")?, Entry { attrs: home, kind: Kind::Dir })?;
    tree.insert_symlink("var/run", "/run")?;
    tree.insert_symlink("var/lock", "/run/lock")?;
    tree.insert_file("etc/passwd", 0o644, passwd(variant).into_bytes())?;
    tree.insert_file("etc/group", 0o644, GROUP.as_bytes())?;
    tree.insert_file("etc/nsswitch.conf", 0o644, NSSWITCH.as_bytes())?;
    tree.insert_file("usr/lib/os-release", 0o644, os_release(distribution).into_bytes())?;
    tree.insert_symlink("etc/os-release", "../usr/lib/os-release")?;
    if variant != Variant::Runtime {
        for (path, target) in &RECIPE.builder.links {
            let beside = RootPath::new(path)?.parent().unwrap_or_default().join(target)?;
            if tree.get(&beside).is_some() {
                tree.insert_symlink(path, target)?;
            }
        }
    }
    Ok(())
}

fn passwd(variant: Variant) -> String {
    let shell = if variant == Variant::Runtime { "/sbin/nologin" } else { "/bin/sh" };
    format!(
        "root:x:0:0:root:/root:{shell}\n\
         nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\n\
         nonroot:x:65532:65532:nonroot:/home/nonroot:{shell}\n"
    )
}

fn os_release(distribution: Distribution) -> String {
    let recipe = distribution.recipe();
    let (version, codename) = (&recipe.version, &recipe.codename);
    format!(
        "PRETTY_NAME=\"Distroless\"\nNAME=\"Debian GNU/Linux\"\nID=\"debian\"\nVERSION_ID=\"{version}\"\n\
         VERSION=\"Debian GNU/Linux {version} ({codename})\"\n"
    )
}

/// How a container of the base runs.
pub(super) fn config(variant: Variant) -> ContainerConfig {
    let mut env = vec![
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned(),
        "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt".to_owned(),
    ];
    if variant == Variant::Runtime {
        return ContainerConfig {
            user: NONROOT.to_string(),
            env,
            entrypoint: Some(vec!["/nodejs/bin/node".to_owned()]),
            working_dir: "/home/nonroot".to_owned(),
            ..ContainerConfig::default()
        };
    }
    // node-gyp finds the headers of this Node there, and downloads none.
    env.push("npm_package_config_node_gyp_nodedir=/usr/local".to_owned());
    ContainerConfig { env, working_dir: "/".to_owned(), ..ContainerConfig::default() }
}
