//! A daemon with users, and requests with their keys.

use std::time::Duration;

use serde_json::Value;

use super::{cmd::Webox, daemon::Daemon, seed};

/// Who may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Nobody,
    Bad,
    Expired,
    Revoked,
    /// Has Le Gourmet.
    Owner,
    /// Has nothing.
    Other,
    /// The owner, with a key that may only read.
    Reader,
    Admin,
    /// The admin, with keys that may only read, and only write.
    AdminReader,
    AdminWriter,
}

impl Who {
    pub(crate) const STRANGERS: [Self; 4] = [Self::Nobody, Self::Bad, Self::Expired, Self::Revoked];
}

pub(crate) const OWNER: &str = "owner@agence.fr";
pub(crate) const OTHER: &str = "other@agence.fr";
pub(crate) const ADMIN: &str = "admin@agence.fr";

/// The world of the tests.
pub(crate) struct World {
    pub(crate) webox: Webox,
    pub(crate) daemon: Daemon,
    keys: Vec<(Who, String)>,
    http: reqwest::Client,
    asked: std::sync::atomic::AtomicU32,
}

/// An answer.
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Answered {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e} in {}", self.text))
    }

    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        assert!((200..300).contains(&self.status), "{} {}", self.status, self.text);
        self.json()
    }

    #[track_caller]
    pub(crate) fn status(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl World {
    /// Le Gourmet is the owner's, and took a call.
    pub(crate) fn new() -> Self {
        let webox = Webox::with_le_gourmet().env("WEBOX_TRUSTED_PROXIES", "127.0.0.1");
        Self::of(webox)
    }

    pub(crate) fn with_settings(text: &str) -> Self {
        let webox = Webox::with_le_gourmet().env("WEBOX_TRUSTED_PROXIES", "127.0.0.1");
        webox.file("config/webox/webox.toml", text);
        Self::of(webox)
    }

    pub(crate) fn of(webox: Webox) -> Self {
        webox.run(["init"]).ok();
        for (email, role) in [(OWNER, "member"), (OTHER, "member"), (ADMIN, "admin")] {
            webox.run(["users", "add", email, "--role", role]).ok();
        }
        webox.run(["assistants", "give", "le-gourmet", "--to", OWNER]).ok();
        // The store blocks, which a thread of the runtime must not.
        std::thread::scope(|scope| {
            let seeding = scope.spawn(|| {
                let call = seed::call(&webox, 1, 5, webox::domain::CallStatus::Completed);
                let at = jiff::Timestamp::now() - Duration::from_mins(4);
                let store = seed::store(&webox);
                seed::turn(&store, call, 1, at, "Une table ?", "Avec plaisir.");
                seed::booking(&store);
                seed::delivery(&store, call, at);
                seed::contact(&store, call);
                seed::outbound(&store);
                seed::campaign(&store);
                seed::invoice(&store);
                seed::alert(&store);
            });
            seeding.join().unwrap();
        });
        let key = |email: &str, name: &str, scope: &str, more: &[&str]| {
            let base = ["tokens", "create", "--user", email, "--name", name, "--scope", scope];
            let ran = webox.run(base.into_iter().chain(more.iter().copied())).ok();
            ran.stdout.trim().to_owned()
        };
        let keys = vec![
            (Who::Bad, "webox_0000000000000000000000000000000000000000000000000".to_owned()),
            (Who::Expired, key(OWNER, "expired", "write", &["--expires", "1s"])),
            (Who::Revoked, key(OWNER, "revoked", "write", &[])),
            (Who::Owner, key(OWNER, "owner", "write", &[])),
            (Who::Reader, key(OWNER, "reader", "read", &[])),
            (Who::Other, key(OTHER, "other", "write", &[])),
            (Who::Admin, key(ADMIN, "admin", "admin", &[])),
            (Who::AdminReader, key(ADMIN, "admin-reader", "read", &[])),
            (Who::AdminWriter, key(ADMIN, "admin-writer", "write", &[])),
        ];
        let tokens = webox.run(["tokens", "-o", "json"]).ok().json();
        let revoked = tokens["tokens"].as_array().unwrap();
        let revoked = revoked.iter().find(|token| token["name"] == "revoked").unwrap();
        webox.run(["tokens", "revoke", &revoked["id"].to_string()]).ok();
        std::thread::sleep(Duration::from_millis(1_100));
        let daemon = Daemon::start(&webox);
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { webox, daemon, keys, http, asked: 0.into() }
    }

    pub(crate) fn key(&self, who: Who) -> &str {
        self.keys.iter().find(|(known, _)| *known == who).map_or("", |(_, key)| key)
    }

    /// A terminal elsewhere, with somebody's key.
    pub(crate) fn far(&self, who: Who) -> Webox {
        Webox::new().env("WEBOX_SERVER", self.url("")).env("WEBOX_TOKEN", self.key(who))
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.daemon.address)
    }

    /// A request, as if from an address of its own.
    pub(crate) fn request(&self, who: Who, method: &str, path: &str) -> reqwest::RequestBuilder {
        let n = self.asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let method = method.parse().unwrap();
        let request = self
            .http
            .request(method, self.url(path))
            .header("x-forwarded-for", format!("203.0.{}.{}", n / 250, n % 250 + 1));
        match self.key(who) {
            "" => request,
            key => request.bearer_auth(key),
        }
    }

    /// Asks, and reads the answer.
    pub(crate) async fn ask(
        &self,
        who: Who,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Answered {
        let mut request = self.request(who, method, path);
        if let Some(body) = body {
            request = request.json(&body);
        }
        answer(request).await
    }

    pub(crate) async fn get(&self, who: Who, path: &str) -> Answered {
        self.ask(who, "GET", path, None).await
    }
}

pub(crate) async fn answer(request: reqwest::RequestBuilder) -> Answered {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answered { status, headers, text: response.text().await.unwrap() }
}
