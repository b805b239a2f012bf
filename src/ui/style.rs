//! Colours by meaning. A colour never carries what the words do not say.

/// What a piece of text means to its reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// It went wrong.
    Bad,
    /// It went well.
    Good,
    /// It may surprise.
    Warn,
    /// What to do next, names.
    Hint,
    /// Of less weight than what stands beside it.
    Faint,
    /// A heading.
    Strong,
}

impl Ink {
    /// The text, coloured if `on`.
    pub fn paint(self, text: &str, on: bool) -> String {
        if !on {
            return text.to_owned();
        }
        let code = match self {
            Self::Bad => "1;31",
            Self::Good => "32",
            Self::Warn => "1;33",
            Self::Hint => "36",
            Self::Faint => "2",
            Self::Strong => "1",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}
