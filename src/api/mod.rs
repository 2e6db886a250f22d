//! The words of the API: what is asked and answered over HTTP, as types.
//!
//! The daemon writes them, `--server` reads them, and `-o json` prints them: one thing has one name
//! wherever it is met. The OpenAPI document is made from these types. Field names are those of the
//! prototype, with more beside them.

mod account;
mod alert;
mod assistant;
mod assistant_input;
mod audit;
mod billing;
mod booking;
mod call;
mod campaign;
mod contact;
mod costs;
mod delivery;
mod done;
mod event;
mod knowledge;
mod moment;
mod outbound;
mod privacy;
mod problem;
mod providers;
mod provisioning;
mod report;
mod secret;
mod stats;
mod tag;
mod transcript;
mod turn;

pub use account::{Me, OneUser, TokenCreated, TokenRevoked, TokenView, Tokens, UserView, Users};
pub use alert::{
    AlertNoticeView, AlertRuleView, AlertRules, AlertTest, AlertTests, AlertView, Alerts, OneAlert,
    OneSilence, SilenceInput, SilenceView, TestInput,
};
pub use assistant::{AssistantView, Assistants, OneAssistant, Owner};
pub use assistant_input::AssistantInput;
pub use audit::{AuditCheckView, AuditEntryView, AuditLog};
pub use billing::{CloseInput, Invoices, Margins, MonthClosed, OneInvoice, Previews};
pub use booking::{BookingInput, BookingView, Bookings, CalendarFeed, MessageView, OneBooking};
pub use call::{CallView, Calls, OneCall, TransferView};
pub use campaign::{
    CampaignInput, CampaignPreview, CampaignRowInput, CampaignRowView, CampaignRows,
    CampaignStarted, CampaignView, Campaigns, ForecastView, OneCampaign,
};
pub use contact::{ContactView, Contacts, OneContact};
pub use costs::{
    AmountsView, CallCostView, ChargeView, ChargedView, CostsAnswer, CostsRowView, CostsTotalView,
    EntryView,
};
pub use delivery::{Deliveries, DeliveryView, OneDelivery};
pub use done::{Done, Success};
pub use event::EventView;
pub use knowledge::{DocumentInput, Documents, Passages};
pub use moment::Moment;
pub use outbound::{
    CallInput, DoNotCallChanged, DoNotCallInput, DoNotCallList, DoNotCallView, OneOutbound,
    OutboundCalls, OutboundView,
};
pub use privacy::{DossierView, ErasedView, RemovalView, Removals};
pub use problem::Problem;
pub use providers::Providers;
pub use provisioning::{
    Applied, Applies, ApplyInput, ApplyView, BundleFile, Checked, KeptNumbers, NumbersInput,
    PlanInput, Planned, ProblemView, Rehearsal, RehearseInput, RollbackInput, StandingView,
    Standings, ValidateInput, VersionView, Versions,
};
pub use report::OneReport;
pub use secret::{SecretView, Secrets};
pub use stats::{Latencies, Statistics, StatsGroup, StatsView, StatusCount};
pub use tag::{AssistantTag, user_tag};
pub use transcript::Transcripts;
pub use turn::{AttemptView, TurnView};
