//! Constraints of strings, choices and modules. Length counts code points, as Python does. It must never compile a
//! pattern when a value is checked.

use regex::Regex;

use super::fields::Fields;
use crate::value::quoted::clip;
use crate::value::text::is_module_path;

/// How many members of a set a message lists.
const LISTED: usize = 20;

/// Constraints of a string.
pub(super) struct StringRules {
    min_length: Option<usize>,
    max_length: Option<usize>,
    pattern: Option<Regex>,
    members: Option<Vec<String>>,
}

impl StringRules {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        let mut rules = Self {
            min_length: fields.count("min_length"),
            max_length: fields.count("max_length"),
            pattern: fields.pattern("pattern"),
            members: None,
        };
        if let (Some(min), Some(max)) = (rules.min_length, rules.max_length)
            && min > max
        {
            fields.problem(format!("`min_length` {min} is above `max_length` {max}"));
        }
        let members = fields.texts("enum");
        if members
            .as_deref()
            .is_some_and(|members| !members.iter().any(|member| rules.allows(member)))
        {
            fields.problem("`enum` has no entry that meets the other constraints");
        }
        rules.members = members;
        rules
    }

    fn allows(&self, text: &str) -> bool {
        let mut broken = Vec::new();
        self.check(text, &mut broken);
        broken.is_empty()
    }

    pub(super) fn check(&self, text: &str, broken: &mut Vec<String>) {
        if self.min_length.is_some() || self.max_length.is_some() {
            let length = text.chars().count();
            if let Some(min) = self.min_length
                && length < min
            {
                broken.push(format!("must be at least {min} characters, got {length}"));
            }
            if let Some(max) = self.max_length
                && length > max
            {
                broken.push(format!("must be at most {max} characters, got {length}"));
            }
        }
        check_pattern(self.pattern.as_ref(), text, broken);
        if let Some(members) = &self.members {
            check_member(members, text, "must be one of", broken);
        }
    }
}

/// The members of a choice.
pub(super) struct ChoiceRules {
    choices: Option<Vec<String>>,
}

impl ChoiceRules {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            choices: fields.texts("choices"),
        }
    }

    pub(super) fn check(&self, text: &str, broken: &mut Vec<String>) {
        if let Some(choices) = &self.choices {
            check_member(choices, text, "must be one of", broken);
        }
    }
}

/// Constraints of a module. With a namespace, entries of the list and values that are in the list may be written
/// whole or relative to it.
pub(super) struct ModuleRules {
    allowed: Option<Vec<String>>,
    namespace: Option<String>,
    pattern: Option<Regex>,
}

impl ModuleRules {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        let (choices, modules) = (fields.texts("choices"), fields.texts("allowed_modules"));
        if choices.is_some() && modules.is_some() {
            fields
                .problem("`choices` and `allowed_modules` are two names of one constraint: give one of them");
        }
        let mut rules = Self {
            allowed: None,
            namespace: fields.text("namespace"),
            pattern: fields.pattern("pattern"),
        };
        for name in rules
            .namespace
            .iter()
            .chain(choices.iter().flatten())
            .chain(modules.iter().flatten())
        {
            if !is_module_path(name) {
                fields.problem(format!("`{}` is not a module path", clip(name)));
            }
        }
        let allowed = choices.or(modules);
        let met = |name: &String| {
            let mut broken = Vec::new();
            check_pattern(rules.pattern.as_ref(), name, &mut broken);
            check_pattern(rules.pattern.as_ref(), &rules.whole(name), &mut broken);
            broken.len() < 2
        };
        if rules.pattern.is_some() && allowed.as_deref().is_some_and(|names| !names.iter().any(met)) {
            fields.problem("`pattern` matches none of the allowed modules");
        }
        rules.allowed = allowed;
        rules
    }

    /// The name with its namespace in front.
    fn whole(&self, name: &str) -> String {
        match &self.namespace {
            Some(namespace) if !is_within(name, namespace) => format!("{namespace}.{name}"),
            _ => name.to_owned(),
        }
    }

    pub(super) fn check(&self, name: &str, broken: &mut Vec<String>) {
        match (&self.allowed, &self.namespace) {
            (Some(allowed), _) => {
                let whole = self.whole(name);
                if !allowed.iter().any(|entry| self.whole(entry) == whole) {
                    broken.push(format!("must be one of the allowed modules: {}", list(allowed)));
                }
            }
            (None, Some(namespace)) if !is_within(name, namespace) => {
                broken.push(format!(
                    "must be in namespace `{}`, got `{}`",
                    clip(namespace),
                    clip(name)
                ));
            }
            _ => {}
        }
        check_pattern(self.pattern.as_ref(), name, broken);
    }
}

fn is_within(name: &str, namespace: &str) -> bool {
    name.strip_prefix(namespace)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn check_pattern(pattern: Option<&Regex>, text: &str, broken: &mut Vec<String>) {
    if let Some(pattern) = pattern
        && !pattern.is_match(text)
    {
        broken.push(format!("must match pattern: {}", clip(pattern.as_str())));
    }
}

fn check_member(members: &[String], text: &str, words: &str, broken: &mut Vec<String>) {
    if !members.iter().any(|member| member == text) {
        broken.push(format!("{words}: {}", list(members)));
    }
}

fn list(members: &[String]) -> String {
    let mut out: Vec<_> = members.iter().take(LISTED).map(|member| clip(member)).collect();
    if members.len() > LISTED {
        out.push(format!("and {} more", members.len() - LISTED).into());
    }
    out.join(", ")
}
