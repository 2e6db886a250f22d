//! `application/x-www-form-urlencoded`, decoded exactly once and strictly: what is not UTF-8 is
//! refused rather than guessed, because a signature is computed over the decoded text.

use std::fmt::Write as _;

/// A voice request of Twilio's has about forty fields.
const MOST_FIELDS: usize = 200;

/// A decoded form: fields in their order, repeated names kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Form {
    fields: Vec<(String, String)>,
}

/// Why a body is not a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// More fields than any request has.
    #[error("the form has more than {MOST_FIELDS} fields")]
    TooManyFields,
    /// A `%` without two hexadecimal digits.
    #[error("the form has a broken percent escape")]
    BrokenEscape,
    /// Bytes that are no text.
    #[error("the form is not UTF-8")]
    NotUtf8,
}

impl Form {
    /// Reads a body or a query.
    pub fn parse(body: &[u8]) -> Result<Self, FormError> {
        let mut fields = Vec::new();
        for field in body.split(|byte| *byte == b'&').filter(|field| !field.is_empty()) {
            if fields.len() == MOST_FIELDS {
                return Err(FormError::TooManyFields);
            }
            let equals = field.iter().position(|byte| *byte == b'=');
            let (name, value) = match equals {
                Some(at) => (&field[..at], &field[at + 1..]),
                None => (field, &[][..]),
            };
            fields.push((decode(name)?, decode(value)?));
        }
        Ok(Self { fields })
    }

    /// A form made of fields.
    pub fn from_fields<N: Into<String>, V: Into<String>>(
        fields: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let fields = fields.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self { fields }
    }

    /// The first value of a name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.fields().find(|(found, _)| *found == name).map(|(_, value)| value)
    }

    /// All fields, in their order.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The form as a body.
    pub fn encode(&self) -> String {
        let mut body = String::new();
        for (name, value) in self.fields() {
            if !body.is_empty() {
                body.push('&');
            }
            encode(name, &mut body);
            body.push('=');
            encode(value, &mut body);
        }
        body
    }
}

fn decode(text: &[u8]) -> Result<String, FormError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || {
                    let byte = rest.next().ok_or(FormError::BrokenEscape)?;
                    (*byte as char).to_digit(16).ok_or(FormError::BrokenEscape)
                };
                (digit()? * 16 + digit()?) as u8
            }
            byte => *byte,
        });
    }
    String::from_utf8(bytes).map_err(|_| FormError::NotUtf8)
}

fn encode(text: &str, body: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'*' => {
                body.push(byte as char);
            }
            b' ' => body.push('+'),
            byte => {
                // Writing to a String cannot fail.
                let _ = write!(body, "%{byte:02X}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_decoded_once() {
        let form = Form::parse(b"A=1&B=d%C3%A9j%C3%A0+vu&C=%257B&D&A=2&=x").unwrap();
        assert_eq!(form.get("B"), Some("déjà vu"));
        assert_eq!(form.get("C"), Some("%7B"), "still escaped once");
        assert_eq!(form.get("D"), Some(""));
        assert_eq!(form.fields().filter(|(name, _)| *name == "A").count(), 2);
    }

    #[test]
    fn rubbish_is_refused_with_its_reason() {
        assert_eq!(Form::parse(b"a=%"), Err(FormError::BrokenEscape));
        assert_eq!(Form::parse(b"a=%G1"), Err(FormError::BrokenEscape));
        assert_eq!(Form::parse(b"a=%FF"), Err(FormError::NotUtf8));
        assert_eq!(Form::parse(&b"a=1&".repeat(201)), Err(FormError::TooManyFields));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(body: Vec<u8>) {
            let _ = Form::parse(&body);
        }

        #[test]
        fn what_is_encoded_reads_back(fields in proptest::collection::vec((".{0,20}", ".{0,50}"), 0..20)) {
            let form = Form::from_fields(fields);
            proptest::prop_assert_eq!(Form::parse(form.encode().as_bytes()).unwrap(), form);
        }
    }
}
