use super::*;

#[test]
fn lists_of_others_are_known_by_their_names() {
    for (path, expected) in [
        ("app/requirements.txt", Some("Python")),
        ("Gemfile.lock", Some("Ruby")),
        ("var/lib/rpm/Packages", Some("rpm")),
        ("usr/lib/sysimage/rpm/rpmdb.sqlite", Some("rpm")),
        ("app/var/lib/rpm/Packages", None),
        ("app/node_modules/node-gyp/gyp/requirements.txt", None),
        ("usr/share/app/Gemfile.lock", Some("Ruby")),
        ("app/requirements-dev.txt", Some("Python")),
        ("app/requirements/prod.txt", Some("Python")),
        ("app/pylock.dev.toml", Some("Python")),
        ("app/requirementsfoo.txt", None),
        ("app/vendor/composer/installed.json", Some("PHP")),
        ("app/installed.json", None),
        ("app/app.deps.json", Some(".NET")),
        ("app/mix.lock", Some("Elixir")),
        ("app/bun.lockb", Some("npm")),
        ("app/node_modules/a/yarn.lock", None),
        ("usr/lib/python3/dist-packages/x/requirements.txt", None),
        ("app/my-requirements.txt", None),
    ] {
        assert_eq!(whose(path), expected, "{path}");
    }
    assert!(NAMES.is_sorted());
}
