//! The words of the API: what is asked and answered over HTTP, as types.
//!
//! The daemon writes them, `--server` reads them, and `-o json` prints them: one thing has one name
//! wherever it is met. The OpenAPI document is made from these types. Field names are those of the
//! prototype, with more beside them.

mod account;
mod assistant;
mod call;
mod guard;
mod moment;
mod problem;
mod provisioning;
mod stats;

pub use account::{
    AuditCheckView, AuditEntryView, AuditLog, Me, SecretView, Secrets, TokenCreated, TokenView,
    Tokens, UserView, Users,
};
pub use assistant::{AssistantInput, AssistantView, Assistants, OneAssistant, Owner};
pub use call::{
    AttemptView, BookingView, Bookings, CallView, Calls, EventView, MessageView, OneCall, TurnView,
};
pub use guard::{Done, DossierView, ErasedView, Success};
pub use moment::Moment;
pub use problem::Problem;
pub use provisioning::{
    Applied, Applies, ApplyInput, ApplyView, BundleFile, Checked, PlanInput, Planned, ProblemView,
    Rehearsal, RehearseInput, RollbackInput, StandingView, Standings, ValidateInput, VersionView,
    Versions,
};
pub use stats::{Statistics, StatsGroup, StatsView, StatusCount};
