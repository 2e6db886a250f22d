//! What the daemon answers: a path each, and what every answer goes through.

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderName, HeaderValue, Method, header},
    middleware,
    routing::{any, get, post},
};
use tower_http::{
    compression::{
        CompressionLayer, DefaultPredicate, Predicate,
        predicate::{NotForContentType, SizeAbove},
    },
    cors::CorsLayer,
};

use super::{
    App, access_log, api, audio, calendars, dialling, handovers, headers, health, problem, sockets,
    tarpit, webhooks,
};
use crate::domain::Result;

/// What is no larger arrives no sooner when it is packed, and packing takes 300 KB for a moment.
const PACKET: u16 = 1_400;

/// Where each request goes, and what is done to every answer.
pub(super) fn routes(app: App) -> Result<Router> {
    let webhook = "/api/voice/webhook";
    let packed =
        api::router(&app)?.route("/api/voice/calendar/{name}", get(calendars::read)).layer(
            CompressionLayer::new().compress_when(
                DefaultPredicate::new()
                    .and(SizeAbove::new(PACKET))
                    .and(NotForContentType::const_new("audio/")),
            ),
        );
    Ok(Router::new()
        .route(&format!("{webhook}/incoming"), post(webhooks::incoming))
        .route(&format!("{webhook}/fallback"), post(webhooks::fallback))
        .route(&format!("{webhook}/outbound"), post(dialling::answered))
        .route(&format!("{webhook}/answered-by"), post(dialling::answered_by))
        .route(&format!("{webhook}/machine"), post(dialling::machine))
        .route(&format!("{webhook}/process"), post(webhooks::process))
        .route(&format!("{webhook}/wait"), post(webhooks::wait))
        .route(&format!("{webhook}/transfer"), post(handovers::transfer))
        .route(&format!("{webhook}/whisper"), post(handovers::whisper))
        .route(&format!("{webhook}/take"), post(handovers::take))
        .route(&format!("{webhook}/voicemail"), post(handovers::voicemail))
        .route(&format!("{webhook}/voicemail-recording"), post(handovers::voicemail_recording))
        .route(&format!("{webhook}/voicemail-words"), post(handovers::voicemail_words))
        .route(&format!("{webhook}/resume"), post(webhooks::resume))
        .route("/api/voice/relay/{call_sid}", any(sockets::relay))
        .route("/api/voice/stream/{call_sid}", any(sockets::stream))
        .route(&format!("{webhook}/status"), post(webhooks::status))
        .route(&format!("{webhook}/recording"), post(webhooks::recording))
        .route(&format!("{webhook}/check"), post(webhooks::check))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        // The webhooks bound their bodies themselves.
        .layer(DefaultBodyLimit::disable())
        // What Twilio is told is small, and callers wait for it; sound is packed already.
        .route("/api/voice/audio/{key}", get(audio::play))
        .merge(packed)
        .fallback(any(problem::not_found))
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(cors(&app.api.cors_origins))
        .layer(middleware::from_fn_with_state(app.clone(), access_log::tell))
        .layer(middleware::from_fn(headers::set))
        // Around all that measures: a refusal that is held back is no slow answer.
        .layer(middleware::from_fn_with_state(app.clone(), tarpit::pass))
        .with_state(app))
}

/// Pages from elsewhere may ask only when they are named.
fn cors(origins: &[String]) -> CorsLayer {
    let origins: Vec<HeaderValue> =
        origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()).collect();
    if origins.is_empty() {
        return CorsLayer::new();
    }
    CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::IF_MATCH,
            HeaderName::from_static("idempotency-key"),
            HeaderName::from_static("last-event-id"),
            HeaderName::from_static("x-request-id"),
        ])
        .expose_headers([
            header::ETAG,
            header::LOCATION,
            header::RETRY_AFTER,
            HeaderName::from_static("idempotent-replayed"),
            HeaderName::from_static("x-request-id"),
        ])
}
