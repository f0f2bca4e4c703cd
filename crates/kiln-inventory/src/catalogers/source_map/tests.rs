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
    for nothing in [plain, "", "{", r#"{"sources":1}"#, r#"{"sources":["node_modules/"]}"#] {
        assert_eq!(names(nothing), Vec::<String>::new(), "{nothing}");
    }
}
