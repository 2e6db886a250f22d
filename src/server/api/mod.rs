//! The REST API. Each route names its operation; who may do it is decided there.

mod accounts;
mod alerts;
mod assistants;
mod audit;
mod auth;
mod billing;
mod bodies;
mod bookings;
mod calls;
mod campaigns;
mod contacts;
mod costs;
mod datasets;
mod deliveries;
mod document;
mod events;
mod extract;
mod failure;
mod idempotency;
mod invoices;
mod knowledge;
mod objects;
mod outbound;
mod parameters;
mod privacy;
mod providers;
mod provisioning;
mod recordings;
mod rehearse;
mod report;
mod secrets;
mod stats;
mod tags;
mod transcripts;

use std::sync::Arc;

use aide::{
    axum::{
        ApiRouter,
        routing::{delete_with, get_with, post_with, put_with},
    },
    openapi::{Info, OpenApi},
};
use axum::{
    Router,
    extract::Request,
    http::header,
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use document::told;

use super::{App, tarpit};
use crate::domain::{Error, Result};

pub(super) use events::tell_of_events;
pub(super) use parameters::Cursor;
pub(super) use provisioning::load as load_bundle;

/// All routes that need a key, and the document that tells of them. Each names the statuses that it
/// may refuse with besides those of all.
#[rustfmt::skip]
fn routes() -> (Router<App>, OpenApi) {
    aide::generate::extract_schemas(true);
    // Schemas are made from types; what aide has doubts about are empty ones.
    aide::generate::on_error(|error| tracing::debug!(%error, "the OpenAPI document"));
    aide::generate::infer_responses(true);
    let routes = ApiRouter::<App>::new()
        .api_route("/validate", post_with(provisioning::validate, told("validateFiles", "Check files of assistants", &[413, 415])))
        .api_route("/plan", post_with(provisioning::plan, told("planFiles", "What applying files would change", &[413, 415, 422])))
        .api_route("/apply", post_with(provisioning::apply, told("applyFiles", "Make the store as files or a plan say: all of it or nothing", &[403, 404, 409, 413, 415, 422])))
        .api_route("/plan/numbers", post_with(provisioning::look_at_numbers, told("planNumbers", "How the numbers of a plan that webox keeps connected are wired at Twilio", &[403, 413, 415, 422, 503])))
        .api_route("/apply/numbers", post_with(provisioning::connect_numbers, told("applyNumbers", "Connect the numbers that a plan keeps connected, once it was applied", &[403, 413, 415, 422, 503])))
        .api_route("/assistants",
            get_with(assistants::list, told("listAssistants", "All assistants, by name", &[]))
            .post_with(assistants::create, told("createAssistant", "Add an assistant", &[403, 404, 409, 413, 415, 422])))
        .api_route("/assistants/{id}",
            get_with(assistants::show, told("getAssistant", "One assistant", &[404]))
            .put_with(assistants::change, told("changeAssistant", "Change an assistant: what is left out stays", &[403, 404, 409, 412, 413, 415]))
            .delete_with(assistants::delete, told("deleteAssistant", "Take an assistant out of service for good; its calls stay", &[403, 404, 412])))
        .api_route("/assistants/{id}/enable", post_with(assistants::enable, told("enableAssistant", "Let an assistant answer", &[403, 404, 409, 412, 413, 422])))
        .api_route("/assistants/{id}/disable", post_with(assistants::disable, told("disableAssistant", "Let an assistant no longer answer", &[403, 404, 409, 412, 413, 422])))
        .api_route("/assistants/{id}/toggle", post_with(assistants::toggle, told("toggleAssistant", "Switch an assistant over", &[403, 404, 409, 412, 413, 422])))
        .api_route("/assistants/{id}/owner", post_with(assistants::hand_over, told("giveAssistant", "Hand an assistant over to a user", &[403, 404, 409, 412, 413, 415, 422])))
        .api_route("/assistants/{id}/history", get_with(assistants::history, told("getAssistantHistory", "Every version of an assistant, newest first", &[404])))
        .api_route("/assistants/{id}/rollback", post_with(assistants::rollback, told("rollBackAssistant", "Take an assistant back to an earlier version", &[403, 404, 409, 412, 413, 415, 422])))
        .api_route("/assistants/{id}/rehearse", post_with(rehearse::rehearse, told("rehearseAssistant", "How an assistant would answer; nothing is kept", &[403, 404, 413, 415])))
        .api_route("/assistants/{id}/knowledge", get_with(knowledge::documents, told("getKnowledge", "The documents that an assistant looks things up in", &[404])))
        .api_route("/assistants/{id}/knowledge/search", get_with(knowledge::search, told("searchKnowledge", "What would be found in them for something a caller says", &[404])))
        .api_route("/calls",
            get_with(calls::list, told("listCalls", "Calls, newest first; after one, oldest first", &[404]))
            .post_with(outbound::ask, told("askCall", "Have an assistant call somebody; the daemon dials within moments", &[403, 404, 409, 413, 415, 422])))
        .api_route("/outbound", get_with(outbound::list, told("listOutboundCalls", "Calls that were asked for, newest first, a thousand at most", &[])))
        .api_route("/outbound/{id}", get_with(outbound::show, told("getOutboundCall", "One call that was asked for, and what came of it", &[404])))
        .api_route("/outbound/{id}/cancel", post_with(outbound::cancel, told("cancelOutboundCall", "Take a call back, if nobody was dialled yet", &[403, 404, 409, 413, 422])))
        .api_route("/campaigns",
            get_with(campaigns::list, told("listCampaigns", "Campaigns, newest first, a thousand at most", &[]))
            .post_with(campaigns::start, told("runCampaign", "Have an assistant call a list of people, or go on with it: the same people are the same campaign", &[403, 404, 409, 413, 415, 422])))
        .api_route("/campaigns/preview", post_with(campaigns::preview, told("previewCampaign", "Who would be called when, and who would not; nothing is kept", &[403, 404, 413, 415, 422])))
        .api_route("/campaigns/{id}", get_with(campaigns::show, told("getCampaign", "One campaign, and how its people stand", &[404])))
        .api_route("/campaigns/{id}/rows", get_with(campaigns::rows, told("listCampaignRows", "The people of a campaign, as they were given", &[404])))
        .api_route("/campaigns/{id}/pause", post_with(campaigns::pause, told("pauseCampaign", "Call nobody more until it is run again; calls under way go on", &[403, 404, 409, 413, 422])))
        .api_route("/campaigns/{id}/cancel", post_with(campaigns::cancel, told("cancelCampaign", "Call nobody more for good; calls under way go on", &[403, 404, 409, 413, 422])))
        .api_route("/do-not-call",
            get_with(outbound::not_to_call, told("listDoNotCall", "Who is not to be called, newest first", &[]))
            .post_with(outbound::add, told("addDoNotCall", "Let numbers not be called", &[403, 409, 413, 415, 422])))
        .api_route("/do-not-call/{number}", delete_with(outbound::remove, told("removeDoNotCall", "Let a number be called again", &[403, 404])))
        .api_route("/calls/{sid}", get_with(calls::show, told("getCall", "One call, turn by turn", &[404])))
        .api_route("/calls/{sid}/recording", get_with(recordings::hear, recordings::told))
        .api_route("/transcripts/search", get_with(transcripts::search, told("searchTranscripts", "Turns in which some words were said, the newest call first", &[404])))
        .api_route("/stats", get_with(stats::stats, told("getStats", "Sums over calls", &[404])))
        .api_route("/latency", get_with(stats::latency, told("getLatency", "How long callers wait, by stage", &[404])))
        .api_route("/export/{dataset}", get_with(datasets::export, datasets::told))
        .api_route("/report", get_with(report::report, told("getReport", "A client's month as one page of HTML", &[404])))
        .api_route("/costs", get_with(costs::costs, told("getCosts", "What was spent, by whole UTC days", &[404])))
        .api_route("/billing/preview", get_with(billing::preview, told("previewBills", "What clients owe for a month, as far as it is known", &[403, 404])))
        .api_route("/billing/close", post_with(billing::close, told("closeMonth", "Bill a month that is over: each client once, however often it is asked", &[403, 404, 409, 413, 415, 422])))
        .api_route("/billing/margin", get_with(billing::margin, told("getMargins", "What is left of what clients pay for a month", &[403])))
        .api_route("/invoices", get_with(invoices::list, told("listInvoices", "Bills, and what took some of them back, newest first", &[])))
        .api_route("/invoices/{number}", get_with(invoices::show, told("getInvoice", "One bill, with all that it says", &[404])))
        .api_route("/invoices/{number}/page", get_with(invoices::html, invoices::told_of_page))
        .api_route("/invoices/{number}/pdf", get_with(invoices::pdf, invoices::told_of_pdf))
        .api_route("/invoices/{number}/xml", get_with(invoices::xml, invoices::told_of_xml))
        .api_route("/invoices/{number}/credit", post_with(invoices::credit, told("creditInvoice", "Take a bill back, whole, by a credit note", &[403, 404, 409, 413, 422])))
        .api_route("/alerts", get_with(alerts::list, told("listAlerts", "What is too much, and was told; the newest first", &[404])))
        .api_route("/alerts/rules", get_with(alerts::rules, told("listAlertRules", "What is watched, who is told, and what is silenced", &[404])))
        .api_route("/alerts/silences", post_with(alerts::silence, told("silenceAlerts", "Let nobody be told of a rule for a while", &[403, 404, 409, 413, 415, 422])))
        .api_route("/alerts/silences/{rule}", delete_with(alerts::end_silence, told("endSilence", "End a silence: what still holds is told", &[403, 404])))
        .api_route("/alerts/test", post_with(alerts::test, told("testAlerts", "Tell destinations that they can be told, and what came back", &[403, 404, 409, 413, 415, 422])))
        .api_route("/alerts/{id}", get_with(alerts::show, told("getAlert", "One alert, and what was told of it", &[404])))
        .api_route("/alerts/{id}/ack", post_with(alerts::ack, told("ackAlert", "Say to know of an alert: nobody more is told that it began", &[403, 404, 409, 413, 422])))
        .api_route("/providers", get_with(providers::standing, told("getProviders", "How models, ears and mouths stand", &[403])))
        .api_route("/bookings",
            get_with(bookings::list, told("listBookings", "Bookings, in the order they take place", &[404]))
            .post_with(bookings::create, told("createBooking", "Book by hand, by the same rules as a caller", &[403, 404, 409, 413, 415, 422])))
        .api_route("/bookings/{reference}", get_with(bookings::show, told("getBooking", "One booking", &[404, 409])))
        .api_route("/bookings/{reference}/cancel", post_with(bookings::cancel, told("cancelBooking", "Cancel a booking", &[403, 404, 409, 413, 422])))
        .api_route("/assistants/{id}/calendar",
            post_with(bookings::open_calendar, told("openCalendar", "A new address for a calendar of the bookings; the one before is no longer good", &[403, 404, 409, 413, 422]))
            .delete_with(bookings::close_calendar, told("closeCalendar", "No address shows the bookings any more", &[403, 404])))
        .api_route("/contacts", get_with(contacts::list, told("listContacts", "Who called, those who called last first", &[])))
        .api_route("/contacts/{id}",
            get_with(contacts::show, told("getContact", "One contact, by id or number", &[404, 409]))
            .patch_with(contacts::edit, told("changeContact", "Correct a contact by hand: what is left out stays", &[403, 404, 409, 413, 415, 422]))
            .delete_with(contacts::delete, told("deleteContact", "Take a contact out; its calls stay", &[403, 404, 409])))
        .api_route("/deliveries", get_with(deliveries::list, told("listDeliveries", "What others were told, newest first", &[404])))
        .api_route("/deliveries/{id}", get_with(deliveries::show, told("getDelivery", "One delivery, with what is delivered", &[404])))
        .api_route("/deliveries/{id}/retry", post_with(deliveries::retry, told("retryDelivery", "Try a delivery again now, also one that was given up", &[403, 404, 409, 413, 422])))
        .api_route("/standings", get_with(provisioning::standings, told("listStandings", "Every assistant, and what the files last said of it", &[])))
        .api_route("/applies", get_with(provisioning::applies, told("listApplies", "What was applied, newest first", &[])))
        .api_route("/users",
            get_with(accounts::users, told("listUsers", "All users", &[403]))
            .post_with(accounts::add_user, told("addUser", "Add a user", &[403, 409, 413, 415, 422])))
        .api_route("/users/{email}",
            get_with(accounts::show_user, told("getUser", "One user", &[403, 404]))
            .patch_with(accounts::change_user, told("changeUser", "Change a user's role, or disable the user", &[403, 404, 412, 413, 415, 422]))
            .delete_with(accounts::delete_user, told("deleteUser", "Take a user out, with the user's tokens", &[403, 404, 412, 422])))
        .api_route("/tokens",
            get_with(accounts::tokens, told("listTokens", "Tokens, newest first, without their keys", &[403, 404]))
            .post_with(accounts::create_token, told("createToken", "Make a token; its key is answered this once. It ends no later than the token that makes it", &[403, 404, 409, 413, 415, 422])))
        .api_route("/tokens/{id}", delete_with(accounts::revoke_token, told("revokeToken", "Accept a token no longer", &[403, 404])))
        .api_route("/secrets", get_with(secrets::list, told("listSecrets", "Names of secrets, never values", &[403, 404])))
        .api_route("/secrets/{name}",
            put_with(secrets::set, told("setSecret", "Keep a secret; it is sealed at once and never answered", &[403, 404, 413, 415]))
            .delete_with(secrets::delete, told("deleteSecret", "Forget a secret", &[403, 404])))
        .api_route("/me", get_with(accounts::me, told("whoAmI", "Who is asking", &[])))
        .api_route("/audit", get_with(audit::list, told("listAudit", "Who did what to what, newest first", &[403])))
        .api_route("/audit/check", get_with(audit::check, told("checkAudit", "Compute every hash of the audit log again", &[403])))
        .api_route("/privacy/export", post_with(privacy::export, told("exportCaller", "Everything that is kept of one caller", &[404, 413, 415])))
        .api_route("/privacy/erase", post_with(privacy::erase, told("eraseCaller", "Forget one caller", &[403, 404, 409, 413, 415])))
        .api_route("/privacy/removals", get_with(privacy::removals, told("listRemovals", "What Twilio has still to remove", &[])))
        .api_route("/events", get_with(events::watch, events::told));
    let mut document = OpenApi {
        info: Info {
            title: "webox".to_owned(),
            summary: Some("Phone assistants for an agency's clients".to_owned()),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ..Info::default()
        },
        ..OpenApi::default()
    };
    let router = ApiRouter::new()
        .nest("/api/voice", routes)
        .finish_api_with(&mut document, document::describe);
    (router, document)
}

/// The API, and the document that tells of it, which needs no key.
pub(super) fn router(app: &App) -> Result<Router<App>> {
    let (router, document) = routes();
    let mut document = serde_json::to_value(&document)
        .map_err(|cause| Error::failure("the OpenAPI document cannot be made").because(cause))?;
    document::complete(&mut document);
    let known = Arc::new(parameters::Known::of(&document));
    let text: Arc<str> = document.to_string().into();
    // The way of a request, from the last to the first: who asks, is the question one, the whole of
    // it, has it been answered before.
    let router = router
        .layer(middleware::from_fn_with_state(app.clone(), idempotency::once))
        .layer(middleware::from_fn_with_state(app.clone(), bodies::buffer))
        .layer(middleware::from_fn_with_state(known, parameters::known))
        .layer(middleware::from_fn_with_state(app.clone(), auth::authenticate));
    let app = app.clone();
    let document = get(move |request: Request| {
        let (text, app) = (Arc::clone(&text), app.clone());
        // Large, and for everybody: only as often as strangers may ask.
        async move {
            match auth::stranger(&app, &request) {
                Some(wait) => tarpit::turn_away(wait),
                None => json(text),
            }
        }
    });
    Ok(router.route("/api/openapi.json", document))
}

fn json(text: Arc<str>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text.to_string()).into_response()
}
