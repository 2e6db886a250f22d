//! The one integration binary: webox through its doors, and the rules of its source.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stderr, reason = "a test that passes over itself says so")]
#![allow(unreachable_pub, reason = "nothing here is reached from outside")]

mod support;

mod access;
mod afterwards;
mod alerts;
mod alerts_told;
mod api;
mod api_bodies;
mod api_editing;
mod api_events;
mod api_paging;
mod architecture;
mod attacks;
mod bookings;
mod calendars;
mod campaign;
mod campaign_rest;
mod cli_assistants;
mod cli_bench;
mod cli_calls;
mod cli_conventions;
mod cli_demo;
mod cli_settings;
mod cli_sound;
mod contacts;
mod contract;
mod crm;
mod deliveries;
mod desk;
mod durability;
mod ears;
mod edges;
mod embeddings;
mod far;
mod generated;
mod hostile;
mod http_tools;
mod import;
mod keys;
mod knowledge;
mod languages;
mod leaks;
mod ledger;
mod limits;
mod memory;
mod models;
mod mouths;
mod notices;
mod outages;
mod outbound;
mod privacy;
mod providers;
mod provisioning;
mod real;
mod recordings;
mod recordings_heard;
mod rehearsals;
mod relay;
mod remote;
mod schema;
mod screening;
mod secrets;
mod sockets;
mod sounds;
mod stream;
mod transcripts;
mod transfer;
mod transfer_lines;
mod webhooks;
