//! What a Python file declares about itself: the `script` block of PEP 723.
//!
//! <https://peps.python.org/pep-0723/>. Only read; whether and how it is met is decided elsewhere.

use std::path::Path;

use serde::Deserialize;

use crate::error::{Error, Kind, Result};

/// Largest file that is searched, in bytes.
const MAX_SCRIPT: u64 = 4 * 1024 * 1024;

const BEGIN: &str = "# /// script";
const END: &str = "# ///";

#[derive(Deserialize)]
struct Block {
    #[serde(default)]
    dependencies: Vec<String>,
}

/// The requirements that a file declares, in pip's words; `None` when it has no block. Fails with `Config` for a block
/// that is no TOML.
pub(super) fn declared(file: &Path) -> Result<Option<Vec<String>>> {
    if std::fs::metadata(file).map_or(true, |found| found.len() > MAX_SCRIPT) {
        return Ok(None);
    }
    let Ok(bytes) = std::fs::read(file) else {
        return Ok(None);
    };
    let Some(text) = block(&String::from_utf8_lossy(&bytes)) else {
        return Ok(None);
    };
    let parsed: Block = toml::from_str(&text).map_err(|cause| {
        Error::new(
            Kind::Config,
            format!(
                "the `script` block of `{}` is not as PEP 723 has it",
                file.display()
            ),
        )
        .detail(cause.message())
    })?;
    Ok(Some(parsed.dependencies))
}

/// The block's TOML without its comment marks; `None` when it is missing or does not end.
fn block(text: &str) -> Option<String> {
    let mut lines = text
        .lines()
        .map(str::trim_end)
        .skip_while(|line| *line != BEGIN)
        .skip(1);
    let mut toml = String::new();
    for line in lines.by_ref() {
        if line == END {
            return Some(toml);
        }
        let content = line.strip_prefix('#')?;
        toml.push_str(content.strip_prefix(' ').unwrap_or(content));
        toml.push('\n');
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_read_only_when_it_is_whole() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("tools.py");
        let numpy = Some(vec!["numpy>=1.24".to_owned()]);
        for (text, found) in [
            (
                "# /// script\n# requires-python = \">=3.10\"\n# dependencies = [\n#   \"numpy>=1.24\",\n# ]\n# ///\nimport numpy\n",
                numpy,
            ),
            (
                "#!/usr/bin/env python\n\n# /// script\n#\n# ///\n",
                Some(Vec::new()),
            ),
            ("# /// script\n# dependencies = []\nimport x\n# ///\n", None),
            ("# /// script\n# dependencies = []\n", None),
            ("text = '# /// script'\n", None),
            ("", None),
        ] {
            std::fs::write(&file, text).unwrap();
            assert_eq!(declared(&file).unwrap(), found, "{text}");
        }
        std::fs::write(&file, "# /// script\n# dependencies = [\n# ///\n").unwrap();
        assert_eq!(declared(&file).unwrap_err().kind(), Kind::Config);
    }
}
