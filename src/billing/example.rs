//! The reference call: where the money of five minutes goes, by line, model and voice.

use jiff::Timestamp;

use crate::domain::{Cost, PriceBook, Unit, Use, VoiceLine};

/// How long the call is, in minutes.
const MINUTES: u64 = 5;
/// How often the caller says something and is answered.
const EXCHANGES: u64 = 15;
/// Tokens of what the assistant is told: its client's context, rules and tools.
const TOLD: u64 = 1_500;
/// Tokens that an exchange adds to the next prompt.
const EXCHANGE: u64 = 100;
/// Tokens of a reply.
const REPLY: u64 = 60;
/// Characters of a reply. The greeting is kept, and spoken for nobody's call.
const SPOKEN: u64 = 120;
/// Seconds of sound around what the caller says once; silence is not sent.
const HEARD: u64 = 6;
/// Providers keep prompts in steps of so many tokens, and none shorter than eight of them.
const STEP: u64 = 128;

/// A way to set an assistant up.
#[derive(Debug, Clone, Copy)]
pub struct Setup {
    /// How speech travels.
    pub line: VoiceLine,
    /// Who listens, where that is ours to say.
    pub ear: Option<&'static str>,
    /// Who answers: `provider/model` or `builtin`.
    pub model: &'static str,
    /// Who speaks, where that is ours to say: provider and voice.
    pub mouth: Option<(&'static str, &'static str)>,
}

/// What the reference call comes to, part by part.
#[derive(Debug, Clone, Copy, Default)]
pub struct Example {
    /// The minutes of the telephone, and of what the call goes over.
    pub minutes: Cost,
    /// Listening.
    pub heard: Cost,
    /// Tokens, also for the summary after the call.
    pub thought: Cost,
    /// Speaking.
    pub spoken: Cost,
    /// Whether some of it is a guess.
    pub unpriced: bool,
}

impl Example {
    /// All of it.
    pub const fn total(&self) -> Cost {
        self.minutes.plus(self.heard).plus(self.thought).plus(self.spoken)
    }
}

const FLASH: Option<(&str, &str)> = Some(("elevenlabs", "eleven_flash_v2_5"));
const CHIRP: Option<(&str, &str)> = Some(("google", "fr-FR-Chirp3-HD-Aoede"));
const LOCAL: Option<(&str, &str)> = Some(("local", "piper:fr_FR-siwis-medium"));
const NOVA: Option<&str> = Some("deepgram/nova-3");

/// The setups that are compared; the first is what a fresh install does, the second with a key.
pub const SETUPS: [Setup; 12] = [
    Setup { line: VoiceLine::Gather, ear: None, model: "builtin", mouth: None },
    Setup { line: VoiceLine::Gather, ear: None, model: "openai/gpt-6.1-terra", mouth: None },
    Setup { line: VoiceLine::Gather, ear: None, model: "openai/gpt-6-luna", mouth: None },
    Setup { line: VoiceLine::Gather, ear: None, model: "openai/gpt-6-luna", mouth: FLASH },
    Setup { line: VoiceLine::Relay, ear: None, model: "openai/gpt-6-luna", mouth: None },
    Setup { line: VoiceLine::Stream, ear: NOVA, model: "openai/gpt-6-luna", mouth: FLASH },
    Setup { line: VoiceLine::Stream, ear: NOVA, model: "openai/gpt-6-luna", mouth: CHIRP },
    Setup { line: VoiceLine::Stream, ear: NOVA, model: "openai/gpt-6.1-terra", mouth: CHIRP },
    Setup { line: VoiceLine::Stream, ear: NOVA, model: "anthropic/claude-haiku-5-5", mouth: CHIRP },
    Setup {
        line: VoiceLine::Stream,
        ear: NOVA,
        model: "anthropic/claude-sonnet-5-5",
        mouth: CHIRP,
    },
    Setup { line: VoiceLine::Stream, ear: NOVA, model: "openai/gpt-6-luna", mouth: LOCAL },
    Setup { line: VoiceLine::Stream, ear: NOVA, model: "builtin", mouth: LOCAL },
];

/// What the reference call to a French number comes to.
pub fn reckon(book: &PriceBook, setup: &Setup, at: Timestamp) -> Example {
    let mut example = Example::default();
    let mut sum = |uses: Vec<Use>| {
        uses.into_iter().filter(|one| one.quantity > 0).fold(Cost::default(), |sum, one| {
            let reckoned = book.reckon(one, at);
            example.unpriced |= reckoned.unpriced;
            sum.plus(reckoned.cost)
        })
    };
    let minutes = |what: &str| Use::of_twilio(what, Unit::Minute, MINUTES);
    let mut over = vec![minutes("inbound-FR")];
    let mut heard = Vec::new();
    match setup.line {
        VoiceLine::Gather => {
            heard.push(Use::of_twilio("gather", Unit::Recognition, EXCHANGES));
        }
        VoiceLine::Relay => over.push(minutes("relay")),
        VoiceLine::Stream => over.push(minutes("stream")),
    }
    heard.extend(setup.ear.map(|ear| Use::of_hearing(ear, EXCHANGES * HEARD)));
    let spoken = setup.mouth.map(|(provider, voice)| {
        let used = Use::of_speech(provider, voice, "");
        Use { quantity: EXCHANGES * SPOKEN, ..used }
    });
    let (minutes, heard) = (sum(over), sum(heard));
    let (thought, spoken) = (sum(tokens(setup.model)), sum(spoken.into_iter().collect()));
    Example { minutes, heard, thought, spoken, unpriced: example.unpriced }
}

/// What models are asked in the call, and for its summary.
fn tokens(model: &str) -> Vec<Use> {
    let Some((provider, model)) = model.split_once('/') else { return Vec::new() };
    let of = |unit, count| Use::new(provider, model, unit, count);
    let mut uses = Vec::new();
    let mut kept = 0;
    for exchange in 0..EXCHANGES {
        let prompt = TOLD + exchange * EXCHANGE;
        uses.push(of(Unit::Cached, kept));
        // What is new is put into the cache; where that has no price of its own, it is read.
        uses.push(of(Unit::CacheWrite, prompt - kept));
        uses.push(of(Unit::Output, REPLY));
        kept = prompt / STEP * STEP;
    }
    uses.push(of(Unit::Input, TOLD + EXCHANGES * EXCHANGE));
    uses.push(of(Unit::Output, REPLY));
    uses
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::billing::rates;

    #[test]
    fn the_reference_call_is_the_sum_of_its_parts() {
        let (book, at) = (rates::shipped(), "2026-11-26T12:00:00Z".parse().unwrap());
        let of = |setup: usize| reckon(&book, &SETUPS[setup], at);
        // Five minutes at a cent and fifteen recognitions at two; nothing else.
        let fresh = of(0);
        assert_eq!(fresh.minutes.usd.to_string(), "0.05");
        assert_eq!(fresh.heard.usd.to_string(), "0.30");
        assert_eq!(fresh.total().usd.to_string(), "0.35");
        // ConversationRelay hears and speaks within its own minutes.
        let relay = of(4);
        assert_eq!(
            (relay.minutes.usd.to_string(), relay.heard.usd),
            ("0.40".into(), Cost::default().usd)
        );
        // Ninety seconds of sound, and 1,800 characters.
        let stream = of(5);
        assert_eq!(stream.minutes.usd.to_string(), "0.072");
        assert_eq!(stream.heard.usd.to_string(), "0.01065");
        assert_eq!(stream.spoken.usd.to_string(), "0.072");
        assert!(stream.thought.usd < "0.002".parse().unwrap(), "{}", stream.thought.usd);
    }
}
