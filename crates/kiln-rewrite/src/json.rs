/// A JSON array of strings with a space after each comma, as Dockerfiles have it.
pub(crate) fn json(words: &[String]) -> String {
    let words: Vec<String> =
        words.iter().map(|word| serde_json::Value::from(word.as_str()).to_string()).collect();
    format!("[{}]", words.join(", "))
}
