//! Patterns over names: `*` is any text, `?` one character, everything else itself. Anchored at both ends.

use super::{Variable, VariableId};

/// A compiled pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob(Box<[char]>);

impl Glob {
    /// Whether a text is a pattern and not a name.
    pub fn is_one(text: &str) -> bool {
        text.contains(['*', '?'])
    }

    /// Compiles a pattern; every text is one.
    pub fn new(pattern: &str) -> Self {
        Self(pattern.chars().collect())
    }

    /// Whether the whole of `text` fits, in time O(pattern x text) at worst: backtracking goes to the last `*` only.
    pub fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        let (mut at, mut seen) = (0, 0);
        let mut star: Option<(usize, usize)> = None;
        while seen < text.len() {
            match self.0.get(at) {
                Some('*') => {
                    star = Some((at, seen));
                    at += 1;
                }
                Some('?') => {
                    at += 1;
                    seen += 1;
                }
                Some(&wanted) if wanted == text[seen] => {
                    at += 1;
                    seen += 1;
                }
                _ => match star {
                    Some((back, from)) => {
                        at = back + 1;
                        seen = from + 1;
                        star = Some((back, seen));
                    }
                    None => return false,
                },
            }
        }
        self.0[at..].iter().all(|&rest| rest == '*')
    }
}

/// What a watch or a list is about: ids, names and globs, or everything.
#[derive(Debug, Clone, Default)]
pub struct Selector {
    exact: Vec<Box<str>>,
    globs: Vec<Glob>,
}

impl Selector {
    /// A selector of identifiers; none = everything.
    pub fn new<I: AsRef<str>>(identifiers: impl IntoIterator<Item = I>) -> Self {
        let mut selector = Self::default();
        for identifier in identifiers {
            let identifier = identifier.as_ref();
            if Glob::is_one(identifier) {
                selector.globs.push(Glob::new(identifier));
            } else {
                selector.exact.push(identifier.into());
            }
        }
        selector
    }

    /// Whether it selects everything.
    pub fn is_all(&self) -> bool {
        self.exact.is_empty() && self.globs.is_empty()
    }

    /// The names and ids that were given as such.
    pub fn exact(&self) -> impl Iterator<Item = &str> {
        self.exact.iter().map(AsRef::as_ref)
    }

    /// Whether it selects a variable, by id, name or glob over the name.
    pub fn matches(&self, variable: &Variable) -> bool {
        self.is_all() || self.names(variable.name.as_str(), &variable.id)
    }

    fn names(&self, name: &str, id: &VariableId) -> bool {
        self.exact
            .iter()
            .any(|exact| **exact == *name || **exact == *id.as_str())
            || self.globs.iter().any(|glob| glob.matches(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_are_anchored_and_know_only_star_and_question_mark() {
        for (pattern, text, fits) in [
            ("temp_*", "temp_1", true),
            ("temp_*", "my_temp_1", false),
            ("*_lr", "opt_lr", true),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b", "abab", true),
            ("*a*b", "aba", false),
            ("l?", "lr", true),
            ("l?", "l", false),
            ("layers[0].lr", "layers[0].lr", true),
            ("layers[0].lr", "layers0.lr", false),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("é?", "éé", true),
        ] {
            assert_eq!(Glob::new(pattern).matches(text), fits, "{pattern} ~ {text}");
        }
    }

    #[test]
    fn many_stars_take_no_exponential_time() {
        let glob = Glob::new(&"*a".repeat(60));
        assert!(!glob.matches(&"a".repeat(255).replace('a', "ab")));
    }
}
