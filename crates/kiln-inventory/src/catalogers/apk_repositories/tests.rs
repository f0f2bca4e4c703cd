use super::*;

fn told(text: &str) -> Option<String> {
    let mut file = FileFacts::default();
    let candidate = Candidate { path: "etc/apk/repositories", size: 1, mode: 0o644 };
    read(&candidate, &mut text.as_bytes(), &mut file).unwrap();
    file.readings.into_iter().find_map(|reading| match reading {
        Reading::Release(release) => Some(release),
        _ => None,
    })
}

#[test]
fn the_highest_release_counts() {
    let main = "https://host.invalid/alpine/v3.9/main\nhttps://host.invalid/alpine/v3.21/community\n";
    assert_eq!(told(main).as_deref(), Some("3.21"));
    assert_eq!(told("http://host.invalid/alpine/edge/main/\n").as_deref(), Some("edge"));
    let tagged = "https://host.invalid/alpine/v3.20/main\n@edge https://host.invalid/alpine/edge/testing\n#https://host.invalid/alpine/edge/main\n";
    assert_eq!(told(tagged).as_deref(), Some("3.20"));
    for nothing in ["", "/home/me/packages", "https://host.invalid/alpine/latest-stable/main", "v3.20"] {
        assert_eq!(told(nothing), None, "{nothing}");
    }
}
