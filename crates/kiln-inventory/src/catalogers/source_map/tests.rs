use super::*;

fn names(text: &str) -> Vec<String> {
    let mut file = FileFacts::default();
    let candidate = Candidate { path: "app/dist/server.js.map", size: text.len() as u64, mode: 0o644 };
    read(&candidate, &mut text.as_bytes(), &mut file).unwrap();
    match file.readings.pop() {
        Some(Reading::BuiltIn(names)) => names,
        _ => Vec::new(),
    }
}

#[test]
fn a_map_names_the_packages_that_were_built_in() {
    let text = r#"{"version":3,"mappings":"AAAA","sources":["../src/a.ts",null,"../node_modules/lodash/map.js","webpack://app/./node_modules/@s/b/x.js",
        "../node_modules/.pnpm/ms@2.1.3/node_modules/ms/index.js","../node_modules/.vite/deps/x.js"],"sourcesContent":["require('node_modules/none/x')"]}"#;
    assert_eq!(names(text), ["@s/b", "lodash", "ms"]);
    let sections = r#"{"version":3,"sections":[{"offset":{},"map":{"version":3,"sources":["node_modules/ms/index.js"]}}]}"#;
    assert_eq!(names(sections), ["ms"]);
    let plain = r#"{"version":3,"sources":["../src/a.ts"],"mappings":"AAAA"}"#;
    let in_text = r#"{"names":["node_modules/a/b"],"sourcesContent":["\"sources\":[\"node_modules/a/x\"]"]}"#;
    for nothing in [plain, in_text, "", "{", r#"{"sources":1}"#, r#"{"sources":["node_modules/"]}"#] {
        assert_eq!(names(nothing), Vec::<String>::new(), "{nothing}");
    }
}

#[test]
fn a_map_names_them_however_it_is_written() {
    for text in [
        r#"{"sources":["C:\\app\\node_modules\\ms\\index.js"]}"#,
        "\u{feff}{\"sources\": [\"node_modules/ms/index.js\"]}",
        ")]}'\n{\"sources\":[\"node_modules/ms/index.js\"]}",
        r#"{"sourcesContent":["a]\"\\"],"sources":["x",[],"node_modules\/ms\u002findex.js"]}"#,
        r#"{"sections":[{},{"map":{"s\u006furces" : ["node_modules/ms/a.js"]}}]}"#,
        r#"{"sources":["node_modules/ms/index.js"], cut"#,
    ] {
        assert_eq!(names(text), ["ms"], "{text}");
    }
    let long = format!(r#"{{"sources":["{}/node_modules/ms/index.js"]}}"#, "x".repeat(100_000));
    assert_eq!(names(&long), ["ms"]);
}

#[test]
fn of_a_map_with_more_packages_than_are_held_that_is_said() {
    let paths: Vec<String> = (0..=MAX_PACKAGES).map(|at| format!("\"node_modules/p{at}/x.js\"")).collect();
    let text = format!(r#"{{"sources":[{}]}}"#, paths.join(","));
    let candidate = Candidate { path: "a.js.map", size: text.len() as u64, mode: 0o644 };
    let mut file = FileFacts::default();
    assert_eq!(
        read(&candidate, &mut text.as_bytes(), &mut file),
        Err("it names more than 10000 packages".to_owned())
    );
    assert!(matches!(&file.readings[..], [Reading::BuiltIn(names)] if names.len() == MAX_PACKAGES));
}
