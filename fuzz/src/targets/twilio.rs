//! What Twilio, or whoever pretends to be Twilio, sends.

use webox::{
    domain::{LanguageTag, Secret},
    twilio::{
        form::Form,
        handed::{Dialled, HumanLeg, LeftMessage, Transcribed},
        offline, reader, relay, signature, stream,
        twiml::{Gather, Response, Say},
        webhook::{Gathered, Incoming, Recorded, Status, WhoAnswered},
    },
};

use super::text;

/// A webhook's body.
pub fn form_body(data: &[u8]) {
    let Ok(form) = Form::parse(data) else { return };
    assert_eq!(Form::parse(form.encode().as_bytes()).as_ref(), Ok(&form));
    let _ = Incoming::read(&form);
    let _ = Gathered::read(&form);
    let _ = Status::read(&form);
    let _ = Dialled::read(&form);
    let _ = HumanLeg::read(&form);
    let _ = LeftMessage::read(&form);
    let _ = Transcribed::read(&form);
    let _ = Recorded::read(&form);
    let _ = WhoAnswered::read(&form);
}

/// A URL, a form and a signature, by lines.
pub fn signature(data: &[u8]) {
    let text = text(data);
    let mut lines = text.splitn(3, '\n');
    let (url, given) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let form = Form::parse(lines.next().unwrap_or_default().as_bytes()).unwrap_or_default();
    let token = Secret::new("12345");
    let right = signature::sign(&token, url, &form);
    // Whatever is signed is verified; whatever is not, is not.
    let verified = signature::verify(std::slice::from_ref(&token), url, &form, &right);
    assert!(verified || url.contains('#'));
    assert!(!signature::verify(&[Secret::new("54321")], url, &form, &right));
    let _ = signature::verify(&[token], url, &form, given);
}

/// Anything said.
pub fn twiml_text(data: &[u8]) {
    let text = text(data);
    let language = LanguageTag::french();
    let mut gather = Gather::speech(&text, &language);
    gather.hints = vec![text.to_string(); 3];
    gather.prompt = vec![Say::new(&text, &language, None).into()];
    let xml = Response::new()
        .say(Say::new(&text, &language, Some(&text)))
        .gather(gather)
        .hangup()
        .render();
    assert!(reader::read(&xml).is_ok(), "{xml}");
    let _ = reader::read(&text);
}

/// A message of either socket.
pub fn socket_message(data: &[u8]) {
    let text = text(data);
    let _ = relay::FromTwilio::read(&text);
    if let Ok(stream::FromTwilio::Media { media }) = stream::FromTwilio::read(&text) {
        let _ = (media.decode(&mut Vec::new()), media.at_ms());
    }
}

/// An answer of Twilio's REST API, or the certificate of a server.
pub fn twilio_answer(data: &[u8]) {
    let _ = offline::calls(data);
    let _ = offline::numbers(data);
    let _ = offline::prices(data);
    let _ = offline::refusal(400, data);
    let _ = offline::certificate(data);
}
