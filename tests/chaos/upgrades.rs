//! One process takes the place of another, again and again, while callers are on the phone by webhooks
//! and by live sockets: the socket that both answer on stays open, as systemd holds it (R11, R3).

use std::{
    net::{SocketAddr, TcpListener},
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use webox::rehearsal::{
    State,
    relayed::RelayedCall,
    streamed::{Manner, StreamedCall},
};

use crate::{
    chaos::{
        WORDS, is_long, look_over, sized,
        soak::{RELAY, STREAM, three_lines},
    },
    stream::QUESTION,
    support::{
        daemon::{CALLER, Daemon, NUMBER, sid, twilio_at, verbs},
        fake_speech::FakeSpeech,
        systemd::handed_over,
    },
};

/// For so long a call on a socket lasts. It sees two or three processes: after six sockets it would go on
/// by webhooks.
const LENGTH: Duration = Duration::from_secs(12);

/// What came of it, for everybody who is on the phone.
#[derive(Default)]
struct Came {
    done: AtomicBool,
    /// Webhooks that were answered, the health checks of new connections beside them.
    answered: AtomicUsize,
    /// Calls on sockets.
    calls: AtomicUsize,
    /// Of these, those that were on none any more when they ended.
    by_webhooks: AtomicUsize,
    /// What was said on such a call, and answered.
    exchanges: AtomicUsize,
    slowest_webhook: Mutex<Duration>,
    /// The longest that somebody on a socket waited for the first of an answer.
    slowest_socket: Mutex<Duration>,
}

impl Came {
    fn is_over(&self) -> bool {
        self.done.load(Ordering::Relaxed)
    }
}

fn longer(slowest: &Mutex<Duration>, took: Duration) {
    let mut slowest = slowest.lock().unwrap();
    *slowest = took.max(*slowest);
}

/// Callers one after the other, a request each so often: each rings, asks three things, and hangs up.
async fn over_webhooks(n: u32, address: SocketAddr, every: Duration, came: &Came) {
    let twilio = twilio_at(address);
    // Keeps no connection: each is as a new caller's.
    let strangers = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
    let to = NUMBER.parse().unwrap();
    let mut ticks = tokio::time::interval(every);
    for call in 0.. {
        let sid = sid(n * 1_000_000 + call);
        for turn in 0..=3 {
            ticks.tick().await;
            if came.is_over() {
                return;
            }
            let begun = Instant::now();
            let alive = strangers.get(format!("http://{address}/healthz")).send().await;
            assert_eq!(alive.expect("nobody is turned away").status(), 200);
            let mut fields = twilio.fields(&sid, CALLER, &to, "in-progress");
            let mut route = "/api/voice/webhook/incoming".to_owned();
            if turn > 0 {
                route = format!("/api/voice/webhook/process?call_sid={sid}&turn={turn}");
                let words = WORDS[turn % WORDS.len()];
                fields.push(("SpeechResult".to_owned(), words.to_owned()));
                fields.push(("Confidence".to_owned(), "0.9".to_owned()));
            }
            let answer = twilio.post(&route, fields).await.expect("every webhook is answered");
            longer(&came.slowest_webhook, begun.elapsed());
            assert_eq!(answer.status, 200, "{}", answer.body);
            // Whoever rings while a process stops rings on.
            assert!(!verbs(&answer).is_empty(), "{}", answer.body);
            came.answered.fetch_add(1, Ordering::Relaxed);
        }
        let fields = twilio.fields(&sid, CALLER, &to, "completed");
        twilio.post("/api/voice/webhook/status", fields).await.expect("the end is taken");
    }
}

/// One call after the other, each long enough to see several processes: asked again and again.
async fn over_relay(address: SocketAddr, came: &Came) {
    let twilio = twilio_at(address);
    let to = RELAY.parse().unwrap();
    while !came.is_over() {
        let (mut call, _) = RelayedCall::place(&twilio, CALLER, &to).await.unwrap();
        came.calls.fetch_add(1, Ordering::Relaxed);
        call.listen().await.unwrap();
        let begun = Instant::now();
        // Whoever speaks while a process ends is heard by nobody, and says it again.
        let mut unheard = 0;
        for asked in 0.. {
            if came.is_over() || begun.elapsed() > LENGTH {
                break;
            }
            let answer = call.say(WORDS[asked % WORDS.len()]).await.unwrap();
            assert_eq!(call.state(), &State::Listening, "{answer:?}");
            unheard = if answer.text.is_empty() { unheard + 1 } else { 0 };
            assert!(unheard < 2, "{answer:?}");
            longer(&came.slowest_socket, answer.after.unwrap_or(answer.whole));
            came.exchanges.fetch_add(1, Ordering::Relaxed);
            call.wait(Duration::from_millis(500)).await.unwrap();
        }
        assert!(call.failures().is_empty(), "{:?}", call.failures());
        came.by_webhooks.fetch_add(usize::from(!call.is_relayed()), Ordering::Relaxed);
        call.hang_up().await.unwrap();
    }
}

async fn over_stream(address: SocketAddr, speech: &FakeSpeech, came: &Came) {
    let twilio = twilio_at(address);
    let to = STREAM.parse().unwrap();
    let manner = Manner { quiet: Duration::from_millis(400), record: false, ..Manner::default() };
    while !came.is_over() {
        let (mut call, _) = StreamedCall::ring(&twilio, CALLER, &to, manner).await.unwrap();
        came.calls.fetch_add(1, Ordering::Relaxed);
        let (begun, mut unheard) = (Instant::now(), 0);
        while !came.is_over() && begun.elapsed() < LENGTH {
            speech.understands(["Avez-vous un parking ?"]);
            let answer = if call.is_streaming() {
                call.say(QUESTION).await.unwrap()
            } else {
                tokio::time::sleep(Duration::from_millis(500)).await;
                call.answer(WORDS[0]).await.unwrap()
            };
            assert_eq!(call.state(), &State::Listening, "{answer:?}");
            let spoken_to = answer.after.is_some() || !answer.text.is_empty();
            unheard = if spoken_to { 0 } else { unheard + 1 };
            assert!(unheard < 2, "{answer:?}");
            longer(&came.slowest_socket, answer.after.unwrap_or_default());
            came.exchanges.fetch_add(1, Ordering::Relaxed);
        }
        assert!(call.failures().is_empty(), "{:?}", call.failures());
        came.by_webhooks.fetch_add(usize::from(!call.is_streaming()), Ordering::Relaxed);
        call.hang_up().await.unwrap();
    }
}

/// How a process ends before the next one begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// SIGTERM, as an upgrade does.
    InGoodOrder,
    /// `kill -9`: what was under way breaks off.
    Killed,
}

/// Has one process follow the other, under so many requests a second and so many calls on either kind of
/// socket.
async fn one_after_the_other(ending: Ending, rounds: u32, a_second: u32, sockets: usize) {
    let speech = FakeSpeech::start();
    let webox = three_lines(&speech);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let command = || handed_over(&listener, &Daemon::command(&webox, &[]));
    let mut daemon = Daemon::spawned(command());
    let address = daemon.address;
    let came = Came::default();
    let at_once = a_second.min(20);
    // Each asks twice at a time: for its own sake, and whether a new connection is taken.
    let every = Duration::from_secs(1) * at_once * 2 / a_second.max(1);
    let webhooks = (0..at_once).map(|n| over_webhooks(n, address, every, &came));
    let relays = (0..sockets).map(|_| over_relay(address, &came));
    let streams = (0..sockets).map(|_| over_stream(address, &speech, &came));
    let exchange = async {
        let mut gaps = Vec::new();
        for _ in 0..rounds {
            // Long enough for those who were handed over to have said something again.
            tokio::time::sleep(Duration::from_secs(4)).await;
            let begun = Instant::now();
            let command = command();
            daemon = tokio::task::spawn_blocking(move || {
                match ending {
                    Ending::InGoodOrder => assert_eq!(daemon.terminate(), Some(0)),
                    Ending::Killed => daemon.kill(),
                }
                Daemon::spawned(command)
            })
            .await
            .unwrap();
            gaps.push(begun.elapsed());
        }
        tokio::time::sleep(Duration::from_secs(4)).await;
        came.done.store(true, Ordering::Relaxed);
        // The last one stays until everybody has hung up.
        (gaps, daemon)
    };
    let (_, _, _, (gaps, daemon)) = tokio::join!(
        futures_util::future::join_all(webhooks),
        futures_util::future::join_all(relays),
        futures_util::future::join_all(streams),
        exchange
    );
    let (answered, exchanges) =
        (came.answered.load(Ordering::Relaxed), came.exchanges.load(Ordering::Relaxed));
    let (webhook, socket) =
        (*came.slowest_webhook.lock().unwrap(), *came.slowest_socket.lock().unwrap());
    eprintln!(
        "upgrades: {rounds} processes ended ({ending:?}), at most {:?} until the next one answered; {answered} \
         webhooks answered, the slowest in {webhook:?}; {} sockets at a time, {} calls, {} of them by webhooks at last, {exchanges} exchanges, the longest wait for an \
         answer {socket:?}",
        gaps.iter().max().unwrap(),
        2 * sockets,
        came.calls.load(Ordering::Relaxed),
        came.by_webhooks.load(Ordering::Relaxed),
    );
    // Twilio gives a webhook fifteen seconds.
    assert!(webhook < Duration::from_secs(10) && socket < Duration::from_secs(10));
    // One that is closed first waits for those who are still speaking.
    let (calls, by_webhooks) =
        (came.calls.load(Ordering::Relaxed), came.by_webhooks.load(Ordering::Relaxed));
    // In the short form there are too few calls for a share that small.
    let share = if is_long() { 8 } else { 2 };
    assert!(
        by_webhooks * share <= calls,
        "{by_webhooks} of {calls} calls are on no socket any more"
    );
    assert!(exchanges >= 2 * sockets * rounds as usize / 2, "{exchanges}");
    drop(daemon);
    // Nobody began anew: each call is one, with all its turns, however many processes it saw.
    let (db, _folder) = look_over(&webox, &webox.db());
    let mut calls = db
        .prepare(
            "SELECT calls.ended_at IS NOT NULL, count(*), max(turns.number)
             FROM calls JOIN turns ON turns.call_id = calls.id WHERE calls.to_number IN (?1, ?2)
             GROUP BY calls.id",
        )
        .unwrap();
    let calls: Vec<(bool, u32, u32)> = calls
        .query_map((RELAY, STREAM), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(calls.len(), came.calls.load(Ordering::Relaxed), "{calls:?}");
    for (ended, turns, last) in &calls {
        // The greeting is the turn before the first.
        assert!(*ended && *turns == last + 1, "{calls:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn upgrades_under_load_turn_nobody_away_and_live_sockets_go_on() {
    let (rounds, a_second, sockets) = sized((3, 20, 2), (20, 200, 25));
    one_after_the_other(Ending::InGoodOrder, rounds, a_second, sockets).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn live_sockets_go_on_after_kill_9() {
    let (rounds, sockets) = sized((3, 2), (20, 25));
    one_after_the_other(Ending::Killed, rounds, 0, sockets).await;
}
