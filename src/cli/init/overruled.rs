//! Answers that were written, and that something of this environment goes before.

use super::Answers;
use crate::{
    cli::Context,
    domain::{Result, Secret},
};

/// Says which of the answers do not hold here: what this environment says goes before what was written. A
/// service sees nothing of it.
pub(super) fn warn(answers: &Answers, context: &Context) -> Result<()> {
    if answers.unit.is_some() {
        return Ok(());
    }
    let settings = context.settings()?;
    let (url, twilio) = (&settings.public_url, &settings.twilio);
    let mut others: Vec<(&str, String)> = Vec::new();
    if answers.public_url.is_some() && answers.public_url != url.value {
        others.push(("public_url", url.origin.to_string()));
    }
    if let Some(account) = &answers.twilio {
        if twilio.account_sid.value.as_ref() != Some(&account.sid) {
            others.push(("twilio.account_sid", twilio.account_sid.origin.to_string()));
        }
        let tokens = answers.tokens.iter().flat_map(|tokens: &Secret| tokens.expose().split(','));
        let holds =
            |token: &str| twilio.auth_tokens.value.iter().any(|one| one.expose() == token.trim());
        if tokens.into_iter().any(|token| !holds(token)) {
            others.push(("twilio.auth_token", twilio.auth_tokens.origin.to_string()));
        }
    }
    for key in &answers.keys {
        let name = key.provider.key();
        let holds = settings.provider_key(name);
        if let Some(other) = holds.filter(|one| one.value.as_ref() != Some(&key.secret)) {
            others.push((name, other.origin.to_string()));
        }
    }
    for (key, origin) in others {
        context.out.warn(&format!(
            "`{key}` comes from the {origin} here, which goes before what was written to {}: unset it, or give \
             it the same value",
            answers.place.display()
        ));
    }
    Ok(())
}
