//! Reading TwiML as Twilio would: for rehearsals and tests, which follow it.

use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};

/// A `<Say>` as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The words.
    pub text: String,
    /// Their language.
    pub language: Option<String>,
}

/// A verb as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verb {
    /// `<Say>`
    Say(Said),
    /// `<Gather>`
    Gather {
        /// Where what is heard goes.
        action: String,
        /// Spoken first.
        prompts: Vec<Said>,
    },
    /// `<Redirect>`
    Redirect(String),
    /// `<Dial>`
    Dial {
        /// Whom.
        number: String,
        /// Where the outcome goes.
        action: Option<String>,
    },
    /// `<Pause>`, in seconds.
    Pause(u32),
    /// `<Hangup>`
    Hangup,
    /// `<Start>`: something that goes on beside what follows.
    Start,
    /// A verb that this reader does not follow.
    Other(String),
}

/// Why a document is not TwiML.
#[derive(Debug, thiserror::Error)]
pub enum TwimlError {
    /// Not well-formed.
    #[error("the TwiML is not well-formed: {0}")]
    Malformed(String),
    /// The root is not `<Response>`.
    #[error("the TwiML has no <Response>")]
    NoResponse,
}

/// Reads a document.
pub fn read(xml: &str) -> Result<Vec<Verb>, TwimlError> {
    let malformed = |error: &dyn std::fmt::Display| TwimlError::Malformed(error.to_string());
    let mut reader = Reader::from_str(xml);
    reader.config_mut().check_end_names = true;
    let mut path: Vec<String> = Vec::new();
    let mut verbs = Vec::new();
    let mut text = String::new();
    let mut rooted = false;
    loop {
        match reader.read_event().map_err(|error| malformed(&error))? {
            Event::Eof if !path.is_empty() => return Err(malformed(&"it ends too soon")),
            Event::Eof => break,
            Event::Start(start) => {
                let name = start.name().as_ref().to_owned();
                if path.is_empty() {
                    if rooted || name != "Response" {
                        return Err(TwimlError::NoResponse);
                    }
                    rooted = true;
                } else {
                    open(&mut verbs, &path, &name, &start)?;
                }
                text.clear();
                path.push(name);
            }
            Event::Empty(start) => {
                let name = start.name().as_ref().to_owned();
                open(&mut verbs, &path, &name, &start)?;
            }
            Event::Text(part) => {
                text.push_str(&part);
            }
            Event::GeneralRef(reference) => {
                let name: &str = &reference;
                let resolved =
                    match reference.resolve_char_ref().map_err(|error| malformed(&error))? {
                        Some(c) => c.to_string(),
                        None => quick_xml::escape::resolve_predefined_entity(name)
                            .ok_or_else(|| malformed(&format!("unknown entity &{name};")))?
                            .to_owned(),
                    };
                text.push_str(&resolved);
            }
            Event::End(_) => {
                close(&mut verbs, &path, &text);
                text.clear();
                path.pop();
            }
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
            Event::CData(_) | Event::DocType(_) => {
                return Err(malformed(&"we write none of these"));
            }
        }
    }
    if rooted { Ok(verbs) } else { Err(TwimlError::NoResponse) }
}

fn attribute(start: &BytesStart<'_>, name: &str) -> Result<Option<String>, TwimlError> {
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| TwimlError::Malformed(error.to_string()))?;
        if attribute.key.as_ref() == name {
            let value = quick_xml::escape::unescape(&attribute.value)
                .map_err(|error| TwimlError::Malformed(error.to_string()))?;
            return Ok(Some(value.into_owned()));
        }
    }
    Ok(None)
}

fn open(
    verbs: &mut Vec<Verb>,
    path: &[String],
    name: &str,
    start: &BytesStart<'_>,
) -> Result<(), TwimlError> {
    let said = |start: &BytesStart<'_>| -> Result<Said, TwimlError> {
        Ok(Said { text: String::new(), language: attribute(start, "language")? })
    };
    match (path.last().map(String::as_str), name) {
        (Some("Response"), "Say") => verbs.push(Verb::Say(said(start)?)),
        (Some("Response"), "Gather") => verbs.push(Verb::Gather {
            action: attribute(start, "action")?.unwrap_or_default(),
            prompts: Vec::new(),
        }),
        (Some("Gather"), "Say") => {
            let said = said(start)?;
            if let Some(Verb::Gather { prompts, .. }) = verbs.last_mut() {
                prompts.push(said);
            }
        }
        (Some("Response"), "Redirect") => verbs.push(Verb::Redirect(String::new())),
        (Some("Response"), "Dial") => {
            verbs.push(Verb::Dial { number: String::new(), action: attribute(start, "action")? });
        }
        (Some("Response"), "Pause") => {
            let length = attribute(start, "length")?.and_then(|length| length.parse().ok());
            verbs.push(Verb::Pause(length.unwrap_or(1)));
        }
        (Some("Response"), "Hangup") => verbs.push(Verb::Hangup),
        (Some("Response"), "Start") => verbs.push(Verb::Start),
        (Some("Response"), other) => verbs.push(Verb::Other(other.to_owned())),
        _ => {}
    }
    Ok(())
}

fn close(verbs: &mut [Verb], path: &[String], read: &str) {
    let names: Vec<&str> = path.iter().map(String::as_str).collect();
    match (names.as_slice(), verbs.last_mut()) {
        ([_, "Say"], Some(Verb::Say(said))) => read.clone_into(&mut said.text),
        ([_, "Gather", "Say"], Some(Verb::Gather { prompts, .. })) => {
            if let Some(said) = prompts.last_mut() {
                read.clone_into(&mut said.text);
            }
        }
        ([_, "Redirect"], Some(Verb::Redirect(url))) => read.clone_into(url),
        ([_, "Dial", "Number"], Some(Verb::Dial { number, .. })) => read.clone_into(number),
        _ => {}
    }
}
