//! The floor: what a bare hyper does with the same requests. A process of its own, like the daemon.

use std::{
    convert::Infallible,
    env,
    net::SocketAddr,
    process::{Child, Stdio},
};

use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use webox::{
    domain::Secret,
    twilio::{form::Form, signature},
};

use crate::support::{
    Result,
    daemon::{self, PUBLIC_URL, TOKEN},
    machine,
};

/// Set in the process that is to be the floor: the address to listen at.
const ASKED: &str = "WEBOX_BENCH_FLOOR";

const TWIML: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Gather input=\"speech\" \
    action=\"/next\"><Say>Bonjour !</Say></Gather></Response>";

/// Whether this process is to be the floor.
pub(crate) fn is_asked_for() -> bool {
    env::var_os(ASKED).is_some()
}

/// A floor in a process of its own; killed when dropped.
pub(crate) struct Floor {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Floor {
    pub(crate) fn start() -> Result<Self> {
        let address = daemon::free_address()?;
        let child = machine::server_command(&env::current_exe()?)
            .env(ASKED, address.to_string())
            .stdout(Stdio::null())
            .spawn()?;
        let floor = Self { child, address };
        daemon::wait_for(address)?;
        Ok(floor)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Floor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Serves until killed.
pub(crate) fn serve() -> Result<()> {
    let address: SocketAddr = env::var(ASKED)?.parse()?;
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async move {
        let listener = TcpListener::bind(address).await?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let connection =
                http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer));
            tokio::spawn(async move { drop(connection.await) });
        }
    })
}

async fn answer(
    request: Request<Incoming>,
) -> std::result::Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let url = format!("{PUBLIC_URL}{path}");
    let given = request
        .headers()
        .get("x-twilio-signature")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_owned();
    let body = request
        .into_body()
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default();
    let signed = Form::parse(&body)
        .is_ok_and(|form| signature::sign(&Secret::new(TOKEN), &url, &form) == given);
    let mut response = Response::new(Full::from(TWIML));
    if !signed {
        *response.status_mut() = hyper::StatusCode::FORBIDDEN;
    }
    Ok(response)
}
