//! `/metrics`, on a listener of its own: the public address shows nobody how busy a client is.

use axum::{
    Router,
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};
use prometheus::{Encoder, TextEncoder};
use tokio::net::TcpListener;

use super::figures::wrong;
use crate::domain::Result;

/// Figures in Prometheus's text format.
#[derive(Debug, Clone)]
pub struct Scraped(prometheus::Registry);

impl Scraped {
    pub(super) const fn new(registry: prometheus::Registry) -> Self {
        Self(registry)
    }

    fn text(&self) -> Result<Vec<u8>> {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.0.gather(), &mut text).map_err(wrong)?;
        Ok(text)
    }

    /// Answers who scrapes, for as long as the daemon runs.
    pub async fn serve(self, listener: TcpListener) {
        let router = Router::new().route("/metrics", get(move || answer(self.clone())));
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, "figures are served no more");
        }
    }
}

async fn answer(scraped: Scraped) -> Response {
    // Figures of the store are read for it.
    let text = tokio::task::spawn_blocking(move || scraped.text()).await;
    match text.map_err(wrong).and_then(|text| text) {
        Ok(text) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
            .into_response(),
        Err(error) => {
            tracing::error!(%error, "figures could not be written");
            axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
