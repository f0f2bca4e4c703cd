use kiln_node::{Linker, Manager};

/// Yarn 2 and newer take these before settings of the app. Its archives lie in the app: what one app fetched is never another's,
/// as its lock file has no hash of packages that are for one kind of machine only.
const BERRY: [(&str, &str); 7] = [
    ("YARN_CACHE_FOLDER", "/app/.yarn/cache"),
    ("YARN_CHECKSUM_BEHAVIOR", "throw"),
    ("YARN_ENABLE_GLOBAL_CACHE", "false"),
    ("YARN_ENABLE_SCRIPTS", "false"),
    ("YARN_ENABLE_TELEMETRY", "false"),
    // On the same file system as the app: the linker called pnpm makes hard links.
    ("YARN_GLOBAL_FOLDER", "/app/.yarn/global"),
    ("YARN_PNP_ENABLE_INLINING", "true"),
];

/// The environment of every command. Nothing in it differs from user to user.
pub(super) fn environment(
    (manager, linker): (Manager, Option<Linker>),
    is_native: bool,
) -> Vec<(String, String)> {
    let mut env = vec![
        ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
        ("HOME", "/root"),
        ("CI", "true"),
        ("LANG", "C.UTF-8"),
        ("TZ", "UTC"),
        ("NO_COLOR", "1"),
        ("NODE_EXTRA_CA_CERTS", "/etc/ssl/certs/kiln-machine.crt"),
        ("npm_config_cache", "/root/.npm"),
        // Settings of the project choose no other program for a step that has logins.
        ("npm_config_git", "git"),
        ("npm_config_onload_script", "false"),
        ("YARN_IGNORE_PATH", "1"),
        ("npm_config_update_notifier", "false"),
        // Times in what tools write, where they honour it.
        ("SOURCE_DATE_EPOCH", "0"),
    ];
    match manager {
        Manager::Npm => {}
        Manager::Yarn if linker.is_some() => env.extend(BERRY),
        Manager::Bun => env.extend([("BUN_INSTALL_CACHE_DIR", "/tmp/bun"), ("DO_NOT_TRACK", "1")]),
        Manager::Pnpm => env.extend([
            ("PNPM_HOME", "/root/.local/share/pnpm"),
            ("npm_config_store_dir", "/root/.npm/pnpm-store"),
            ("npm_config_package_import_method", "copy"),
        ]),
        Manager::Yarn => env.push(("YARN_CACHE_FOLDER", "/root/.npm/yarn-cache")),
    }
    if is_native {
        // Compile addons from source, against the headers of the builder, in place of downloading binaries.
        env.extend([("npm_config_build_from_source", "true"), ("npm_config_nodedir", "/usr/local")]);
    }
    env.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
