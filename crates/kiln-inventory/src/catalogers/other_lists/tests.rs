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
        ("usr/share/doc/x/Gemfile.lock", None),
        ("app/my-requirements.txt", None),
    ] {
        assert_eq!(whose(path), expected, "{path}");
    }
    assert!(NAMES.is_sorted());
}
