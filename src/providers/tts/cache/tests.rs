use std::{fs, os::unix::fs::PermissionsExt, time::Duration};

use futures_util::TryStreamExt;

use super::*;
use crate::{domain::Outcome, providers::speech::SpeechError};

const MIB: u64 = 1024 * 1024;

fn french() -> LanguageTag {
    LanguageTag::french()
}

fn name(sounds: &Sounds, text: &str) -> SoundName {
    sounds.name("openai", "tts/alloy", &french(), text)
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|end| end == "ulaw")).collect()
}

#[tokio::test]
async fn what_was_kept_is_there_after_a_restart_and_tells_nothing() {
    let home = tempfile::tempdir().unwrap();
    // Where root looks at a daemon's database, the sounds are the daemon's: only root may give files away.
    let _ = std::os::unix::fs::chown(home.path(), Some(12_345), None);
    let folder = home.path().join("a/webox.db.sounds");
    let sounds = Sounds::open(&folder, MIB).unwrap();
    let greeting = name(&sounds, "Le Gourmet, bonjour.");
    assert_eq!(sounds.find(greeting, 20).await, None);
    sounds.keep(greeting, &Bytes::from_static(b"sound"));
    drop(sounds);

    let sounds = Sounds::open(&folder, MIB).unwrap();
    assert_eq!(name(&sounds, "Le Gourmet, bonjour."), greeting);
    assert!(sounds.holds(greeting));
    assert_eq!(sounds.find(greeting, 20).await.as_deref(), Some(b"sound".as_slice()));
    for other in [
        sounds.name("azure", "tts/alloy", &french(), "Le Gourmet, bonjour."),
        sounds.name("openai", "tts/nova", &french(), "Le Gourmet, bonjour."),
        sounds.name("openai", "tts/alloy", &"fr-CA".parse().unwrap(), "Le Gourmet, bonjour."),
        sounds.name("openaitts", "/alloy", &french(), "Le Gourmet, bonjour."),
        name(&sounds, "Le Gourmet, bonsoir."),
    ] {
        assert!(!sounds.holds(other) && sounds.find(other, 1).await.is_none());
    }
    let figures = sounds.figures();
    assert_eq!((figures.hits, figures.misses, figures.saved_characters), (1, 5, 20));
    assert_eq!((figures.files, figures.most_bytes), (1, MIB));

    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let owner = |path: &Path| std::os::unix::fs::MetadataExt::uid(&fs::metadata(path).unwrap());
    assert_eq!((mode(&folder), owner(&folder)), (0o700, owner(home.path())));
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!((mode(&path), owner(&path)), (0o600, owner(&folder)), "{}", path.display());
        assert!(!path.to_string_lossy().contains("Gourmet"));
    }
    let elsewhere = Sounds::open(&home.path().join("b"), MIB).unwrap();
    assert_ne!(name(&elsewhere, "Le Gourmet, bonjour."), greeting, "each folder has its secret");
}

#[tokio::test]
async fn a_file_that_is_not_whole_is_none() {
    let home = tempfile::tempdir().unwrap();
    for damage in [
        (|file: &mut Vec<u8>| file.truncate(20)) as fn(&mut Vec<u8>),
        |file| file.truncate(file.len() - 1),
        |file| file.push(0),
        |file| file.clear(),
        |file| *file.last_mut().unwrap() ^= 1,
        |file| file[0] ^= 1,
        |file| file[12] ^= 1,
    ] {
        let sounds = Sounds::open(home.path(), MIB).unwrap();
        let one = name(&sounds, "one");
        sounds.keep(one, &Bytes::from(vec![7; 5_000]));
        drop(sounds);
        let path = files(home.path()).pop().unwrap();
        let mut file = fs::read(&path).unwrap();
        damage(&mut file);
        fs::write(&path, file).unwrap();
        let sounds = Sounds::open(home.path(), MIB).unwrap();
        assert_eq!(sounds.find(one, 3).await, None);
        assert!(!sounds.holds(one) && files(home.path()).is_empty(), "it is thrown out");
    }
    // What was there when it was listed, and is no more.
    let sounds = Sounds::open(home.path(), MIB).unwrap();
    let one = name(&sounds, "one");
    sounds.keep(one, &Bytes::from_static(b"x"));
    let sounds = Sounds::open(home.path(), MIB).unwrap();
    fs::remove_file(files(home.path()).pop().unwrap()).unwrap();
    assert!(!sounds.holds(one) && sounds.find(one, 3).await.is_none());
}

#[test]
fn what_is_left_of_a_killed_process_is_cleared_and_other_files_are_left_alone() {
    let home = tempfile::tempdir().unwrap();
    for file in [".half-abc", "notes.txt", "zz.ulaw"] {
        fs::write(home.path().join(file), "x").unwrap();
    }
    let sounds = Sounds::open(home.path(), MIB).unwrap();
    assert_eq!(sounds.figures().files, 0);
    assert!(!home.path().join(".half-abc").exists());
    assert!(home.path().join("notes.txt").exists() && home.path().join("zz.ulaw").exists());
    // A secret that is cut is replaced.
    fs::write(home.path().join("salt"), "short").unwrap();
    Sounds::open(home.path(), MIB).unwrap();
    assert_eq!(fs::read(home.path().join("salt")).unwrap().len(), 32);
}

#[test]
fn the_folder_stays_below_its_bound_and_keeps_what_is_used() {
    let home = tempfile::tempdir().unwrap();
    let sounds = Sounds::open(home.path(), 100_000).unwrap();
    let first = name(&sounds, "first");
    sounds.keep(first, &Bytes::from(vec![1; 10_000]));
    for n in 0..30 {
        sounds.keep(name(&sounds, &n.to_string()), &Bytes::from(vec![1; 10_000]));
        // Uses are counted where files are read.
        lock(&sounds.0.memory).remove(&first);
        assert!(sounds.read(first).is_some(), "{n}");
        assert!(sounds.figures().bytes <= 100_000);
    }
    assert_eq!(files(home.path()).len() as u64, sounds.figures().files);
    assert!(!sounds.0.folder.as_ref().unwrap().lists(name(&sounds, "0")));
    drop(sounds);
    let smaller = Sounds::open(home.path(), 30_000).unwrap();
    assert!(smaller.figures().bytes <= 30_000 && files(home.path()).len() <= 3);
}

#[test]
fn what_one_caller_was_told_is_not_kept() {
    let sounds = Sounds::in_memory().unwrap();
    let text = "Nous avons un parking.";
    let wants = |whom: &str, text: &str| {
        sounds.wants(name(&sounds, text), text, Keep::IfCommon, sounds.listener(whom))
    };
    for _ in 0..10 {
        assert!(!wants("+33612345678", text));
    }
    assert!(!wants("+33600000000", text));
    assert!(!wants("+33612345678", text));
    assert!(wants("+33611111111", text), "the third caller");
    for whom in ["1", "2", "3", "4"] {
        assert!(!wants(whom, "Le 06 12 34 56 78, c'est noté."));
    }
    assert!(sounds.wants(name(&sounds, "x"), "x", Keep::Always, 0));
}

#[tokio::test]
async fn only_a_sound_that_came_to_its_end_is_kept() {
    let sounds = Sounds::in_memory().unwrap();
    let pieces = || [Ok(Bytes::from_static(b"one")), Ok(Bytes::from_static(b"two"))];
    let whole = name(&sounds, "whole");
    let heard: Vec<Bytes> =
        sounds.keeping(whole, Box::pin(stream::iter(pieces()))).try_collect().await.unwrap();
    assert_eq!(heard.concat(), b"onetwo");
    for _ in 0..500 {
        if sounds.holds(whole) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(sounds.read(whole).as_deref(), Some(b"onetwo".as_slice()));

    let broken = name(&sounds, "broken");
    let error = SpeechError::new(Outcome::BrokenStream, "x");
    let sound = stream::iter(pieces().into_iter().chain([Err(error)]));
    let heard: Result<Vec<Bytes>, _> = sounds.keeping(broken, Box::pin(sound)).try_collect().await;
    assert!(heard.is_err());
    let dropped = name(&sounds, "dropped");
    let mut sound = sounds.keeping(dropped, Box::pin(stream::iter(pieces())));
    sound.next().await.unwrap().unwrap();
    drop(sound);
    assert!(!sounds.holds(broken) && !sounds.holds(dropped));
}

#[test]
fn a_key_opens_its_sound_for_a_while_and_nothing_else_does() {
    let home = tempfile::tempdir().unwrap();
    let sounds = Sounds::open(home.path(), MIB).unwrap();
    let names = ["one", "two"].map(|text| name(&sounds, text));
    sounds.keep(names[0], &Bytes::from_static(b"one"));
    sounds.keep(names[1], &Bytes::from_static(b"two"));
    let now = 1_800_000_123;
    let key = sounds.key_to_kept(&names, now).unwrap();
    assert_eq!(sounds.key_to_kept(&names, now + 1).unwrap(), key, "Twilio may keep it");
    let once = sounds.key_to(Bytes::from_static(b"once")).unwrap();

    // The daemon begins again: what is kept is there, what is played once is not.
    let again = Sounds::open(home.path(), MIB).unwrap();
    assert_eq!(again.behind(&key, now).as_deref(), Some(b"onetwo".as_slice()));
    assert!(again.opens(&key, now + 599) && !again.opens(&key, now + 1_200));
    assert!(again.behind(&key, now + 1_200).is_none(), "it is too old");
    assert_eq!(sounds.behind(&once, now).as_deref(), Some(b"once".as_slice()));
    assert!(sounds.opens(&once, now) && !again.opens(&once, now));

    for at in 0..key.len() {
        let other = if key.as_bytes()[at] == b'A' { "B" } else { "A" };
        let forged = format!("{}{other}{}", &key[..at], &key[at + 1..]);
        assert!(sounds.behind(&forged, now).is_none(), "{forged}");
    }
    let elsewhere = Sounds::in_memory().unwrap();
    assert!(elsewhere.behind(&key, now).is_none() && elsewhere.behind(&once, now).is_none());
    for wrong in ["", "A", "AQ", "../salt", "..%2fsalt", "\0", "salt", &"A".repeat(5_000)] {
        assert!(sounds.behind(wrong, now).is_none(), "{wrong:?}");
    }
    assert!(sounds.key_to_kept(&[], now).is_none());
    assert!(sounds.key_to_kept(&[names[0]; 17], now).is_none());
    // One that is thrown out takes what is said around it along: half of it would be worse.
    lock(&sounds.0.memory).remove(&names[1]);
    for file in files(home.path()) {
        fs::remove_file(file).unwrap();
    }
    assert!(!sounds.opens(&key, now) && sounds.behind(&key, now).is_none());
}

#[test]
fn what_waits_to_be_played_is_bounded_and_forgotten() {
    let once = Once::default();
    let now = std::time::Instant::now();
    let large = Bytes::from(vec![0; 20 * 1024 * 1024]);
    let keys: Vec<_> = (0..4).map(|_| once.put(large.clone(), now).unwrap()).collect();
    assert!(once.get(&keys[0], now).is_none(), "the oldest goes first");
    assert!(keys[1..].iter().all(|key| once.get(key, now).is_some()));
    let later = now + Duration::from_mins(10);
    assert!(keys.iter().all(|key| once.get(key, later).is_none()));
}
