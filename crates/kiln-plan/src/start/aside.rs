use super::AsideKind;

/// Names of scripts that build; what follows a colon or a dash does not count.
const BUILDING_SCRIPTS: [&str; 5] = ["build", "compile", "bundle", "generate", "prebuild"];
/// Programs that build.
const BUILDERS: [&str; 12] = [
    "tsc",
    "tsup",
    "esbuild",
    "swc",
    "rollup",
    "webpack",
    "vite",
    "tsc-alias",
    "ncc",
    "babel",
    "unbuild",
    "tsdown",
];
/// What else builds, by its first two words.
const BUILDS: [[&str; 2]; 9] = [
    ["next", "build"],
    ["nest", "build"],
    ["nuxt", "build"],
    ["nuxi", "build"],
    ["astro", "build"],
    ["remix", "vite:build"],
    ["react-router", "build"],
    ["prisma", "generate"],
    ["strapi", "build"],
];
/// Words in names of scripts that prepare data.
const DATA: [&str; 6] = ["migrate", "migration", "migrations", "seed", "db", "bootstrap"];
/// What prepares data, by its first two words.
const MIGRATIONS: [[&str; 2]; 12] = [
    ["prisma", "migrate"],
    ["prisma", "db"],
    ["typeorm", "migration:run"],
    ["sequelize", "db:migrate"],
    ["sequelize-cli", "db:migrate"],
    ["knex", "migrate:latest"],
    ["drizzle-kit", "migrate"],
    ["drizzle-kit", "push"],
    ["mikro-orm", "migration:up"],
    ["node-pg-migrate", "up"],
    ["migrate-mongo", "up"],
    ["payload", "migrate"],
];
/// Folders that builds write.
const OUTPUTS: [&str; 8] =
    [".next", ".output", "build", "coverage", "dist", "lib", "out", "tsconfig.tsbuildinfo"];
/// Programs that make logs readable.
const LOGS: [&str; 6] = ["pino-pretty", "bunyan", "pino-colada", "roarr", "pino-princess", "pretty-pino"];

/// What a script of this name does besides starting, by its name.
pub(super) fn of_script(name: &str) -> Option<AsideKind> {
    let mut parts = name.split([':', '-', '_', '.']);
    if parts.clone().any(|part| DATA.contains(&part)) {
        return Some(AsideKind::Migration);
    }
    parts.next().filter(|first| BUILDING_SCRIPTS.contains(first)).map(|_| AsideKind::Build)
}

/// What a command does besides starting.
pub(super) fn of_command(words: &[&str]) -> Option<AsideKind> {
    let first = *words.first()?;
    let begins = |two: &[&str; 2]| words.len() > 1 && words[..2] == two[..];
    // `node ace migration:run`, `node scripts/migrate.js`: what names itself so.
    let names_data = first == "node"
        && words.get(1).is_some_and(|file| {
            of_file(file)
                || (*file == "ace" && words.get(2).is_some_and(|task| task.starts_with("migration")))
        });
    if MIGRATIONS.iter().any(begins) || names_data {
        return Some(AsideKind::Migration);
    }
    let is_build = BUILDERS.contains(&first) || BUILDS.iter().any(begins);
    is_build.then_some(AsideKind::Build)
}

/// Whether a command changes nothing that an image has: it says something, or clears what a build is about to write.
pub(super) fn is_nothing(words: &[&str]) -> bool {
    match words {
        ["echo" | "true" | "set", ..] => true,
        ["rimraf" | "del-cli", targets @ ..] => {
            let mut targets = targets.iter().filter(|word| !word.starts_with('-')).peekable();
            targets.peek().is_some()
                && targets
                    .all(|target| OUTPUTS.contains(&target.trim_start_matches("./").trim_end_matches('/')))
        }
        _ => false,
    }
}

/// Whether the output of a program goes into this one to be read by people.
pub(super) fn is_for_logs(program: &str) -> bool {
    LOGS.contains(&program)
}

fn of_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.split('.').next().unwrap_or(name);
    stem.split(['-', '_']).any(|part| DATA.contains(&part) && part != "db")
}
