//! Commands declared in `snakepit.toml`, read and checked when the bridge starts: what is wrong is said then, with
//! the key's name, and not by the first call.
//!
//! ```toml
//! [host_tools.word_count]
//! command = ["wc", "-w"]                     # a program and its arguments, never a shell
//! description = "Counts words."
//! parameters = { text = "str", width = { type = "int", required = false, description = "Columns." } }
//! input = "args"                             # "stdin" (default): a JSON object; "args": {text} in the command
//! output = "text"                            # "json" or "text"; without: JSON if it is JSON, else text
//! timeout = "10s"                            # default 60s
//! max_output = "1MiB"                        # default 1 MiB; also a number of bytes
//! ```

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use toml::{Table, Value};

use super::super::nearest::nearest;
use super::HostFunction;
use super::command::{Input, Output, Program};
use crate::error::{Error, Kind};
use crate::proto::bridge::{ParameterSpec, ToolRegistration};

/// The only table that the file has in this release.
const TABLE: &str = "host_tools";
const KEYS: [&str; 7] = [
    "command",
    "description",
    "parameters",
    "input",
    "output",
    "timeout",
    "max_output",
];
const PARAMETER_KEYS: [&str; 3] = ["type", "required", "description"];
const TYPES: [&str; 7] = ["str", "int", "float", "bool", "list", "dict", "any"];
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);
const DEFAULT_OUTPUT: usize = 1024 * 1024;
/// More than this does not fit a message.
const LARGEST_OUTPUT: usize = 60 * 1024 * 1024;

/// Every declared command, as a tool and the function that runs it.
pub(super) fn read(text: &str, file: &Path) -> Result<Vec<(ToolRegistration, HostFunction)>, Error> {
    let document: Table = text.parse().map_err(|why: toml::de::Error| {
        Error::new(Kind::Config, format!("{} is not TOML", file.display())).detail(why.to_string().trim_end())
    })?;
    known_tables(&document, file)?;
    let Some(tools) = document.get(TABLE) else {
        return Ok(Vec::new());
    };
    let directory = file
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let section = Section {
        file,
        key: TABLE.to_owned(),
    };
    let tools = tools
        .as_table()
        .ok_or_else(|| section.wrong("has to be tables: `[host_tools.NAME]`"))?;
    tools
        .iter()
        .map(|(name, tool)| declare(&section.at(name), name, tool, directory))
        .collect()
}

fn known_tables(document: &Table, file: &Path) -> Result<(), Error> {
    let Some(key) = document.keys().find(|key| *key != TABLE) else {
        return Ok(());
    };
    let error = Error::new(Kind::Config, format!("unknown key `{key}` in {}", file.display()));
    Err(match nearest(key, [TABLE].into_iter()) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint(format!("the file declares host tools, as `[{TABLE}.NAME]`")),
    })
}

/// Where in the file something is, for the message.
struct Section<'a> {
    file: &'a Path,
    key: String,
}

impl Section<'_> {
    fn at(&self, key: &str) -> Self {
        Self {
            file: self.file,
            key: format!("{}.{key}", self.key),
        }
    }

    fn wrong(&self, why: impl std::fmt::Display) -> Error {
        Error::new(Kind::Config, format!("`{}` in {}", self.key, self.file.display())).detail(why.to_string())
    }

    fn known_keys(&self, table: &Table, known: &[&str]) -> Result<(), Error> {
        let Some(key) = table.keys().find(|key| !known.contains(&key.as_str())) else {
            return Ok(());
        };
        let error = self.wrong(format!("unknown key `{key}`"));
        Err(match nearest(key, known.iter().copied()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("the keys are {}", known.join(", "))),
        })
    }

    fn text<'t>(&self, table: &'t Table, key: &str) -> Result<Option<&'t str>, Error> {
        match table.get(key) {
            None => Ok(None),
            Some(value) => value
                .as_str()
                .map(Some)
                .ok_or_else(|| self.at(key).wrong("has to be a text")),
        }
    }
}

fn declare(
    section: &Section<'_>,
    name: &str,
    tool: &Value,
    directory: &Path,
) -> Result<(ToolRegistration, HostFunction), Error> {
    let table = tool
        .as_table()
        .ok_or_else(|| section.wrong("has to be a table"))?;
    section.known_keys(table, &KEYS)?;
    let parameters = parameters(section, table)?;
    let (program, arguments) = command(section, table, directory)?;
    let input = match section.text(table, "input")?.unwrap_or("stdin") {
        "stdin" => Input::Stdin,
        "args" => Input::Arguments,
        other => {
            return Err(section
                .at("input")
                .wrong(format!("`{other}` is neither \"stdin\" nor \"args\"")));
        }
    };
    if matches!(input, Input::Arguments) {
        placeholders(section, &arguments, &parameters)?;
    }
    let output = match section.text(table, "output")? {
        None => Output::Either,
        Some("json") => Output::Json,
        Some("text") => Output::Text,
        Some(other) => {
            return Err(section
                .at("output")
                .wrong(format!("`{other}` is neither \"json\" nor \"text\"")));
        }
    };
    let timeout = match section.text(table, "timeout")? {
        None => DEFAULT_TIMEOUT,
        Some(text) => duration(text).ok_or_else(|| {
            section
                .at("timeout")
                .wrong(format!("`{text}` is no time such as \"500ms\", \"10s\", \"5m\""))
        })?,
    };
    let max_output = bytes(section, table)?;
    let registration = ToolRegistration {
        name: name.to_owned(),
        description: section.text(table, "description")?.unwrap_or_default().to_owned(),
        parameters,
        timeout_ms: u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX),
        ..Default::default()
    };
    let program = Arc::new(Program {
        name: name.to_owned(),
        program,
        arguments,
        directory: directory.to_owned(),
        input,
        output,
        max_output,
    });
    Ok((
        registration,
        Arc::new(move |given, _| Box::pin(Arc::clone(&program).run(given))),
    ))
}

fn command(section: &Section<'_>, table: &Table, directory: &Path) -> Result<(PathBuf, Vec<String>), Error> {
    let section = section.at("command");
    let form = || section.wrong("has to be a list of texts: [\"program\", \"argument\"]; there is no shell");
    let list = table
        .get("command")
        .ok_or_else(|| section.wrong("is missing"))?
        .as_array()
        .ok_or_else(form)?;
    let texts: Option<Vec<String>> = list.iter().map(|word| word.as_str().map(str::to_owned)).collect();
    let mut words = texts.ok_or_else(form)?.into_iter();
    let program = words
        .next()
        .filter(|program| !program.is_empty())
        .ok_or_else(form)?;
    let found = find_program(&program, directory).ok_or_else(|| {
        section.wrong(format!(
            "program `{program}` was not found, or may not be executed"
        ))
    })?;
    Ok((found, words.collect()))
}

/// A name is looked for on PATH, a path from the file's directory.
fn find_program(program: &str, directory: &Path) -> Option<PathBuf> {
    use std::os::unix::fs::PermissionsExt as _;
    let executable = |path: &PathBuf| {
        path.metadata()
            .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    };
    if program.contains('/') {
        return std::path::absolute(directory.join(program))
            .ok()
            .filter(executable);
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(executable)
}

fn parameters(section: &Section<'_>, table: &Table) -> Result<Vec<ParameterSpec>, Error> {
    let Some(parameters) = table.get("parameters") else {
        return Ok(Vec::new());
    };
    let section = section.at("parameters");
    let form = "has to be a table: { text = \"str\" }";
    let table = parameters.as_table().ok_or_else(|| section.wrong(form))?;
    table
        .iter()
        .map(|(name, value)| parameter(&section.at(name), name, value))
        .collect()
}

fn parameter(section: &Section<'_>, name: &str, value: &Value) -> Result<ParameterSpec, Error> {
    let mut spec = ParameterSpec {
        name: name.to_owned(),
        required: true,
        ..Default::default()
    };
    match value {
        Value::String(kind) => spec.r#type.clone_from(kind),
        Value::Table(table) => {
            section.known_keys(table, &PARAMETER_KEYS)?;
            spec.r#type = section.text(table, "type")?.unwrap_or("any").to_owned();
            spec.description = section.text(table, "description")?.unwrap_or_default().to_owned();
            if let Some(required) = table.get("required") {
                spec.required = required
                    .as_bool()
                    .ok_or_else(|| section.at("required").wrong("has to be true or false"))?;
            }
        }
        _ => return Err(section.wrong("has to be a type or a table")),
    }
    if !TYPES.contains(&spec.r#type.as_str()) {
        return Err(section
            .wrong(format!("unknown type `{}`", spec.r#type))
            .hint(format!("the types are {}", TYPES.join(", "))));
    }
    Ok(spec)
}

/// Each `{name}` in the arguments has to be a parameter: a typing error must not reach the program.
fn placeholders(
    section: &Section<'_>,
    arguments: &[String],
    parameters: &[ParameterSpec],
) -> Result<(), Error> {
    let known = || parameters.iter().map(|spec| spec.name.as_str());
    for name in arguments
        .iter()
        .flat_map(|argument| super::command::placeholders(argument))
    {
        if known().any(|parameter| parameter == name) {
            continue;
        }
        let error = section
            .at("command")
            .wrong(format!("`{{{name}}}` is not one of the parameters"));
        return Err(match nearest(name, known()) {
            Some(near) => error.hint(format!("did you mean `{{{near}}}`?")),
            None => error.hint("declare it under `parameters`"),
        });
    }
    Ok(())
}

/// A time such as `500ms`, `10s`, `5m`, `1h`.
fn duration(text: &str) -> Option<Duration> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit())?;
    let number: u64 = text[..digits].parse().ok()?;
    let duration = match text[digits..].trim() {
        "ms" => Duration::from_millis(number),
        "s" => Duration::from_secs(number),
        "m" => Duration::from_secs(number.checked_mul(60)?),
        "h" => Duration::from_secs(number.checked_mul(3600)?),
        _ => return None,
    };
    (!duration.is_zero()).then_some(duration)
}

fn bytes(section: &Section<'_>, table: &Table) -> Result<usize, Error> {
    let Some(value) = table.get("max_output") else {
        return Ok(DEFAULT_OUTPUT);
    };
    let size = match value {
        Value::Integer(bytes) => usize::try_from(*bytes).ok(),
        Value::String(text) => size(text),
        _ => None,
    };
    size.filter(|size| (1..=LARGEST_OUTPUT).contains(size))
        .ok_or_else(|| {
            section
                .at("max_output")
                .wrong("has to be a size such as 65536, \"64KiB\" or \"1MiB\", at most 60 MiB")
        })
}

fn size(text: &str) -> Option<usize> {
    let digits = text
        .find(|letter: char| !letter.is_ascii_digit())
        .unwrap_or(text.len());
    let number: usize = text[..digits].parse().ok()?;
    match text[digits..].trim() {
        "" | "B" => Some(number),
        "KiB" => number.checked_mul(1024),
        "MiB" => number.checked_mul(1024 * 1024),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        let error = read(text, Path::new("/etc/snakepit.toml"))
            .map(|_| ())
            .unwrap_err();
        assert_eq!(error.kind(), Kind::Config);
        format!("{error} {}", error.hints().join(" "))
    }

    #[test]
    fn every_mistake_is_named_with_its_key() {
        for (text, said) in [
            ("[host_tools.a]\ncomand = ['wc']", "did you mean `command`?"),
            (
                "[host_tools.a]",
                "`host_tools.a.command` in /etc/snakepit.toml: is missing",
            ),
            ("[host_tools.a]\ncommand = 'wc -w'", "there is no shell"),
            ("[host_tools.a]\ncommand = []", "there is no shell"),
            (
                "[host_tools.a]\ncommand = ['no-such-program']",
                "program `no-such-program` was not found",
            ),
            (
                "[host_tools.a]\ncommand = ['cat']\ntimeout = 'soon'",
                "`host_tools.a.timeout`",
            ),
            (
                "[host_tools.a]\ncommand = ['cat']\ntimeout = '0s'",
                "`host_tools.a.timeout`",
            ),
            (
                "[host_tools.a]\ncommand = ['cat']\nmax_output = '1 GiB'",
                "at most 60 MiB",
            ),
            (
                "[host_tools.a]\ncommand = ['cat']\nparameters = { x = 'string' }",
                "unknown type `string`",
            ),
            (
                "[host_tools.a]\ncommand = ['cat']\nparameters = { x = { typ = 'str' } }",
                "did you mean `type`?",
            ),
            (
                "[host_tools.a]\ncommand = ['cat', '{txt}']\ninput = 'args'\nparameters = { text = 'str' }",
                "did you mean `{text}`?",
            ),
            ("[host_tools.a]\ncommand = ['cat']\ninput = 'pipe'", "neither"),
            ("host_tools = 3", "has to be tables"),
            ("[host_tools", "is not TOML"),
        ] {
            let found = refused(text);
            assert!(found.contains(said), "{text}: {found}");
        }
    }

    #[test]
    fn a_good_declaration_becomes_a_tool() {
        let text = "[host_tools.count]\ncommand = ['wc', '-w']\ntimeout = '5s'\n\
                    parameters = { text = 'str', n = { type = 'int', required = false, description = 'how many' } }";
        let tools = read(text, Path::new("snakepit.toml")).unwrap();
        let tool = &tools[0].0;
        assert_eq!((tool.name.as_str(), tool.timeout_ms), ("count", 5000));
        assert!(
            tool.parameters
                .iter()
                .any(|spec| spec.name == "n" && !spec.required)
        );
        assert!(
            tool.parameters
                .iter()
                .any(|spec| spec.name == "text" && spec.required)
        );
    }

    #[test]
    fn a_table_that_is_not_known_is_refused_by_name() {
        let refused = read("[host_tool.x]\ncommand = ['true']", Path::new("snakepit.toml"));
        let error = refused.err().unwrap();
        assert_eq!(error.kind(), Kind::Config);
        assert!(error.message().contains("host_tool"), "{error}");
    }
}
