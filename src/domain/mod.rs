//! What we talk about: plain types and their rules.
//!
//! No I/O, no clock (`now` is always an argument) and nothing of ours above it.
//! Text from outside becomes one of these types at the edge and stays one.

mod account;
mod actor;
mod after;
mod after_call;
mod alert;
mod allowance;
mod analysis;
mod assistant;
mod assistant_phone;
mod assistant_sections;
mod author;
mod availability;
mod backup;
mod booking;
mod booking_resources;
mod booking_rules;
mod call;
mod calling_hours;
mod campaign;
mod cents;
mod closures;
mod compliance;
mod contact;
mod costs;
mod country;
mod data_schema;
mod dataset;
mod deliver;
mod delivery;
mod email_address;
mod emergency;
mod error;
mod event;
mod expected;
mod extract;
mod folding;
mod handover;
mod hearing;
mod hours;
mod http_tool;
mod knowledge;
mod language;
mod languages;
mod latency;
mod ledger;
mod memory;
mod message;
mod model;
mod money;
mod month;
mod name;
mod notice;
mod numbers;
mod outbound;
mod phone;
mod provider;
mod recording;
mod redaction;
mod report;
mod row_number;
mod schema;
mod screening;
mod secret;
mod sid;
pub mod spreadsheet;
mod stats;
mod suggest;
mod text;
mod transcript;
mod transfer;
mod turn;
pub mod when;
mod wiring;
mod wording;
mod words;
mod zone;

pub use account::{Token, TokenId, User, UserId};
pub use actor::{Account, Actor, Sight};
pub use after::{After, LONGEST_SUMMARY, LONGEST_TOPIC, LONGEST_WHY, Rating, Rows};
pub use after_call::{AfterCall, Wanted};
pub use alert::{
    Alert, AlertBounds, AlertChange, AlertChannel, AlertDestination, AlertEvent, AlertFilter,
    AlertId, AlertKind, AlertLanguage, AlertLevel, AlertNotice, AlertNoticeId, AlertPhase,
    AlertRecipient, AlertRule, AlertSeverity, AlertSilence, AlertStanding, AlertState,
    AlertSubject, AlertUnit, SilenceId, WatchedRule, is_quiet, opened, watched,
};
pub use allowance::{Agreed, Allowance, Allowances, AtLimit, Counts, PaidDays};
pub use analysis::{Analysis, CallsCost, DayFigures, Part, Share};
pub use assistant::{Assistant, AssistantId, AssistantSpec, Owner};
pub use assistant_phone::AssistantPhone;
pub use assistant_sections::{Ai, Billing, Fact, Hours, Limits, TwilioAccount, Voice};
pub use author::{ApplyId, Author};
pub use availability::{Availability, Place};
pub use backup::{BackupKeep, BackupManifest, BackupName, BackupPlace, BackupSchedule};
pub use booking::{
    Booked, Booking, BookingFilter, BookingId, BookingKey, BookingRequest, Refusal, Summary,
    Untouched,
};
pub use booking_resources::{BookingResource, BookingService};
pub use booking_rules::{BookingRules, Nights, Party};
pub use call::{Call, CallExtras, CallFilter, CallId, CallPage, CallStatus, EndReason, WholeCall};
pub use calling_hours::CallingHours;
pub use campaign::{
    CallingWindow, Campaign, CampaignCounts, CampaignEntry, CampaignId, CampaignRow, CampaignRowId,
    CampaignTerms, Forecast, MOST_CAMPAIGN_ROWS, Overlap,
};
pub use cents::{Cents, Percent};
pub use closures::{Closure, PublicHolidays};
pub use compliance::Compliance;
pub use contact::{Contact, ContactChange, ContactFilter, ContactId};
pub use costs::{CallCharge, CallCost, Charged, Costs, CostsBy, CostsRow, CostsTotal, LedgerEntry};
pub use country::Country;
pub use data_schema::DataSchema;
pub use dataset::{Cell, Dataset, Field, FieldKind, WhenRedacted};
pub use deliver::Deliver;
pub use delivery::{
    DeliveryFilter, DeliveryId, DeliveryTotals, OutboxDelivery, TRIED_FOR, Trouble, next_try,
};
pub use email_address::EmailAddress;
pub use emergency::{emergency_number, emergency_told};
pub use error::{Error, Kind, Result};
pub use event::{CallEvent, EventId, Happening};
pub use expected::Expected;
pub use extract::Members;
pub use folding::{fold_into, is_combining, same_person};
pub use handover::{Handover, HandoverId, HandoverOutcome};
pub use hearing::Hearing;
pub use hours::{ClockTime, DayHours, OpeningHours, TimeRange, WEEKDAYS, weekday_name};
pub use http_tool::{CALLER_ARGUMENT, HttpTool, ToolMethod};
pub use knowledge::{
    DOCUMENT_ENDINGS, Digest, Document, DocumentPath, Found, FoundBy, KeptDocument,
    MOST_DIMENSIONS, MOST_DOCUMENTS, Passage, Question, Vector, answer, goes_on, is_general,
    knowledge_too_large, merge, nearest, put_texts, rank, root, search_words, split as passages,
};
pub use language::LanguageTag;
pub use latency::{Latency, LatencyBy, Stage, wait_step};
pub use ledger::{
    Cost, Exchange, PriceBook, Rate, Reckoned, TWILIO, Unit, Use, begun_minutes, product_of,
};
pub use memory::{Memory, PastCall, Recollection};
pub use message::{Message, MessageRecording};
pub use model::ModelRef;
pub use money::{Currency, Micros, Money};
pub use month::Month;
pub use name::{AssistantName, SetName};
pub use notice::{MOST_SEGMENTS, Notice, sms_segments};
pub use numbers::{AddressNeed, CountryCode, NumberKind, NumberPattern};
pub use outbound::{
    CallContext, DialTerms, DoNotCall, DoNotCallId, Errand, NewOutbound, Outbound, OutboundCall,
    OutboundId,
};
pub use phone::{Caller, PhoneNumber};
pub use provider::{
    ProviderKind, ProviderStanding, ProviderState, ProvidersOverview, SoundFigures,
};
pub use recording::{KeptRecording, Recording, RecordingConsent, Removable, Removal, RemovalId};
pub use redaction::{redact, redact_numbers};
pub use report::{Report, ReportLanguage};
pub use screening::{Admission, Blocked, Screening};
pub use secret::{KeySource, Secret, SecretRef, WRITTEN_OUT};
pub use sid::{AccountSid, AddressSid, ApiKeySid, BundleSid, CallSid, NumberSid, RecordingSid};
pub use stats::{Breakdown, Stats, StatsBy, StatsRow};
pub use suggest::{did_you_mean, suggestion_hint};
pub use transcript::{
    Snippet, Speaker, TranscriptHit, TranscriptPage, TranscriptQuery, text_roots,
};
pub use transfer::{CallerId, Human, Target, Transfer};
pub use turn::{
    Attempt, Delivery, Heard, Next, Outcome, Reply, TokenUsage, ToolUse, Turn, TurnId, TurnTimings,
};
pub use when::HumanDuration;
pub use wiring::{KeptNumber, Overrides, Wiring, WiringChange};
pub use wording::Wording;
pub use words::{
    AnsweredBy, BargeIn, BookingKind, CallOutcome, CallPurpose, CampaignRowState, CampaignState,
    DeliveryEvent, DeliveryState, DestinationKind, Direction, EarProvider, HolidayHours,
    MailEncryption, OnMachine, OutboundState, Personality, Redaction, Role, SatisfactionRule,
    SatisfactionSource, Scope, SummarySource, VoiceLine, VoiceProvider,
};
pub use zone::ZoneName;
