use super::*;

/// An ear that does what it is told with the words it has.
struct Scripted {
    id: &'static str,
    ends_turns: bool,
    does: Does,
    heard: Arc<Mutex<Vec<Sound>>>,
}

#[derive(Clone, Copy)]
enum Does {
    /// Tells all bytes of an utterance as a final, when it is finished.
    Hear,
    /// Fails at once.
    Fail(Outcome),
    /// Tells the first sound as a final, and fails at the second.
    FailMidway,
    /// Never finishes.
    Hang,
    /// Tells a turn's end with each sound.
    EndTurns,
}

fn ear(id: &'static str, does: Does) -> Arc<Scripted> {
    Arc::new(Scripted {
        id,
        ends_turns: matches!(does, Does::EndTurns),
        does,
        heard: Arc::default(),
    })
}

fn last(text: &str) -> Heard {
    Heard::Final { text: text.to_owned(), confidence: None, language: None }
}

impl SpeechToText for Scripted {
    fn id(&self) -> &str {
        self.id
    }

    fn ends_turns(&self) -> bool {
        self.ends_turns
    }

    fn listen(&self, _request: ListenRequest) -> Listening {
        let (does, heard) = (self.does, Arc::clone(&self.heard));
        listening(None, move |mut sounds, teller| async move {
            if let Does::Fail(outcome) = does {
                return Err(SpeechError::new(outcome, "as it was told to").into());
            }
            let mut text = String::new();
            let mut count = 0;
            while let Some(sound) = sounds.recv().await {
                heard.lock().unwrap().push(sound.clone());
                match sound {
                    Sound::Audio(audio) => {
                        count += 1;
                        text.push_str(&String::from_utf8_lossy(&audio));
                        match does {
                            Does::FailMidway if count == 2 => {
                                let broken = SpeechError::new(Outcome::BrokenStream, "midway");
                                return Err(broken.into());
                            }
                            Does::FailMidway => teller.tell(last(text.trim())).await?,
                            Does::EndTurns => {
                                teller.tell(last(text.trim())).await?;
                                teller.tell(Heard::TurnEnd).await?;
                                text.clear();
                            }
                            _ => teller.tell(Heard::Interim(text.clone())).await?,
                        }
                    }
                    Sound::Finish if matches!(does, Does::Hang) => {}
                    Sound::Finish => {
                        if !text.is_empty() {
                            teller.tell(last(text.trim())).await?;
                        }
                        teller.tell(Heard::Finished).await?;
                        text.clear();
                    }
                }
            }
            Ok(())
        })
    }
}

/// A gate that remembers.
#[derive(Default)]
struct Remembers {
    closed: Vec<&'static str>,
    told: Mutex<Vec<(String, Result<(), Outcome>)>>,
}

impl Gate for Remembers {
    fn allows(&self, id: &str) -> bool {
        !self.closed.contains(&id)
    }

    fn report(&self, id: &str, outcome: Result<(), Outcome>) {
        self.told.lock().unwrap().push((id.to_owned(), outcome));
    }
}

fn chain(ears: &[Arc<Scripted>], gate: Arc<dyn Gate>) -> ListeningChain {
    let ears = ears.iter().map(|ear| Arc::clone(ear) as Arc<dyn SpeechToText>).collect();
    ListeningChain::new(ears, gate).finish_within(Duration::from_millis(60))
}

fn audio(text: &'static str) -> Sound {
    Sound::Audio(Bytes::from_static(text.as_bytes()))
}

/// Finals and what follows them, until the utterance is finished or listening ends.
async fn utterance(listening: &mut Listening) -> Vec<Result<Heard, SpeechError>> {
    let mut told = Vec::new();
    while let Some(heard) = listening.heard.next().await {
        let over = matches!(heard, Ok(Heard::Finished) | Err(_));
        if !matches!(heard, Ok(Heard::Interim(_))) {
            told.push(heard);
        }
        if over {
            break;
        }
    }
    told
}

#[tokio::test]
async fn the_first_ear_is_enough_when_it_hears() {
    let gate = Arc::new(Remembers::default());
    let ears = [ear("deepgram/nova-3", Does::Hear), ear("google/telephony", Does::Hear)];
    let (mut listening, record) = chain(&ears, gate.clone()).listen(ListenRequest::default());
    for words in ["a table ", "for two "] {
        listening.sound.send(audio(words)).await.unwrap();
        listening.sound.send(Sound::Finish).await.unwrap();
        assert_eq!(utterance(&mut listening).await, [Ok(last(words.trim())), Ok(Heard::Finished)]);
    }
    drop(listening.sound);
    assert!(listening.heard.next().await.is_none());
    assert_eq!(record.used().as_deref(), Some("deepgram/nova-3"));
    assert_eq!(record.failures(), []);
    assert!(ears[1].heard.lock().unwrap().is_empty());
    assert!(gate.told.lock().unwrap().iter().all(|told| *told == ("stt/deepgram".into(), Ok(()))));
}

#[tokio::test]
async fn the_next_ear_hears_the_utterance_again() {
    let gate = Arc::new(Remembers::default());
    let ears = [ear("deepgram/nova-3", Does::FailMidway), ear("google/telephony", Does::Hear)];
    let (mut listening, record) = chain(&ears, gate.clone()).listen(ListenRequest::default());
    for sound in [audio("I would "), audio("like a "), audio("table"), Sound::Finish] {
        listening.sound.send(sound).await.unwrap();
    }
    // What the first one told is not told again.
    assert_eq!(
        utterance(&mut listening).await,
        [Ok(last("I would")), Ok(last("like a table")), Ok(Heard::Finished)]
    );
    let failures = record.failures();
    assert_eq!(failures.len(), 1);
    assert_eq!(
        (&failures[0].0[..], failures[0].1.outcome),
        ("deepgram/nova-3", Outcome::BrokenStream)
    );
    assert_eq!(record.used().as_deref(), Some("google/telephony"));
    let told = gate.told.lock().unwrap().clone();
    assert!(told.contains(&("stt/deepgram".to_owned(), Err(Outcome::BrokenStream))), "{told:?}");
    // The next utterance is heard by it alone.
    listening.sound.send(audio("I would")).await.unwrap();
    listening.sound.send(Sound::Finish).await.unwrap();
    assert_eq!(utterance(&mut listening).await, [Ok(last("I would")), Ok(Heard::Finished)]);
}

#[tokio::test]
async fn an_ear_that_never_finishes_is_not_waited_for() {
    let ears = [ear("openai/whisper-1", Does::Hang), ear("google/telephony", Does::Hear)];
    let chain = chain(&ears, Arc::new(OpenGate));
    let (mut listening, record) = chain.listen(ListenRequest::default());
    listening.sound.send(audio("a table")).await.unwrap();
    listening.sound.send(Sound::Finish).await.unwrap();
    assert_eq!(utterance(&mut listening).await, [Ok(last("a table")), Ok(Heard::Finished)]);
    assert_eq!(record.failures()[0].1.outcome, Outcome::TimedOut);
}

#[tokio::test]
async fn when_no_ear_is_left_the_last_error_is_told() {
    let ears = [
        ear("deepgram/nova-3", Does::Fail(Outcome::Denied)),
        ear("openai/whisper-1", Does::Fail(Outcome::Unreachable)),
    ];
    let (mut listening, record) = chain(&ears, Arc::new(OpenGate)).listen(ListenRequest::default());
    let told = utterance(&mut listening).await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].as_ref().unwrap_err().outcome, Outcome::Unreachable);
    assert!(listening.heard.next().await.is_none());
    assert_eq!(record.failures().len(), 2);
    let (mut nobody, _) = chain(&[], Arc::new(OpenGate)).listen(ListenRequest::default());
    assert_eq!(utterance(&mut nobody).await[0].as_ref().unwrap_err().outcome, Outcome::NoKey);
}

#[tokio::test]
async fn a_closed_gate_is_passed_by_unless_nothing_else_is_left() {
    let gate = || Arc::new(Remembers { closed: vec!["stt/deepgram"], ..Remembers::default() });
    let ears = [ear("deepgram/nova-3", Does::Hear), ear("google/telephony", Does::Hear)];
    let (_listening, record) = chain(&ears, gate()).listen(ListenRequest::default());
    assert_eq!(record.used().as_deref(), Some("google/telephony"));
    let (_listening, record) = chain(&ears[..1], gate()).listen(ListenRequest::default());
    assert_eq!(record.used().as_deref(), Some("deepgram/nova-3"));
}

#[tokio::test]
async fn who_ends_the_turns_may_change() {
    let ears = [ear("deepgram/flux", Does::EndTurns), ear("google/telephony", Does::Hear)];
    let (mut listening, record) = chain(&ears, Arc::new(OpenGate)).listen(ListenRequest::default());
    assert!(record.ends_turns());
    listening.sound.send(audio("hello")).await.unwrap();
    assert_eq!(listening.heard.next().await, Some(Ok(last("hello"))));
    assert_eq!(listening.heard.next().await, Some(Ok(Heard::TurnEnd)));
    let failing = [ear("deepgram/flux", Does::Fail(Outcome::Denied)), ears[1].clone()];
    let (mut listening, record) =
        chain(&failing, Arc::new(OpenGate)).listen(ListenRequest::default());
    listening.sound.send(Sound::Finish).await.unwrap();
    assert_eq!(utterance(&mut listening).await, [Ok(Heard::Finished)]);
    assert!(!record.ends_turns());
}

#[test]
fn what_is_unfinished_is_bounded_and_keeps_its_ends() {
    let mut unfinished = Unfinished::default();
    for sound in [audio("a"), audio("b"), Sound::Finish, audio("c")] {
        unfinished.push(sound);
    }
    assert_eq!(unfinished.again(), [audio("ab"), Sound::Finish, audio("c")]);
    unfinished.finished();
    assert_eq!(unfinished.again(), [audio("c")]);
    unfinished.finished();
    assert_eq!(unfinished.again(), [audio("c")]);
    unfinished.push(Sound::Finish);
    unfinished.turn_ended();
    assert_eq!(unfinished.again(), [Sound::Finish]);
    for _ in 0..2 * LONGEST / 160 {
        unfinished.push(Sound::Audio(Bytes::from_static(&[0; 160])));
    }
    assert!(unfinished.length <= LONGEST);
    assert_eq!(unfinished.again()[0], Sound::Finish);
}
