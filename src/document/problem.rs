//! One mistake in a file, with its place. A source line is shown only where no secret can stand in it.

use std::{fmt, ops::Range};

/// Where in a file something stands, and the line itself as far as it may be shown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// How many characters of the line it takes.
    pub width: usize,
    /// The line; nothing when a secret may stand in it.
    pub excerpt: Option<String>,
}

/// Another place that a mistake is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elsewhere {
    /// The file.
    pub file: String,
    /// Where in it.
    pub place: Option<Place>,
    /// What it has to do with it.
    pub label: String,
}

/// One mistake in a file, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file as the user named it.
    pub file: String,
    /// Where, when the mistake has a place.
    pub place: Option<Place>,
    /// What is wrong.
    pub message: String,
    /// What to do about it, when known.
    pub hint: Option<String>,
    /// The other side of a contradiction.
    pub also: Option<Elsewhere>,
}

impl Problem {
    /// A mistake of a whole file.
    pub fn of_file(file: &str, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), place: None, message: message.into(), hint: None, also: None }
    }

    /// A mistake at a byte of a file's text.
    pub fn at(file: &str, text: &str, byte: usize, message: impl Into<String>) -> Self {
        Self::on(file, text, byte..byte, message)
    }

    /// A mistake in a part of a file's text.
    pub fn on(file: &str, text: &str, span: Range<usize>, message: impl Into<String>) -> Self {
        Self { place: Some(Place::of(text, &span)), ..Self::of_file(file, message) }
    }

    /// Adds what to do about it, if there is something to say.
    #[must_use]
    pub fn maybe_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint.or(self.hint);
        self
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        self.maybe_hint(Some(hint.into()))
    }

    /// Names the other side.
    #[must_use]
    pub fn and(mut self, file: &str, place: Option<Place>, label: impl Into<String>) -> Self {
        self.also = Some(Elsewhere { file: file.to_owned(), place, label: label.into() });
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(place) = &self.place {
            write!(f, ":{}:{}", place.line, place.column)?;
        }
        write!(f, ": {}", self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

/// Words in a key that say that its value is nobody's business.
const SECRET_WORDS: [&str; 6] = ["key", "token", "secret", "password", "passwd", "credential"];

impl Place {
    /// The place of a part of a text.
    pub fn of(text: &str, span: &Range<usize>) -> Self {
        let mut start = span.start.min(text.len());
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        // A key inside of braces begins, for the parser, with the blank before it.
        while start < span.end && text[start..].starts_with([' ', '\t']) {
            start += 1;
        }
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let rest = &text[line_start..];
        let line_end = rest.find('\n').map_or(text.len(), |at| line_start + at);
        let line = text[line_start..line_end].trim_end_matches('\r');
        let end = span.end.clamp(start, (line_start + line.len()).max(start));
        let width = text.get(start..end).map_or(0, |part| part.chars().count()).max(1);
        Self {
            line: text[..start].matches('\n').count() + 1,
            column: text[line_start..start].chars().count() + 1,
            width,
            excerpt: showable(line),
        }
    }

    /// The line only up to its value: the key is what is wrong, and the value may be anything.
    pub(super) fn without_value(mut self) -> Self {
        if let Some(line) = &mut self.excerpt
            && !line.trim_start().starts_with('[')
        {
            let key: String = line.chars().take(self.column - 1 + self.width).collect();
            *line = format!("{} = …", key.trim_end());
        }
        self
    }
}

/// A line as it may be shown: not at all when its key sounds like a secret, and without what looks
/// like one. Columns stay where they are.
fn showable(line: &str) -> Option<String> {
    const LONGEST: usize = 200;
    // Without a sign of either kind the whole line is taken for a key.
    let key = line.split(['=', ':']).next().unwrap_or_default().to_lowercase();
    if SECRET_WORDS.iter().any(|word| key.contains(word)) {
        return None;
    }
    let mut shown = String::with_capacity(line.len());
    let mut word = String::new();
    let end_word = |word: &mut String, shown: &mut String| {
        let letters = word.chars().any(|c| c.is_ascii_alphabetic());
        let digits = word.chars().filter(char::is_ascii_digit).count();
        let known = ["sk-", "sk_", "pk-", "ghp_"].iter().any(|start| word.starts_with(start));
        if known || (word.len() >= 16 && letters && digits >= 3) {
            shown.extend(std::iter::repeat_n('*', word.len()));
        } else {
            shown.push_str(word);
        }
        word.clear();
    };
    for c in line.chars().take(LONGEST) {
        if c.is_ascii_alphanumeric() || c == '_' || c == '-' {
            word.push(c);
        } else {
            end_word(&mut word, &mut shown);
            shown.push(if c == '\t' { ' ' } else { c });
        }
    }
    end_word(&mut word, &mut shown);
    Some(shown)
}
