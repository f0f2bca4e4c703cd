/// The candidate that was probably meant by `word`, if one is near enough. Case does not matter.
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    /// Longer words are not compared.
    const MAX_WORD: usize = 64;
    if word.is_empty() || word.len() > MAX_WORD {
        return None;
    }
    // Of one or two letters nearly anything is near.
    let limit = (word.chars().count() / 3).min(3);
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= MAX_WORD)
        .map(|candidate| (distance(&word.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The question that names it, for a help text.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    closest(word, candidates).map(|guess| format!("did you mean `{guess}`?"))
}

/// How many characters must be inserted, deleted, replaced or swapped with their neighbour.
fn distance(from: &str, to: &str) -> usize {
    let from: Vec<char> = from.chars().collect();
    let to: Vec<char> = to.chars().collect();
    let mut before = vec![0; to.len() + 1];
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.iter().enumerate() {
        let mut next = vec![i + 1; to.len() + 1];
        for (j, b) in to.iter().enumerate() {
            let replaced = row[j] + usize::from(a != b);
            let mut best = replaced.min(row[j + 1] + 1).min(next[j] + 1);
            if i > 0 && j > 0 && *a == to[j - 1] && from[i - 1] == *b {
                best = best.min(before[j - 1] + 1);
            }
            next[j + 1] = best;
        }
        before = row;
        row = next;
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_near_is_guessed() {
        let words = ["ENTRYPOINT", "ENV", "EXPOSE", "FROM", "COPY"];
        assert_eq!(closest("FORM", words), Some("FROM"));
        assert_eq!(closest("entrypont", words), Some("ENTRYPOINT"));
        assert_eq!(closest("EXPSE", words), Some("EXPOSE"));
        assert_eq!(closest("INSTALL", words), None);
        assert_eq!(closest("", words), None);
    }
}
