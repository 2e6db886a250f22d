//! What tests share: the command builder, a store with something in it, doubles of providers.

pub(crate) mod api;
pub(crate) mod authority;
pub(crate) mod calendars;
pub(crate) mod cmd;
pub(crate) mod daemon;
pub(crate) mod fake_anthropic;
pub(crate) mod fake_crm;
pub(crate) mod fake_daemon;
pub(crate) mod fake_deepgram;
pub(crate) mod fake_embeddings;
pub(crate) mod fake_google;
pub(crate) mod fake_http;
pub(crate) mod fake_mouths;
pub(crate) mod fake_numbers;
pub(crate) mod fake_openai;
pub(crate) mod fake_s3;
pub(crate) mod fake_smtp;
pub(crate) mod fake_speech;
pub(crate) mod fake_transcriber;
pub(crate) mod fake_twilio;
pub(crate) mod proxy;
pub(crate) mod pty;
pub(crate) mod receiver;
pub(crate) mod seed;
pub(crate) mod stage;
pub(crate) mod talk;
