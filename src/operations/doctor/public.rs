//! The address that Twilio reaches the daemon by: does it lead here, with a certificate that lasts, and
//! does a signed request arrive as it was signed?

use jiff::{SignedDuration, Timestamp};

use super::{Case, Finding, Group, daemon::Health, twilio};
use crate::{
    domain::{CallSid, PhoneNumber, Result},
    twilio::{
        caller::{Answer, Caller},
        form::Form,
        reach::{Certificate, Reached, Unreached},
    },
};

const GROUP: Group = Group::Public;

/// The route that is asked: it goes through the same doors as every webhook, and changes nothing.
const ROUTE: &str = "/api/voice/webhook/check";

/// Whoever renews by itself has done so by then; and when it is late to do so by hand.
const SOON: SignedDuration = SignedDuration::from_hours(14 * 24);
const AT_ONCE: SignedDuration = SignedDuration::from_hours(3 * 24);

/// A signature that is none: twenty bytes of nothing.
const FORGED: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAA=";

pub(super) async fn look(case: Case) -> Vec<Finding> {
    let Some(url) = case.here.public_url.clone() else {
        return vec![GROUP.problem(
            "address",
            "no public URL is set",
            "set `public_url` in webox.toml to the address that Twilio is to reach this machine by",
        )];
    };
    let reached = case.reach.ask(&format!("{url}/healthz")).await;
    let now = (case.here.clock)();
    let mut found = vec![address(&url, &reached)];
    let certificate = match &reached {
        Ok(reached) => reached.certificate.as_ref(),
        Err(Unreached::Untrusted { certificate, .. }) => certificate.as_ref(),
        Err(_) => None,
    };
    match certificate {
        Some(certificate) => found.push(lasts(certificate, now)),
        None if url.starts_with("http://") => found.push(GROUP.warning(
            "certificate",
            "there is none: over http anybody on the way reads what callers say",
            "put a proxy that ends TLS in front, and use its https address",
        )),
        None => found.push(GROUP.skipped("certificate", "it was not seen")),
    }
    if reached.is_ok() {
        found.extend(signatures(&case, &url).await);
    } else {
        found.push(GROUP.skipped("signature", "the address is not reached"));
    }
    found
}

fn address(url: &str, reached: &Result<Reached, Unreached>) -> Finding {
    let problem = |seen: String, advice: &str| GROUP.problem("address", seen, advice);
    let reached = match reached {
        Ok(reached) => reached,
        Err(Unreached::Unknown(why)) => {
            let advice =
                "is it spelt as in DNS? Add an A or AAAA record, or wait until it is known";
            return problem(format!("the host of {url} has no address: {why}"), advice);
        }
        Err(Unreached::Refused(why)) => {
            let advice = "start the proxy, and open its port in the firewall; from inside some networks \
                          one's own address cannot be reached: try from outside";
            return problem(format!("nobody takes connections at {url}: {why}"), advice);
        }
        Err(Unreached::Late) => {
            let advice =
                "does a firewall drop it? Does the proxy wait for a daemon that is not there?";
            return problem(format!("{url} does not answer in time"), advice);
        }
        Err(Unreached::Untrusted { why, .. }) => {
            let advice = "Twilio refuses it as well: does it speak TLS at all? Have the proxy show a certificate that is for this \
                          host, not expired, from a public authority, with its whole chain";
            return problem(format!("{url} shows no certificate to be trusted: {why}"), advice);
        }
        Err(Unreached::Bare) => {
            let advice = "whoever ends TLS there was given none: webox says in its log why it could not have one";
            return problem(format!("{url} has no certificate yet"), advice);
        }
        Err(Unreached::Broken(why)) => {
            return problem(format!("{url} breaks off: {why}"), "look at the proxy's log");
        }
    };
    let status = reached.status;
    match status {
        200 if Health::of(&reached.body).is_some() => {
            GROUP.ok("address", format!("{url} leads to webox"))
        }
        200 => problem(
            format!("{url} leads to something that is no webox"),
            "have the proxy pass this host, and everything below its path, to where webox listens",
        ),
        301 | 302 | 303 | 307 | 308 => {
            let to = reached.location.as_deref().unwrap_or("somewhere else");
            let to: String = to.chars().take(120).collect();
            problem(
                format!("{url} sends elsewhere ({status}, to {})", to.escape_debug()),
                "Twilio signs the address it was given: set `public_url` to the one that answers itself",
            )
        }
        502..=504 => problem(
            format!("the proxy at {url} finds no daemon behind it ({status})"),
            "start the daemon, and have the proxy pass to the address that it listens at",
        ),
        404 => problem(
            format!("{url} knows no webox (404)"),
            "have the proxy pass everything below the path of `public_url`, and take that path off",
        ),
        401 | 403 => problem(
            format!("{url} lets nobody in ({status})"),
            "Twilio cannot log in: let /api/voice through without a password or a list of addresses",
        ),
        _ => problem(
            format!("{url} answers {status}"),
            "look at the log of the proxy and the daemon's",
        ),
    }
}

fn lasts(certificate: &Certificate, now: Timestamp) -> Finding {
    let left = certificate.until.duration_since(now);
    let (days, until) = (left.as_hours() / 24, certificate.until);
    let whose = format!("of {}, by {}", certificate.names.join(", "), certificate.issuer);
    let advice = "renew it, and have that done by itself: certbot, Caddy and others do";
    if certificate.from > now {
        let seen = format!("good only from {} on ({whose})", certificate.from);
        return GROUP.problem(
            "certificate",
            seen,
            "is the clock right? Otherwise show another one",
        );
    }
    if left.is_negative() || left.is_zero() {
        return GROUP.problem("certificate", format!("expired on {until} ({whose})"), advice);
    }
    let seen = format!("{days} days left, until {until} ({whose})");
    if left < AT_ONCE {
        GROUP.problem("certificate", seen, advice)
    } else if left < SOON {
        GROUP.warning("certificate", seen, advice)
    } else {
        GROUP.ok("certificate", seen)
    }
}

/// A request signed as Twilio signs it, for each account; then one that is not.
async fn signatures(case: &Case, url: &str) -> Vec<Finding> {
    let accounts = twilio::accounts(case).await;
    if accounts.is_empty() {
        let advice = "set `twilio.auth_token` in webox.toml, or TWILIO_AUTH_TOKEN";
        return vec![GROUP.problem("signature", "there is no token to sign with", advice)];
    }
    let mut found = Vec::new();
    for account in accounts {
        let name = account.called("signature");
        let answer = match round_trip(url, &account).await {
            Ok(answer) => answer,
            Err(error) => {
                found.push(GROUP.failed(name, &error));
                continue;
            }
        };
        found.push(match answer {
            Trip::Believed(answer) => GROUP
                .ok(name, "a signed request arrives as it was signed, and a forged one is refused")
                .in_time(answer.elapsed),
            Trip::Everything => GROUP.problem(
                name,
                "a forged request was believed: anybody can pretend to be Twilio",
                "start the daemon without --insecure-no-signature",
            ),
            Trip::Refused(status) => refused(name, status),
        });
    }
    found
}

/// What came of a round trip.
enum Trip {
    /// What is signed is believed, and nothing else is.
    Believed(Answer),
    /// What is forged is believed as well.
    Everything,
    /// What is signed is not believed.
    Refused(u16),
}

async fn round_trip(url: &str, account: &twilio::Known) -> Result<Trip> {
    let nobody: CallSid = format!("CA{}", "0".repeat(32)).parse()?;
    let ours = account.numbers.first().map(|(_, number)| number.clone());
    // Numbers that the French regulator keeps for films; nobody has them.
    let (ours, from) = match ours {
        Some(ours) => (ours, "+33199000001"),
        None => ("+33199000000".parse::<PhoneNumber>()?, "+33199000001"),
    };
    let caller = Caller::new(url, url, account.token.clone(), account.sid_or_nobodys()?)?;
    let fields = caller.fields(&nobody, from, &ours, "ringing");
    let answer = caller.post(ROUTE, fields.clone()).await?;
    if !(200..300).contains(&answer.status) {
        return Ok(Trip::Refused(answer.status));
    }
    let forged = caller.post_signed(ROUTE, &Form::from_fields(fields), FORGED).await?;
    Ok(if (200..300).contains(&forged.status) { Trip::Everything } else { Trip::Believed(answer) })
}

fn refused(name: String, status: u16) -> Finding {
    let (seen, advice) = match status {
        403 => (
            "the daemon does not believe what is signed with this token over this address",
            "its public URL or its token is another one than here: compare `webox config show` with how \
             it was started, and restart it; the proxy must not change the path",
        ),
        404 | 405 => (
            "the address of webhooks is not passed on, or the daemon is older than this command",
            "have the proxy pass POST requests below /api/voice/webhook/, and restart the daemon",
        ),
        413 | 415 => (
            "the proxy refuses the form that Twilio sends",
            "let it pass bodies of 64 KiB as application/x-www-form-urlencoded",
        ),
        429 => (
            "the daemon was asked too often without a signature from this address",
            "wait a minute; who sends unsigned requests from here? Its log tells",
        ),
        503 => (
            "the daemon cannot check the account",
            "does the secret of this account open? See `keys`",
        ),
        502 | 504 => (
            "the proxy finds no daemon behind it",
            "start the daemon, and have the proxy pass to the address that it listens at",
        ),
        _ => ("the request is not taken", "look at the log of the proxy, and at the daemon's"),
    };
    GROUP.problem(name, format!("{seen} [{status}]"), advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_told_before_it_ends() {
        let now: Timestamp = "2026-11-27T10:00:00Z".parse().unwrap();
        let of = |days: i64| {
            let hours = |hours| now + SignedDuration::from_hours(hours);
            let certificate = Certificate {
                from: hours(-240),
                until: hours(days * 24 + 1),
                names: vec!["a.fr".to_owned()],
                issuer: "CN=R3".to_owned(),
            };
            lasts(&certificate, now)
        };
        assert_eq!([of(60), of(14)].map(|found| found.verdict.as_str()), ["ok"; 2]);
        assert_eq!(of(13).verdict.as_str(), "warning");
        assert_eq!([of(2), of(-1)].map(|found| found.verdict.as_str()), ["problem"; 2]);
        assert!(of(13).seen.starts_with("13 days left"), "{}", of(13).seen);
        assert!(of(-1).seen.starts_with("expired on 2026-11-26"), "{}", of(-1).seen);
    }
}
