//! What webox can be asked, by the terminal, the daemon, or an assistant in a call.
//!
//! One function a request: may this actor, is it valid, do it in one transaction with its line in
//! the audit log, say what came of it. Whoever asks, the same checks hold.

pub mod accounts;
pub mod afterwards;
pub mod alerts;
pub mod analysis;
pub mod assistants;
pub mod audit;
pub mod backups;
pub mod billing;
pub mod bookings;
pub mod busy;
pub mod calendars;
pub mod calls;
pub mod campaigns;
pub mod contacts;
pub mod datasets;
pub mod do_not_call;
pub mod doctor;
pub mod endpoints;
pub mod events;
pub mod import;
pub mod invoices;
pub mod knowledge;
pub mod latency;
pub mod ledger;
pub mod live;
pub mod messages;
pub mod numbers;
pub mod observed;
pub mod outbound;
pub mod outbox;
pub mod privacy;
pub mod providers;
pub mod provisioning;
pub mod recordings;
pub mod reminders;
pub mod removals;
pub mod report;
pub mod retention;
pub mod secrets;
pub mod stats;
pub mod transcripts;
