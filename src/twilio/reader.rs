//! Reading TwiML as Twilio would: for rehearsals and tests, which follow it.

use std::collections::BTreeMap;

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

/// Where a `<Connect>` leads: an address, and what is given along.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Endpoint {
    /// The socket's address.
    pub url: String,
    /// Every attribute, `url` among them.
    pub attributes: BTreeMap<String, String>,
    /// The attributes of each `<Language>`.
    pub languages: Vec<BTreeMap<String, String>>,
    /// What each `<Parameter>` gives along.
    pub parameters: BTreeMap<String, String>,
}

impl Endpoint {
    /// What an attribute says.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }
}

/// What a `<Connect>` connects to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Noun {
    /// `<Stream>`: sound.
    Stream(Endpoint),
    /// `<ConversationRelay>`: text.
    Relay(Endpoint),
}

impl Noun {
    fn endpoint(&mut self) -> &mut Endpoint {
        match self {
            Self::Stream(endpoint) | Self::Relay(endpoint) => endpoint,
        }
    }
}

/// A `<Connect>` as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connect {
    /// Where the outcome goes; the verbs after it otherwise.
    pub action: Option<String>,
    /// What to; nothing for a noun that this reader does not know.
    pub to: Option<Noun>,
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
        /// The addresses of sounds that are played first.
        plays: Vec<String>,
    },
    /// `<Play>`: the sound's address.
    Play(String),
    /// `<Connect>`: the call goes on over a socket, until that is closed.
    Connect(Connect),
    /// `<Redirect>`
    Redirect(String),
    /// `<Dial>`
    Dial {
        /// Whom.
        number: String,
        /// Where the outcome goes.
        action: Option<String>,
        /// The number that the human sees.
        caller_id: Option<String>,
        /// What the human hears first.
        whisper: Option<String>,
    },
    /// `<Record>`
    Record {
        /// Where the message goes.
        action: String,
        /// Where it is told that it is ready.
        ready: Option<String>,
        /// Where its words go.
        words: Option<String>,
    },
    /// `<Pause>`, in seconds.
    Pause(u32),
    /// `<Hangup>`
    Hangup,
    /// `<Reject>`
    Reject,
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

fn attributes(start: &BytesStart<'_>) -> Result<BTreeMap<String, String>, TwimlError> {
    let malformed = |error: &dyn std::fmt::Display| TwimlError::Malformed(error.to_string());
    let mut read = BTreeMap::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| malformed(&error))?;
        let value = quick_xml::escape::unescape(&attribute.value);
        let value = value.map_err(|error| malformed(&error))?.into_owned();
        read.insert(attribute.key.as_ref().to_owned(), value);
    }
    Ok(read)
}

fn endpoint(start: &BytesStart<'_>) -> Result<Endpoint, TwimlError> {
    let attributes = attributes(start)?;
    let url = attributes.get("url").cloned().unwrap_or_default();
    Ok(Endpoint { url, attributes, ..Endpoint::default() })
}

fn attribute(start: &BytesStart<'_>, name: &str) -> Result<Option<String>, TwimlError> {
    Ok(attributes(start)?.remove(name))
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
            plays: Vec::new(),
        }),
        (Some("Gather"), "Play") => {
            if let Some(Verb::Gather { plays, .. }) = verbs.last_mut() {
                plays.push(String::new());
            }
        }
        (Some("Gather"), "Say") => {
            let said = said(start)?;
            if let Some(Verb::Gather { prompts, .. }) = verbs.last_mut() {
                prompts.push(said);
            }
        }
        (Some("Response"), "Play") => verbs.push(Verb::Play(String::new())),
        (Some("Response"), "Connect") => {
            verbs.push(Verb::Connect(Connect { action: attribute(start, "action")?, to: None }));
        }
        (Some("Connect" | "ConversationRelay" | "Stream"), _) => {
            if let Some(Verb::Connect(connect)) = verbs.last_mut() {
                within(connect, name, start)?;
            }
        }
        (Some("Response"), "Redirect") => verbs.push(Verb::Redirect(String::new())),
        (Some("Response"), "Dial") => {
            verbs.push(Verb::Dial {
                number: String::new(),
                action: attribute(start, "action")?,
                caller_id: attribute(start, "callerId")?,
                whisper: None,
            });
        }
        (Some("Dial"), "Number") => {
            let url = attribute(start, "url")?;
            if let Some(Verb::Dial { whisper, .. }) = verbs.last_mut() {
                *whisper = url;
            }
        }
        (Some("Response"), "Record") => verbs.push(Verb::Record {
            action: attribute(start, "action")?.unwrap_or_default(),
            ready: attribute(start, "recordingStatusCallback")?,
            words: attribute(start, "transcribeCallback")?,
        }),
        (Some("Response"), "Pause") => {
            let length = attribute(start, "length")?.and_then(|length| length.parse().ok());
            verbs.push(Verb::Pause(length.unwrap_or(1)));
        }
        (Some("Response"), "Hangup") => verbs.push(Verb::Hangup),
        (Some("Response"), "Reject") => verbs.push(Verb::Reject),
        (Some("Response"), "Start") => verbs.push(Verb::Start),
        (Some("Response"), other) => verbs.push(Verb::Other(other.to_owned())),
        _ => {}
    }
    Ok(())
}

/// What stands in a `<Connect>`, at either depth.
fn within(connect: &mut Connect, name: &str, start: &BytesStart<'_>) -> Result<(), TwimlError> {
    let noun = connect.to.as_mut().map(Noun::endpoint);
    match (name, noun) {
        ("Stream", None) => connect.to = Some(Noun::Stream(endpoint(start)?)),
        ("ConversationRelay", None) => connect.to = Some(Noun::Relay(endpoint(start)?)),
        ("Language", Some(noun)) => noun.languages.push(attributes(start)?),
        ("Parameter", Some(noun)) => {
            let mut given = attributes(start)?;
            let mut take = |name| given.remove(name).unwrap_or_default();
            noun.parameters.insert(take("name"), take("value"));
        }
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
        ([_, "Gather", "Play"], Some(Verb::Gather { plays, .. })) => {
            if let Some(play) = plays.last_mut() {
                read.clone_into(play);
            }
        }
        ([_, "Play"], Some(Verb::Play(url))) | ([_, "Redirect"], Some(Verb::Redirect(url))) => {
            read.clone_into(url);
        }
        ([_, "Dial", "Number"], Some(Verb::Dial { number, .. })) => read.clone_into(number),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connect(xml: &str) -> (Connect, Vec<Verb>) {
        let mut verbs = read(xml).unwrap();
        let at = verbs.iter().position(|verb| matches!(verb, Verb::Connect(_))).unwrap();
        let Verb::Connect(connect) = verbs.remove(at) else { panic!("a connect") };
        (connect, verbs)
    }

    #[test]
    fn a_relay_is_read_with_its_languages_and_parameters() {
        let (connect, rest) = connect(
            r#"<?xml version="1.0" encoding="UTF-8"?><Response>
                <Start><Recording recordingStatusCallback="https://x.test/r"/></Start>
                <Say language="fr-FR">Cet appel est enregistré.</Say>
                <Connect action="https://x.test/resume?call_sid=CA1&amp;turn=2" method="POST">
                  <ConversationRelay url="wss://x.test/relay" welcomeGreeting="Bonjour &amp; bienvenue&#160;!"
                      welcomeGreetingInterruptible="none">
                    <Language code="fr-FR" voice="Lea-Neural"/><Language code="en-US"/>
                    <Parameter name="token" value="t&lt;1"/>
                  </ConversationRelay>
                </Connect>
                <Redirect method="POST">https://x.test/resume?a=1&amp;b=2</Redirect>
            </Response>"#,
        );
        assert_eq!(connect.action.as_deref(), Some("https://x.test/resume?call_sid=CA1&turn=2"));
        let Some(Noun::Relay(relay)) = connect.to else { panic!("a relay") };
        assert_eq!(relay.url, "wss://x.test/relay");
        assert_eq!(relay.attribute("welcomeGreeting"), Some("Bonjour & bienvenue\u{a0}!"));
        assert_eq!(relay.attribute("welcomeGreetingInterruptible"), Some("none"));
        assert_eq!(relay.languages.len(), 2);
        assert_eq!(relay.languages[0]["voice"], "Lea-Neural");
        assert_eq!(relay.parameters["token"], "t<1");
        let redirect = Verb::Redirect("https://x.test/resume?a=1&b=2".to_owned());
        assert_eq!((rest.len(), &rest[0], &rest[2]), (3, &Verb::Start, &redirect));
    }

    #[test]
    fn a_stream_is_read_and_what_is_unknown_is_passed_over() {
        let (stream, _) = connect(
            r#"<Response><Play>https://x.test/a.wav</Play><Connect><Stream url="wss://x.test/s">
                <Parameter name="token" value="t"/><Parameter name="n" value="2"/></Stream></Connect>
            </Response>"#,
        );
        let Some(Noun::Stream(endpoint)) = stream.to else { panic!("a stream") };
        assert_eq!((endpoint.url.as_str(), endpoint.parameters.len()), ("wss://x.test/s", 2));
        let (other, rest) = connect(
            r#"<Response><Connect action="/x"><VirtualAgent connectorName="x"><Parameter name="a"
                value="b"/></VirtualAgent></Connect><Play>/a.wav</Play></Response>"#,
        );
        assert_eq!(other, Connect { action: Some("/x".to_owned()), to: None });
        assert_eq!(rest, [Verb::Play("/a.wav".to_owned())]);
    }
}
