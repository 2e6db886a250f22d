//! Whether the numbers at Twilio and the assistants here are as they should be to each other.

use serde::Serialize;

use super::{Inventory, Leads, Telephony, Unread};
use crate::domain::{
    AccountSid, Actor, Assistant, AssistantName, Error, PhoneNumber, Result, WiringChange,
};

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingKind {
    /// The number of an assistant comes here, but not as it should.
    Drift,
    /// The number of an assistant goes somewhere else.
    Elsewhere,
    /// The number of an assistant goes nowhere.
    NotConnected,
    /// A number comes here, or goes nowhere, and no assistant answers it.
    NoAssistant,
    /// The account of an assistant does not have its number.
    NoNumber,
    /// The terms of the number forbid a machine.
    Terms,
    /// An account could not be asked.
    Unread,
}

impl FindingKind {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Drift => "drift",
            Self::Elsewhere => "elsewhere",
            Self::NotConnected => "not-connected",
            Self::NoAssistant => "no-assistant",
            Self::NoNumber => "no-number",
            Self::Terms => "terms",
            Self::Unread => "unread",
        }
    }
}

/// Something that is wrong.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// What.
    pub kind: FindingKind,
    /// Of which number.
    pub number: Option<PhoneNumber>,
    /// Of which assistant.
    pub assistant: Option<AssistantName>,
    /// In which account.
    pub account: Option<AccountSid>,
    /// The settings that are not as they should be.
    pub changes: Vec<WiringChange>,
    /// What to do, in words.
    pub what: String,
}

impl Telephony {
    /// Everything that is wrong, and how many numbers were looked at.
    pub async fn check(
        &self,
        actor: &Actor,
        account: Option<&AccountSid>,
    ) -> Result<(Vec<Finding>, usize)> {
        let wanted = self.home.wiring()?;
        let assistants = self.assistants(actor).await?;
        let mut inventory = self.list(actor, account).await?;
        if inventory.numbers.is_empty() && !inventory.unread.is_empty() {
            // Nothing was looked at: that is no finding.
            let Unread { account, why } = inventory.unread.swap_remove(0);
            let told = format!("the account {account} could not be asked: {}", why.with_causes());
            return Err(Error::new(why.kind(), told).maybe_hint(why.hint_text().map(str::to_owned)));
        }
        let mut findings = Vec::new();
        for standing in &inventory.numbers {
            let finding = |kind, what: String| Finding {
                kind,
                number: Some(standing.owned.number.clone()),
                assistant: standing.assistant.clone(),
                account: Some(standing.account.clone()),
                changes: if standing.assistant.is_some() {
                    standing.owned.wiring.changes_to(&wanted)
                } else {
                    Vec::new()
                },
                what,
            };
            // One that its assistant looks for in another account is told of as that.
            let in_its_account = |name: &AssistantName| {
                let its = assistants.iter().find(|one| one.spec.name == *name);
                let named = its.and_then(|one| one.spec.twilio.account_sid.as_ref());
                named.or(self.access.account.as_ref()) == Some(&standing.account)
            };
            let name = standing.assistant.as_ref();
            let repair =
                |name: &AssistantName| format!("`webox numbers connect {name}` sets it right");
            match (name, standing.leads) {
                (Some(name), _) if !in_its_account(name) => {}
                (Some(name), _) if !standing.owned.voice => findings.push(finding(
                    FindingKind::NotConnected,
                    format!("it takes no calls, only messages: give `{name}` another number"),
                )),
                (Some(name), Leads::HereAlmost) => {
                    findings.push(finding(FindingKind::Drift, repair(name)));
                }
                (Some(name), Leads::Nowhere) => {
                    findings.push(finding(FindingKind::NotConnected, repair(name)));
                }
                (Some(name), Leads::Elsewhere | Leads::Unknown) => {
                    findings.push(finding(FindingKind::Elsewhere, repair(name)));
                }
                (None, Leads::Here | Leads::HereAlmost) => findings.push(finding(
                    FindingKind::NoAssistant,
                    "its callers hear that nobody has it: give it to an assistant, or `webox numbers release` it".to_owned(),
                )),
                // One for messages alone cannot be answered.
                (None, Leads::Nowhere) if !standing.owned.voice => {}
                (None, Leads::Nowhere) => findings.push(finding(
                    FindingKind::NoAssistant,
                    "it is paid for, and nobody answers it".to_owned(),
                )),
                // As it should be, or somebody else's.
                (Some(_), Leads::Here) | (None, Leads::Elsewhere | Leads::Unknown) => {}
            }
            if name.is_some()
                && let Err(error) = standing.owned.number.may_be_a_machines()
            {
                findings.push(finding(FindingKind::Terms, error.to_string()));
            }
        }
        findings.extend(without_number(
            &assistants,
            &inventory,
            account,
            self.access.account.as_ref(),
        ));
        findings.extend(inventory.unread.iter().map(|unread| Finding {
            kind: FindingKind::Unread,
            number: None,
            assistant: None,
            account: Some(unread.account.clone()),
            changes: Vec::new(),
            what: unread.why.with_causes(),
        }));
        Ok((findings, inventory.numbers.len()))
    }
}

/// Assistants in service whose number is in no account that could be asked.
fn without_number(
    assistants: &[Assistant],
    inventory: &Inventory,
    only: Option<&AccountSid>,
    agencys: Option<&AccountSid>,
) -> Vec<Finding> {
    let in_account = |assistant: &Assistant| {
        assistant.spec.twilio.account_sid.clone().or_else(|| agencys.cloned())
    };
    let is_unread = |account: &Option<AccountSid>| {
        inventory.unread.iter().any(|unread| Some(&unread.account) == account.as_ref())
    };
    assistants
        .iter()
        .filter(|one| one.spec.active)
        .filter_map(|one| {
            let account = in_account(one);
            let asked = only.is_none_or(|only| Some(only) == account.as_ref());
            let has = inventory.numbers.iter().any(|standing| {
                standing.owned.number == one.spec.phone.number
                    && Some(&standing.account) == account.as_ref()
            });
            if !asked || has || is_unread(&account) {
                return None;
            }
            let other = inventory
                .numbers
                .iter()
                .find(|standing| standing.owned.number == one.spec.phone.number);
            Some(Finding {
                kind: FindingKind::NoNumber,
                number: Some(one.spec.phone.number.clone()),
                assistant: Some(one.spec.name.clone()),
                what: match other {
                    Some(other) => format!("the account {} has its number", other.account),
                    None => "nobody can call it: buy its number, or give it another".to_owned(),
                },
                account,
                changes: Vec::new(),
            })
        })
        .collect()
}
