//! E-mail over SMTP (RFC 5321), in plain text.

use std::time::Duration;

use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{
        Mailbox,
        header::{ContentType, HeaderName, HeaderValue},
    },
    transport::smtp::authentication::Credentials,
};

use super::Failure;
use crate::domain::{EmailAddress, MailEncryption, Notice, Secret, Trouble};

/// Nobody on the phone waits for a mail server.
const WITHIN: Duration = Duration::from_secs(15);

/// The server that mail leaves by.
#[derive(Debug, Clone)]
pub struct MailServer {
    /// Its name.
    pub host: String,
    /// Its port; the usual one of the encryption otherwise.
    pub port: Option<u16>,
    /// How it is spoken to.
    pub encryption: MailEncryption,
    /// Who sends.
    pub user: Option<String>,
    /// And with which password.
    pub password: Option<Secret>,
    /// Whom it is from.
    pub from: EmailAddress,
}

/// A connection to a mail server, opened when there is something to send.
#[derive(Clone)]
pub struct Post {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: EmailAddress,
}

impl std::fmt::Debug for Post {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Post").field("from", &self.from).finish_non_exhaustive()
    }
}

impl Post {
    /// By a server.
    ///
    /// # Errors
    /// When its name cannot be one.
    pub fn new(server: &MailServer) -> Result<Self, String> {
        let wrong = |error: lettre::transport::smtp::Error| error.to_string();
        let mut builder = match server.encryption {
            MailEncryption::Tls => {
                AsyncSmtpTransport::<Tokio1Executor>::relay(&server.host).map_err(wrong)?
            }
            MailEncryption::StartTls => {
                AsyncSmtpTransport::<Tokio1Executor>::starttls_relay(&server.host).map_err(wrong)?
            }
            MailEncryption::None => {
                AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&server.host)
            }
        };
        if let Some(port) = server.port {
            builder = builder.port(port);
        }
        if let (Some(user), Some(password)) = (&server.user, &server.password) {
            let login = Credentials::new(user.clone(), password.expose().to_owned());
            builder = builder.credentials(login);
        }
        let transport = builder.timeout(Some(WITHIN)).build();
        Ok(Self { transport, from: server.from.clone() })
    }

    /// Sends what somebody is told; the server has it then. Its name is the same however often it is
    /// sent: mail programs show it once.
    pub(super) async fn send(&self, id: &str, notice: &Notice) -> Result<(), Failure> {
        let refused = |what: String| (Trouble::Refused, what);
        let address = |address: &str| {
            address.parse().map_err(|_| refused(format!("{address} is no address for mail")))
        };
        let from = self.from.as_str();
        let domain = from.rsplit_once('@').map_or("webox.invalid", |(_, domain)| domain);
        let message = Message::builder()
            .from(Mailbox::new(Some(notice.from.clone()), address(from)?))
            .to(Mailbox::new(None, address(&notice.to)?))
            .subject(notice.subject.as_deref().unwrap_or_default())
            .message_id(Some(format!("<{id}@{domain}>")))
            // No machine answers another one (RFC 3834).
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ))
            .header(ContentType::TEXT_PLAIN)
            .body(notice.text.clone())
            .map_err(|error| refused(format!("the mail cannot be written: {error}")))?;
        self.transport.send(message).await.map_err(|error| {
            // A server that says no for good says so with a five (RFC 5321, 4.2.1).
            let trouble =
                if error.is_permanent() { Trouble::Refused } else { Trouble::Later(None) };
            (trouble, format!("the mail server: {error}"))
        })?;
        Ok(())
    }
}
