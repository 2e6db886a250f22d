//! One function a parser: none may panic, whatever the bytes.

pub mod files;
pub mod http;
pub mod providers;
pub mod sound;
pub mod speech;
pub mod twilio;
pub mod values;

fn text(data: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(data)
}
