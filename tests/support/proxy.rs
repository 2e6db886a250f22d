//! A proxy as it stands before a daemon: it takes connections at an address of its own, with TLS if it
//! has a certificate, and passes on what comes.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    thread::JoinHandle,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};
use tokio_rustls::{TlsAcceptor, rustls};

/// Where what comes goes.
#[derive(Clone)]
enum Behind {
    /// To a daemon.
    Daemon(SocketAddr),
    /// Nowhere: this is answered, without its body's length.
    Answer(String),
    /// Nowhere, and nothing is answered.
    Silence,
}

/// A proxy that stops when it is dropped.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    scheme: &'static str,
    behind: Arc<Mutex<Behind>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Answers 502 until it is told where a daemon is.
    pub(crate) fn start() -> Self {
        Self::with(None)
    }

    /// The same over TLS.
    pub(crate) fn with_tls(server: rustls::ServerConfig) -> Self {
        Self::with(Some(TlsAcceptor::from(Arc::new(server))))
    }

    fn with(tls: Option<TlsAcceptor>) -> Self {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let behind = Arc::new(Mutex::new(Behind::Answer("502 Bad Gateway".to_owned())));
        let (stop, stopped) = oneshot::channel::<()>();
        let (shared, scheme) = (Arc::clone(&behind), if tls.is_some() { "https" } else { "http" });
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::from_std(listener).unwrap();
                let accept = async {
                    while let Ok((socket, _)) = listener.accept().await {
                        let (behind, tls) = (shared.lock().unwrap().clone(), tls.clone());
                        tokio::spawn(async move {
                            match tls {
                                None => pass(socket, behind).await,
                                Some(tls) => match tls.accept(socket).await {
                                    Ok(socket) => pass(socket, behind).await,
                                    Err(_) => None,
                                },
                            }
                        });
                    }
                };
                tokio::select! { () = accept => {}, _ = stopped => {} }
            });
        });
        Self { address, scheme, behind, stop: Some(stop), thread: Some(thread) }
    }

    /// What it is called from outside.
    pub(crate) fn url(&self) -> String {
        format!("{}://localhost:{}", self.scheme, self.address.port())
    }

    pub(crate) fn pass_to(&self, daemon: SocketAddr) {
        *self.behind.lock().unwrap() = Behind::Daemon(daemon);
    }

    /// Answers everything with a status line and headers of one's choice.
    pub(crate) fn answer(&self, head: &str) {
        *self.behind.lock().unwrap() = Behind::Answer(head.to_owned());
    }

    /// Takes connections, and says nothing.
    pub(crate) fn fall_silent(&self) {
        *self.behind.lock().unwrap() = Behind::Silence;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

async fn pass(mut socket: impl AsyncRead + AsyncWrite + Unpin, behind: Behind) -> Option<()> {
    match behind {
        Behind::Daemon(address) => {
            let mut daemon = TcpStream::connect(address).await.ok()?;
            copy_bidirectional(&mut socket, &mut daemon).await.ok()?;
        }
        Behind::Answer(head) => {
            let mut asked = [0; 4096];
            let _read = socket.read(&mut asked).await.ok()?;
            let answer =
                format!("HTTP/1.1 {head}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            socket.write_all(answer.as_bytes()).await.ok()?;
            socket.shutdown().await.ok()?;
        }
        Behind::Silence => std::future::pending::<()>().await,
    }
    Some(())
}

/// An authority of one's own, and a server's certificate by it that is good for some days, or was.
pub(crate) struct Authority {
    pub(crate) pem: String,
    pub(crate) server: rustls::ServerConfig,
}

impl Authority {
    pub(crate) fn new(days_left: i64) -> Self {
        use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose};
        let today = jiff::Timestamp::now().to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
        let day = |offset: i64| {
            let day = today.checked_add(jiff::Span::new().days(offset)).unwrap();
            let (month, of_month) = (day.month() as u8, day.day() as u8);
            rcgen::date_time_ymd(i32::from(day.year()), month, of_month)
        };
        let key = KeyPair::generate().unwrap();
        let mut own = CertificateParams::default();
        own.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        own.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        own.distinguished_name.push(rcgen::DnType::CommonName, "An authority for tests");
        let own_certificate = own.self_signed(&key).unwrap();
        let issuer = Issuer::new(own, key);
        let mut server = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        (server.not_before, server.not_after) = (day(-90), day(days_left + 1));
        let server_key = KeyPair::generate().unwrap();
        let certificate = server.signed_by(&server_key, &issuer).unwrap();
        let key = rustls::pki_types::PrivatePkcs8KeyDer::from(server_key.serialize_der());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key.into())
            .unwrap();
        Self { pem: own_certificate.pem(), server: config }
    }
}
