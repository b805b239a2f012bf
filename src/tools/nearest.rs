//! The name that somebody probably meant.

/// Closer than this (Jaro-Winkler, 0..=1) a name is worth proposing.
const CLOSE: f64 = 0.8;

/// The nearest of the known names, if one is near enough to be worth a hint.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|other| (strsim::jaro_winkler(name, other), other))
        .filter(|(score, _)| *score >= CLOSE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, other)| other)
}
