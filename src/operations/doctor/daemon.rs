//! The daemon on this machine: does it answer, can it store, and is it this webox?

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use serde::Deserialize;

use super::{Case, Finding, Group};
use crate::twilio::reach::Unreached;

const GROUP: Group = Group::Daemon;

/// What `/healthz` says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Health {
    status: String,
    version: String,
}

impl Health {
    /// Whether it is a webox who says so.
    pub(super) fn of(body: &[u8]) -> Option<Self> {
        serde_json::from_slice::<Self>(body).ok().filter(|health| health.status == "ok")
    }
}

/// What `/readyz` says of a daemon that is stopping.
pub const STOPPING: &str = "stopping: no new calls";

/// Why it is not ready, of a problem (RFC 9457).
#[derive(Debug, Deserialize)]
struct Unready {
    detail: String,
}

/// Whether what `/readyz` answered is that the daemon is stopping.
fn is_stopping(body: &[u8]) -> bool {
    serde_json::from_slice::<Unready>(body).is_ok_and(|unready| unready.detail == STOPPING)
}

pub(super) async fn look(case: Case) -> Vec<Finding> {
    let listen = here(case.here.listen);
    // Flags of `serve` are not known here: where one does not fit, the other may.
    let mut schemes = ["http", "https"];
    if case.here.ends_tls {
        schemes.reverse();
    }
    let mut base = format!("{}://{listen}", schemes[0]);
    let mut answered = case.reach.ask_here(&format!("{base}/healthz")).await;
    if matches!(answered, Err(Unreached::Broken(_) | Unreached::Untrusted { .. })) {
        base = format!("{}://{listen}", schemes[1]);
        answered = case.reach.ask_here(&format!("{base}/healthz")).await;
    }
    let health = match answered {
        Ok(reached) => Health::of(&reached.body).filter(|_| reached.status == 200),
        Err(Unreached::Late) => {
            let seen = format!("{listen} takes the connection, and does not answer");
            let advice = "look at its log; if it hangs, restart it: calls go on from the database";
            return vec![GROUP.problem("answers", seen, advice)];
        }
        Err(Unreached::Unknown(_) | Unreached::Refused(_)) => {
            let seen = format!("nothing answers at {listen}");
            let advice = "start it: `systemctl start webox` or `webox serve`; if it listens elsewhere, as \
                          `webox.socket` may say, say so with `listen` in webox.toml or --listen";
            return vec![GROUP.problem("answers", seen, advice)];
        }
        Err(Unreached::Bare) => {
            let seen = format!("{listen} takes connections, and has no certificate yet");
            let advice =
                "its log says why none was had: `[server.acme]` in webox.toml names who is asked";
            return vec![GROUP.problem("answers", seen, advice)];
        }
        Err(Unreached::Untrusted { .. } | Unreached::Broken(_)) => None,
    };
    let Some(health) = health else {
        let seen = format!("what answers at {listen} is no webox");
        let advice = "end it, or have webox listen elsewhere: `listen` in webox.toml";
        return vec![GROUP.problem("answers", seen, advice)];
    };
    let mut found = vec![GROUP.ok("answers", format!("at {listen}"))];
    found.push(match case.reach.ask_here(&format!("{base}/readyz")).await {
        Ok(reached) if reached.status == 200 => GROUP.ok("ready", "it can store what happens"),
        Ok(reached) if is_stopping(&reached.body) => GROUP.warning(
            "ready",
            "it is stopping: it takes no new calls, and ends when those that go on are over",
            "start it again when it has ended, or wait for whoever restarts it",
        ),
        Ok(_) => GROUP.problem(
            "ready",
            "it cannot write its database",
            "is the disk full, or the file another user's? Its log names the cause",
        ),
        Err(_) => GROUP.problem("ready", "it does not say whether it can store", "look at its log"),
    });
    found.push(version(&health.version, case.here.version));
    found
}

fn version(theirs: &str, ours: &str) -> Finding {
    match theirs {
        theirs if theirs == ours => GROUP.ok("version", format!("{ours}, as this command")),
        "" => GROUP.warning(
            "version",
            format!("it is older than this command, which is {ours}"),
            "restart it: `systemctl restart webox`",
        ),
        theirs => GROUP.warning(
            "version",
            format!("it is {}, and this command {ours}", theirs.escape_debug()),
            "restart it: `systemctl restart webox`, or use the command that belongs to it",
        ),
    }
}

/// Who listens at every address listens at this machine's own.
fn here(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_listens_everywhere_listens_here() {
        assert_eq!(here("0.0.0.0:80".parse().unwrap()).to_string(), "127.0.0.1:80");
        assert_eq!(here("[::]:80".parse().unwrap()).to_string(), "[::1]:80");
        assert_eq!(here("10.0.0.1:80".parse().unwrap()).to_string(), "10.0.0.1:80");
    }

    #[test]
    fn a_daemon_of_another_version_is_told() {
        assert_eq!(version("1.0.0", "1.0.0").verdict.as_str(), "ok");
        assert!(version("0.9.0", "1.0.0").seen.contains("0.9.0"));
        assert!(version("", "1.0.0").seen.contains("older"));
    }
}
