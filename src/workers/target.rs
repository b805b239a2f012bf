//! What a worker serves, as the user typed it: `tools.py`, `package.module`, each with an optional `:Class`.
//!
//! Only names are looked at here; whether Python can import it is for Python to say.

use std::path::{Path, PathBuf};

use crate::error::{Error, Kind, Result};

/// A parsed SPEC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// As typed.
    pub text: String,
    /// The file or the module.
    pub source: Source,
    /// The adapter class, where one is named.
    pub class: Option<String>,
}

/// Where the code is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A path to a Python file.
    File(PathBuf),
    /// A dotted module name.
    Module(String),
}

impl Target {
    /// Reads a SPEC. Fails with `Usage` when it is neither a file that exists nor shaped like a module.
    pub fn parse(text: &str) -> Result<Self> {
        let (path, class) = match text.rsplit_once(':') {
            Some((path, class)) if is_identifier(class) => (path, Some(class.to_owned())),
            _ => (text, None),
        };
        let source = if path.ends_with(".py") || path.contains('/') {
            let file = PathBuf::from(path);
            if !file.is_file() {
                let what = if file.is_dir() {
                    "is a directory"
                } else {
                    "does not exist"
                };
                return Err(Error::new(Kind::Usage, format!("`{path}` {what}"))
                    .hint("name a Python file (`tools.py`) or a module (`package.module`)"));
            }
            Source::File(file)
        } else if !path.is_empty() && path.split('.').all(is_identifier) {
            Source::Module(path.to_owned())
        } else {
            return Err(Error::new(
                Kind::Usage,
                format!("`{text}` is neither a Python file nor a module"),
            )
            .hint("name a Python file (`tools.py`), a module (`package.module`), or either with `:Class`"));
        };
        Ok(Self {
            text: text.to_owned(),
            source,
            class,
        })
    }

    /// The folder from which an environment is looked for: the file's, or the current one for a module.
    pub fn folder(&self) -> PathBuf {
        let folder = match &self.source {
            Source::File(file) => file.parent().filter(|dir| !dir.as_os_str().is_empty()),
            Source::Module(_) => None,
        };
        let folder = folder.unwrap_or(Path::new("."));
        folder.canonicalize().unwrap_or_else(|_| folder.to_owned())
    }

    /// The file, where it is one.
    pub fn file(&self) -> Option<&Path> {
        match &self.source {
            Source::File(file) => Some(file),
            Source::Module(_) => None,
        }
    }

    /// A short name for ids and prefixes: the file's stem or the last part of the module.
    pub fn name(&self) -> String {
        let stem = match &self.source {
            Source::File(file) => file.file_stem().map(|stem| stem.to_string_lossy().into_owned()),
            Source::Module(module) => module.rsplit('.').next().map(str::to_owned),
        };
        let plain = |c: char| {
            if c.is_ascii_alphanumeric() || c == '_' {
                c
            } else {
                '-'
            }
        };
        let name: String = stem.unwrap_or_default().chars().take(32).map(plain).collect();
        if name.is_empty() {
            "worker".to_owned()
        } else {
            name
        }
    }

    /// The SPEC to hand to Python: as typed, or with an absolute path when Python starts in another directory.
    pub fn argument(&self, moved: bool) -> Result<String> {
        let (Source::File(file), true) = (&self.source, moved) else {
            return Ok(self.text.clone());
        };
        let full = std::path::absolute(file)
            .map_err(|cause| Error::io(format!("cannot resolve `{}`", file.display()), &cause))?;
        let class = self
            .class
            .as_ref()
            .map(|class| format!(":{class}"))
            .unwrap_or_default();
        Ok(format!("{}{class}", full.display()))
    }
}

fn is_identifier(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && chars.all(|c| c.is_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_modules_are_told_apart_and_classes_split_off() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("my tools.py");
        std::fs::write(&file, "").unwrap();
        let target = Target::parse(&format!("{}:Adapter", file.display())).unwrap();
        assert_eq!(target.source, Source::File(file.clone()));
        assert_eq!(target.class.as_deref(), Some("Adapter"));
        assert_eq!(target.name(), "my-tools");
        assert_eq!(target.folder(), temp.path().canonicalize().unwrap());
        let target = Target::parse("pkg.mod:Cls").unwrap();
        assert_eq!(
            (target.source, target.class.as_deref()),
            (Source::Module("pkg.mod".into()), Some("Cls"))
        );
    }

    #[test]
    fn what_cannot_be_imported_by_its_shape_is_a_usage_error() {
        for text in ["", "nowhere.py", "a..b", "no/such", "/tmp/", "-x"] {
            assert_eq!(Target::parse(text).unwrap_err().kind(), Kind::Usage, "{text}");
        }
    }
}
