use super::*;

/// A second and a bit of a question.
const QUESTION: &[u8] = include_bytes!("../../rehearsal/bench/question.ulaw");

struct Listener {
    hearing: Hearing,
    ear: Vec<Sound>,
    now: Instant,
    noticed: Vec<Noticed>,
    frames: usize,
}

impl Listener {
    fn new(hearing: &str) -> Self {
        let spec: AssistantSpec = serde_json::from_str(&format!(
            r#"{{"name":"a","client":"A","phone":"+33123456789","context":"",
                "voice":{{"line":"stream","provider":"local"}},
                "hearing":{{"provider":"deepgram"{hearing}}}}}"#
        ))
        .unwrap();
        Self {
            hearing: Hearing::new(&spec, false),
            ear: Vec::new(),
            now: Instant::now(),
            noticed: Vec::new(),
            frames: 0,
        }
    }

    fn frame(&mut self, frame: &[u8; FRAME], attention: Attention) {
        self.now += std::time::Duration::from_millis(20);
        self.frames += 1;
        let noticed = self.hearing.hear(frame, self.now, attention, &mut self.ear);
        self.noticed.extend(noticed);
    }

    fn speech(&mut self, attention: Attention) {
        for frame in QUESTION.chunks_exact(FRAME) {
            self.frame(frame.try_into().unwrap(), attention);
        }
    }

    fn silence(&mut self, ms: usize) {
        for _ in 0..ms / 20 {
            self.frame(&[g711::SILENCE; FRAME], Attention::Full);
        }
    }

    fn tell(&mut self, heard: Heard) {
        let noticed = self.hearing.understand(heard, self.now, Attention::Full);
        self.noticed.extend(noticed);
    }

    fn understood(&mut self, text: &str) {
        self.tell(Heard::Final { text: text.into(), confidence: Some(0.9), language: None });
        self.tell(Heard::Finished);
    }

    fn finishes(&self) -> usize {
        self.ear.iter().filter(|sound| **sound == Sound::Finish).count()
    }

    fn sound(&self) -> usize {
        let length = |sound: &Sound| match sound {
            Sound::Audio(bytes) => bytes.len(),
            Sound::Finish => 0,
        };
        self.ear.iter().map(length).sum()
    }

    fn utterances(&self) -> Vec<&Uttered> {
        self.noticed
            .iter()
            .filter_map(|noticed| match noticed {
                Noticed::Utterance(uttered) => Some(uttered),
                _ => None,
            })
            .collect()
    }
}

#[test]
fn silence_costs_nothing_and_an_utterance_is_told_once_it_is_over() {
    let mut listener = Listener::new("");
    listener.silence(2_000);
    assert!(listener.ear.is_empty() && listener.noticed.is_empty());
    listener.speech(Attention::Full);
    listener.silence(300);
    assert_eq!(listener.finishes(), 1, "the words are asked for before the silence is long enough");
    let sound = listener.sound();
    assert!(sound >= QUESTION.len() && sound < QUESTION.len() + 8_000, "{sound}");
    listener.understood("Avez-vous un parking ?");
    assert!(listener.utterances().is_empty(), "a breath is no end");
    listener.silence(300);
    let uttered = listener.utterances();
    assert_eq!((uttered.len(), uttered[0].text.as_str()), (1, "Avez-vous un parking ?"));
    assert_eq!(uttered[0].confidence, Some(0.9));
    assert!((400..=440).contains(&uttered[0].endpoint_ms), "{uttered:?}");
}

#[test]
fn words_that_come_late_are_waited_for_and_at_last_done_without() {
    let mut listener = Listener::new("");
    listener.silence(200);
    listener.speech(Attention::Full);
    listener.silence(1_000);
    assert!(listener.utterances().is_empty());
    listener.understood("Oui");
    let late = listener.utterances()[0].clone();
    assert!(late.words_ms > late.endpoint_ms && !late.gave_up, "{late:?}");
    listener.speech(Attention::Full);
    listener.silence(7_000);
    let never = listener.utterances()[1].clone();
    assert!(never.gave_up && never.text.is_empty(), "{never:?}");
    // They come after all: they are not taken for those of what is said next.
    listener.speech(Attention::Full);
    listener.understood("trop tard");
    listener.silence(300);
    listener.understood("Bonjour.");
    listener.silence(400);
    assert_eq!(listener.utterances()[2].text, "Bonjour.");
}

#[test]
fn a_pause_in_the_middle_is_no_end_after_a_hesitation() {
    let mut listener = Listener::new("");
    listener.silence(200);
    listener.speech(Attention::Full);
    listener.silence(300);
    listener.understood("Je voudrais, euh");
    listener.silence(500);
    assert!(listener.utterances().is_empty(), "800 ms after a hesitation");
    listener.speech(Attention::Full);
    listener.silence(300);
    listener.understood("une table pour deux.");
    listener.silence(400);
    assert_eq!(listener.utterances()[0].text, "Je voudrais, euh une table pour deux.");
}

#[test]
fn a_caller_interrupts_within_a_quarter_of_a_second_unless_nobody_may() {
    let mut listener = Listener::new("");
    listener.silence(200);
    let first_voice = 200 / 20;
    for frame in QUESTION.chunks_exact(FRAME) {
        listener.frame(frame.try_into().unwrap(), Attention::Divided);
        if listener.noticed.contains(&Noticed::Interruption) {
            break;
        }
    }
    let after = (listener.frames - first_voice) * 20;
    assert!(listener.noticed.contains(&Noticed::Interruption) && after <= 400, "{after} ms");
    let mut deaf = Listener::new("");
    deaf.silence(200);
    deaf.speech(Attention::None);
    deaf.silence(1_000);
    assert!(deaf.noticed.is_empty() && deaf.ear.is_empty());
    let mut never = Listener::new(r#","barge_in":"off""#);
    never.silence(200);
    never.speech(Attention::Divided);
    assert!(!never.noticed.contains(&Noticed::Interruption));
}

#[test]
fn whoever_never_pauses_is_answered_all_the_same() {
    let mut listener = Listener::new("");
    listener.silence(200);
    for _ in 0..40 {
        listener.speech(Attention::Full);
        if listener.finishes() > 0 {
            break;
        }
    }
    assert!(listener.finishes() > 0, "after half a minute");
    listener.tell(Heard::Final {
        text: "et encore et encore".into(),
        confidence: None,
        language: None,
    });
    listener.tell(Heard::Finished);
    listener.speech(Attention::Full);
    listener.silence(3_000);
    assert_eq!(listener.utterances()[0].text, "et encore et encore");
    assert!(listener.finishes() <= 2, "asked for once, not with every frame");
}

fn probably(listener: &Listener) -> Vec<&str> {
    listener
        .noticed
        .iter()
        .filter_map(|noticed| match noticed {
            Noticed::Probably(words) => Some(words.as_str()),
            Noticed::WentOn => Some("…"),
            _ => None,
        })
        .collect()
}

#[test]
fn whoever_wants_to_start_early_learns_when_the_caller_has_probably_finished() {
    let mut listener = Listener::new(r#","start_early":true,"pause_ms":800"#);
    listener.speech(Attention::Full);
    listener.silence(260);
    assert_eq!(probably(&listener), Vec::<&str>::new(), "the words are not known yet");
    listener.understood("Avez-vous un parking");
    assert_eq!(probably(&listener), ["Avez-vous un parking"]);
    listener.silence(200);
    listener.speech(Attention::Full);
    assert_eq!(probably(&listener), ["Avez-vous un parking", "…"]);
    listener.silence(220);
    assert_eq!(probably(&listener).len(), 2, "the words so far are not all");
    listener.silence(40);
    listener.understood("pour ce soir ?");
    let all = "Avez-vous un parking pour ce soir ?";
    assert_eq!(probably(&listener), ["Avez-vous un parking", "…", all]);
    listener.silence(800);
    assert_eq!(listener.utterances()[0].text, all);
    assert_eq!(probably(&listener).len(), 3, "once is enough");
}

#[test]
fn nothing_is_started_early_after_euh_or_unasked() {
    for (settings, words) in [
        (r#","start_early":true"#, "Je voudrais, euh"),
        (r#","start_early":true,"pause_ms":3000"#, "Je voudrais, euh"),
        ("", "Avez-vous un parking"),
    ] {
        let mut listener = Listener::new(settings);
        listener.speech(Attention::Full);
        listener.silence(260);
        listener.understood(words);
        listener.silence(3_000);
        assert_eq!(listener.utterances().len(), 1);
        assert_eq!(probably(&listener), Vec::<&str>::new(), "{words}");
    }
}

#[test]
fn an_ear_that_ends_turns_says_so_before() {
    let mut listener = Listener::new(r#","start_early":true"#);
    listener.hearing.set_continuous(true);
    listener.speech(Attention::Full);
    listener.tell(Heard::Interim("Avez-vous un parking".into()));
    listener.tell(Heard::EagerTurnEnd);
    listener.tell(Heard::TurnResumed);
    listener.tell(Heard::EagerTurnEnd);
    listener.tell(Heard::TurnEnd);
    assert_eq!(probably(&listener), ["Avez-vous un parking", "…", "Avez-vous un parking"]);
    assert_eq!(listener.utterances().len(), 1);
}
