use super::*;

fn told(text: &str) -> Vec<String> {
    let mut file = FileFacts::default();
    let candidate = Candidate { path: "etc/apk/repositories", size: 1, mode: 0o644 };
    read(&candidate, &mut text.as_bytes(), &mut file).unwrap();
    let release = |reading| match reading {
        Reading::Release(release) => Some(release),
        _ => None,
    };
    file.readings.into_iter().filter_map(release).collect()
}

#[test]
fn every_release_is_told() {
    let main = "https://host.invalid/alpine/v3.9/main\nhttps://host.invalid/alpine/v3.21/community\n";
    assert_eq!(told(main), ["3.21", "3.9"]);
    assert_eq!(told("http://host.invalid/alpine/edge/main/ # x\n"), ["edge"]);
    let tagged = "https://host.invalid/alpine/v3.20/main\n@edge https://host.invalid/alpine/edge/testing\n#https://host.invalid/alpine/edge/main\n";
    assert_eq!(told(tagged), ["3.20"]);
    for nothing in ["", "/home/me/packages", "https://host.invalid/alpine/latest-stable/main", "v3.20"] {
        assert!(told(nothing).is_empty(), "{nothing}");
    }
}
