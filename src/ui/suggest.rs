//! "Did you mean": the nearest of the names there are.

/// How alike (Jaro-Winkler, 0 to 1) two names have to be to be offered.
const ALIKE: f64 = 0.82;

/// The candidate that is most like `name`, if any is like it at all. Never `name` itself.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = name.to_lowercase();
    candidates
        .into_iter()
        .filter(|candidate| *candidate != name)
        .map(|candidate| (likeness(&wanted, &candidate.to_lowercase()), candidate))
        .filter(|(score, _)| *score >= ALIKE)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, candidate)| candidate)
}

/// Alike by letters, or short for it: `lr` is short for `learning_rate`.
fn likeness(wanted: &str, candidate: &str) -> f64 {
    let initials: String = candidate
        .split(['_', '-', '.'])
        .filter_map(|word| word.chars().next())
        .collect();
    if wanted.len() > 1 && initials == wanted {
        return 1.0;
    }
    strsim::jaro_winkler(wanted, candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_slips_case_and_initials_and_nothing_far() {
        let names = ["learning_rate", "loss", "batch_size"];
        assert_eq!(nearest("learnig_rate", names), Some("learning_rate"));
        assert_eq!(nearest("LOSS", names), Some("loss"));
        assert_eq!(nearest("lr", names), Some("learning_rate"));
        assert_eq!(nearest("zebra", names), None);
        assert_eq!(nearest("lst", ["list", "call", "describe"]), Some("list"));
    }
}
