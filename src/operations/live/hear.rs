//! The caller is heard, or waited with.

use std::sync::Arc;

use super::{
    Ringing, kept, new_call, next_number,
    outbound::{errand, is_undecided},
};
use crate::{
    domain::{
        Assistant, Call, CallSid, EndReason, Errand, Found, Heard, LanguageTag, Recollection,
        Reply, Result, Turn, TurnId, TurnTimings,
    },
    operations::{afterwards, knowledge::Library, ledger},
    store::{
        Store, StoreError, Tx, calls,
        turns::{self, Finished},
    },
};

/// Something heard from a caller, in answer to turn `number - 1`.
#[derive(Debug, Clone)]
pub struct Utterance {
    /// The call, with what is needed should its row be missing.
    pub ringing: Ringing,
    /// The turn it belongs to, from the action URL.
    pub number: u32,
    /// What was heard.
    pub heard: Heard,
    /// Whether Twilio understood it for us, each time for a price.
    pub by_twilio: bool,
}

/// A turn to think about.
#[derive(Debug, Clone)]
pub struct OpenTurn {
    /// The call.
    pub call: Call,
    /// Who answers.
    pub assistant: Arc<Assistant>,
    /// The turns before.
    pub history: Vec<Turn>,
    /// The turn.
    pub id: TurnId,
    /// What was heard in it, as first stored.
    pub heard: Heard,
    /// Fillers the caller heard so far.
    pub fillers: u32,
    /// What is known of the caller from before, where the file allows it.
    pub known: Option<Recollection>,
    /// What was found in the assistant's documents.
    pub found: Vec<Found>,
    /// What the call is for, where we made it.
    pub errand: Option<Errand>,
}

/// What to do with something heard.
#[derive(Debug, Clone)]
pub enum Hearing {
    /// Think; `again` when it was delivered before and has no reply yet.
    Think {
        /// What about.
        turn: Box<OpenTurn>,
        /// Whether it was delivered before.
        again: bool,
    },
    /// It has its reply already.
    Replied {
        /// Who answers.
        assistant: Arc<Assistant>,
        /// The turn.
        number: u32,
        /// In which language.
        language: LanguageTag,
        /// The TwiML stored with it.
        twiml: String,
        /// Its words.
        said: String,
        /// How many fillers went before.
        fillers: u32,
    },
    /// It belongs to no turn that can be next; this one is.
    OutOfOrder {
        /// The turn that is next.
        next: u32,
        /// Spoken now.
        language: LanguageTag,
        /// Who answers.
        assistant: Arc<Assistant>,
    },
    /// We called, and it is still to be told whether a person picked up: nothing is thought about.
    NotYet {
        /// The turn that is next.
        next: u32,
        /// Spoken now.
        language: LanguageTag,
        /// Who answers.
        assistant: Arc<Assistant>,
    },
    /// The call is over.
    Over,
    /// Nobody has this number.
    NobodyThere,
}

/// Something is heard: its turn is begun, or found.
pub async fn hear(store: &Store, library: &Library, utterance: Utterance) -> Result<Hearing> {
    let cache = store.clone();
    let hearing = store.write_async(move |tx| hear_in(tx, &cache, utterance)).await?;
    Ok(looked_up(store, library, hearing).await)
}

/// With what is found for it in the documents: read beside the writer, which others wait for.
async fn looked_up(store: &Store, library: &Library, mut hearing: Hearing) -> Hearing {
    if let Hearing::Think { turn, .. } = &mut hearing {
        look_up(store, library, turn).await;
    }
    hearing
}

async fn look_up(store: &Store, library: &Library, turn: &mut OpenTurn) {
    turn.found = library.heard(store, &turn.assistant, &turn.heard, &turn.history).await;
}

fn hear_in(tx: &Tx, store: &Store, utterance: Utterance) -> Result<Hearing, StoreError> {
    let Utterance { ringing, number, heard, by_twilio } = utterance;
    let (call, number) = match calls::by_sid(tx, &ringing.sid)? {
        Some(call) => (call, number),
        // Twilio knows the call and we do not (a store restored from a backup): go on from here
        // rather than lose the caller.
        None => match adopt(tx, store, &ringing)? {
            Some(call) => (call, 1),
            None => return Ok(Hearing::NobodyThere),
        },
    };
    let assistant = store.assistants().version(tx, call.assistant_id, call.assistant_revision)?;
    let mut history = turns::of_call(tx, call.id)?;
    if let Some(turn) = history.iter().find(|turn| turn.number == number)
        && let Some(twiml) = &turn.twiml
    {
        return Ok(Hearing::Replied {
            assistant,
            number,
            language: turn.language.clone(),
            twiml: twiml.clone(),
            said: turn.said.clone().unwrap_or_default(),
            fillers: turn.fillers,
        });
    }
    let machine = call.end_reason == Some(EndReason::AnsweringMachine);
    if call.status.is_final() || machine {
        return Ok(Hearing::Over);
    }
    let id = TurnId { call: call.id, number };
    let language = call.language.clone();
    let next = next_number(&history);
    if number != next || number == 0 {
        return Ok(Hearing::OutOfOrder { next: next.max(1), language, assistant });
    }
    if is_undecided(tx, &call, ringing.at)? {
        return Ok(Hearing::NotYet { next, language, assistant });
    }
    let open = history.last().filter(|turn| turn.number == number).cloned();
    let again = open.is_some();
    let (heard, fillers) = if let Some(turn) = open {
        history.pop();
        (turn.heard.unwrap_or(heard), turn.fillers)
    } else {
        // Thought about as it was said, kept as it may be.
        let kept = kept(&heard, assistant.spec.compliance.redact);
        turns::begin(tx, id, Some(&kept), &language, ringing.at)?;
        if by_twilio && matches!(heard, Heard::Speech { .. }) {
            ledger::heard(tx, store, call.assistant_id, id, ringing.at)?;
        }
        (heard, 0)
    };
    let known = afterwards::recall(tx, &assistant, &call)?;
    let (found, errand) = (Vec::new(), errand(tx, &call)?);
    let turn = OpenTurn { call, assistant, history, id, heard, fillers, known, found, errand };
    let turn = Box::new(turn);
    Ok(Hearing::Think { turn, again })
}

/// The turn that would begin if something were heard; nothing when it could not. Nothing is stored.
pub async fn expect(
    store: &Store,
    library: &Library,
    sid: CallSid,
    number: u32,
    heard: Heard,
) -> Result<Option<OpenTurn>> {
    let cache = store.clone();
    let expected = store
        .read_async(move |tx| {
            let Some(call) = calls::by_sid(tx, &sid)? else { return Ok(None) };
            let history = turns::of_call(tx, call.id)?;
            let is_open = history.iter().any(|turn| turn.number == number);
            if call.status.is_final() || is_open || number != next_number(&history) {
                return Ok(None);
            }
            let assistant =
                cache.assistants().version(tx, call.assistant_id, call.assistant_revision)?;
            let id = TurnId { call: call.id, number };
            let known = afterwards::recall(tx, &assistant, &call)?;
            let (found, errand, fillers) = (Vec::new(), errand(tx, &call)?, 0);
            let turn =
                OpenTurn { call, assistant, history, id, heard, fillers, known, found, errand };
            Ok(Some(turn))
        })
        .await?;
    let Some(mut turn) = expected else { return Ok(None) };
    look_up(store, library, &mut turn).await;
    Ok(Some(turn))
}

/// Makes the row of a call that goes on at Twilio's but is unknown here.
fn adopt(tx: &Tx, store: &Store, ringing: &Ringing) -> Result<Option<Call>, StoreError> {
    let Some(to) = &ringing.to else { return Ok(None) };
    let Some(assistant) = store.assistants().by_phone(tx, to)? else { return Ok(None) };
    let call = new_call(ringing, &assistant, to);
    let id = calls::insert_live(tx, &call)?;
    let language = &call.language;
    let turn = TurnId { call: id, number: 0 };
    let greeting = Reply::fixed(String::new(), language.clone());
    let finished =
        Finished { reply: &greeting, timings: TurnTimings::default(), twiml: "", heard: true };
    turns::insert(tx, turn, ringing.at, &finished)?;
    calls::by_sid(tx, &ringing.sid)
}

/// Finds a turn that somebody waits for.
pub async fn waiting(
    store: &Store,
    library: &Library,
    sid: CallSid,
    number: u32,
) -> Result<Hearing> {
    let cache = store.clone();
    let hearing = store
        .read_async(move |tx| {
            let Some(call) = calls::by_sid(tx, &sid)? else { return Ok(Hearing::NobodyThere) };
            let assistant =
                cache.assistants().version(tx, call.assistant_id, call.assistant_revision)?;
            let mut history = turns::of_call(tx, call.id)?;
            let position = history.iter().position(|turn| turn.number == number);
            let Some(position) = position else {
                let next = history.last().map_or(1, |turn| turn.number + 1);
                return Ok(Hearing::OutOfOrder { next, language: call.language, assistant });
            };
            let turn = history.swap_remove(position);
            history.truncate(position);
            if let Some(twiml) = turn.twiml {
                return Ok(Hearing::Replied {
                    assistant,
                    number,
                    language: turn.language,
                    twiml,
                    said: turn.said.unwrap_or_default(),
                    fillers: turn.fillers,
                });
            }
            if call.status.is_final() {
                return Ok(Hearing::Over);
            }
            let id = TurnId { call: call.id, number };
            let heard = turn.heard.unwrap_or(Heard::Silence);
            let known = afterwards::recall(tx, &assistant, &call)?;
            let fillers = turn.fillers;
            let (found, errand) = (Vec::new(), errand(tx, &call)?);
            let open =
                OpenTurn { call, assistant, history, id, heard, fillers, known, found, errand };
            Ok(Hearing::Think { turn: Box::new(open), again: true })
        })
        .await?;
    Ok(looked_up(store, library, hearing).await)
}
