/// A result, as one text and as words.
#[derive(Default)]
pub(super) struct Output {
    pub(super) text: String,
    words: Vec<String>,
    word: String,
    is_in_word: bool,
}

impl Output {
    pub(super) fn push(&mut self, char: char) {
        self.text.push(char);
        if !char.is_whitespace() {
            self.word.push(char);
            self.is_in_word = true;
        } else if self.is_in_word && !self.word.is_empty() {
            self.words.push(std::mem::take(&mut self.word));
            self.is_in_word = false;
        }
    }

    pub(super) fn push_raw(&mut self, text: &str) {
        self.text.push_str(text);
        self.word.push_str(text);
        self.is_in_word = true;
    }

    pub(super) fn into_words(mut self) -> Vec<String> {
        if !self.word.is_empty() {
            self.words.push(self.word);
        }
        self.words
    }
}
