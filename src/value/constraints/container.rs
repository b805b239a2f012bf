//! Constraints of maps and lists: how many entries, how deep. It must never read the JSON again.

use super::fields::Fields;
use crate::value::json::MAX_DEPTH;
use crate::value::tree::Tree;

/// Constraints of a map or list.
pub(super) struct ContainerRules {
    max_depth: Option<usize>,
    max_length: Option<usize>,
}

impl ContainerRules {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        let rules = Self {
            max_depth: fields.count("max_depth"),
            max_length: fields.count("max_length"),
        };
        if let Some(depth) = rules.max_depth
            && !(1..=MAX_DEPTH).contains(&depth)
        {
            fields.problem(format!("`max_depth` must be from 1 to {MAX_DEPTH}, got {depth}"));
        }
        rules
    }

    pub(super) fn check(&self, tree: &Tree, broken: &mut Vec<String>) {
        if let Some(most) = self.max_depth
            && tree.depth > most
        {
            broken.push(format!("must be at most {most} levels deep, got {}", tree.depth));
        }
        if let Some(most) = self.max_length
            && tree.length > most
        {
            broken.push(format!("must have at most {most} entries, got {}", tree.length));
        }
    }
}
