//! Port 80, where whoever gives certificates looks for a proof (RFC 8555, section 8.3). Nothing else
//! is to be had there.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use tokio::net::TcpListener;

use super::{connections, known::Known, tls::Proofs};

/// How soon it is tried again to listen there.
const AGAIN: Duration = Duration::from_mins(1);

/// Serves proofs until it is dropped, at a socket that was handed over or at one of its own.
pub(super) async fn serve(
    address: SocketAddr,
    handed_over: Option<Arc<std::net::TcpListener>>,
    proofs: Proofs,
) {
    let router =
        Router::new().route("/.well-known/acme-challenge/{token}", get(proof)).with_state(proofs);
    let mut told = false;
    let listener = loop {
        let listening = match &handed_over {
            Some(listener) => listener.try_clone().and_then(TcpListener::from_std),
            None => connections::listen(address),
        };
        match listening {
            Ok(listener) => break listener,
            Err(error) => {
                if !std::mem::replace(&mut told, true) {
                    let hint = "under systemd, enable webox-http.socket (docs/deployment.md)";
                    tracing::error!(%address, %error, hint, "cannot listen for those who ask for a proof over HTTP: no certificate can be had");
                }
                tokio::time::sleep(AGAIN).await;
            }
        }
    };
    let forever = std::future::pending();
    connections::serve(listener, router, forever, Vec::new(), Known::default(), None).await;
}

async fn proof(State(proofs): State<Proofs>, Path(token): Path<String>) -> Response {
    match proofs.of(&token) {
        Some(proof) => {
            ([(header::CONTENT_TYPE, "application/octet-stream")], proof).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
