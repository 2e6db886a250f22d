//! What callers hear whom no assistant talks to: why not, or that nobody is there.

use super::gather;
use crate::{
    conversation::phrases,
    domain::{AssistantSpec, Caller, Country, EndReason, PhoneNumber},
};

/// Why an assistant does not talk to a caller, in its own words.
pub(super) fn declined(
    spec: &AssistantSpec,
    caller: Option<&PhoneNumber>,
    reason: EndReason,
) -> String {
    let language = &spec.voice.first_language(None, caller);
    let phrases = phrases::for_language(language);
    let phrase = match reason {
        EndReason::TooManyCalls => &phrases.too_many_calls,
        EndReason::Flood => &phrases.flood,
        EndReason::PlanLimit => &phrases.plan_limit,
        EndReason::Anonymous => &phrases.anonymous,
        // Not a word: nothing of such a call is paid for.
        EndReason::Blocked | EndReason::Spoofed => return gather::reject(false),
        EndReason::CallerLimit => return gather::reject(true),
        _ => &phrases.disabled,
    };
    let text = phrases::fill(phrase, &[("client", &spec.client)]);
    gather::farewell(Some(spec), language, &text)
}

/// A number that has no assistant.
pub(super) fn nobody_there(to: Option<&PhoneNumber>, raw: &str) -> String {
    tracing::warn!(
        to = to.map_or_else(|| Caller::read(raw).masked(), PhoneNumber::masked),
        "a call to a number that has no assistant"
    );
    let language = Country::language_of(to);
    gather::farewell(None, &language, &phrases::for_language(&language).unknown_number)
}
