//! webox answers telephone calls with assistants: one binary, one SQLite file.
//!
//! This is the map of the house. Each module is one room; a room uses rooms below it, never one
//! above and never one beside it. Each outside crate is kept to one room. `tests/architecture.rs`
//! holds both against the source; `ARCHITECTURE.md` tells the life of a call and of a command.
//!
//! ```text
//! doors          cli            the terminal: arguments, prompts, tables
//!                rehearsal      a caller without a phone, for `demo`, `try` and `bench`
//!                server         the daemon: webhooks, the REST API, health
//!
//! the live call  line           how a conversation travels: speech to TwiML and back
//!                conversation   what was heard goes in, what to say and do comes out
//!
//! requests       api            the words of the API: what is asked and answered, as types
//!                operations     one function for each thing webox can be asked
//!                provision      assistants as TOML files
//!                billing        prices, plans, and what a client owes for a month by them
//!
//! outside world  store          SQLite: the only room with SQL
//!                twilio         Twilio's own words: signature, TwiML, webhooks
//!                providers      language models, ears and mouths, one file a vendor
//!                integrations   requests to addresses that files name, and to no others
//!
//! ground         vault          secrets at rest: sealed, and of no use without the master key
//!                config         flags, environment, `webox.toml`, defaults
//!                audio          sound as numbers: μ-law, WAV, who speaks
//!                document       TOML that people write, and every mistake in it
//!                files          files that are there whole or not at all
//!                domain         what we talk about: plain types, no I/O, no clock
//! ```
//!
//! A newcomer's minute: a command is in `cli/X.rs`, what it does in `operations/X.rs`, its rows in
//! `store/X.rs`, its words in `domain/X.rs`, its page in `man/`. The same X.

pub mod api;
pub mod audio;
pub mod billing;
pub mod cli;
pub mod config;
pub mod conversation;
pub mod document;
pub mod domain;
pub mod files;
pub mod integrations;
pub mod line;
pub mod operations;
pub mod providers;
pub mod provision;
pub mod rehearsal;
pub mod server;
pub mod store;
pub mod twilio;
pub mod vault;
