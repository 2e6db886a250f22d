use std::os::unix::fs::PermissionsExt;

use futures_util::TryStreamExt;

use super::*;

fn request(text: &str, language: &str, voice: Option<&str>) -> SpeechRequest {
    let language = language.parse().unwrap();
    SpeechRequest { text: text.to_owned(), language, voice: voice.map(str::to_owned) }
}

async fn speak(mouth: &Local, request: SpeechRequest) -> Result<Vec<u8>, SpeechError> {
    let pieces: Vec<Bytes> = mouth.speak(request).try_collect().await?;
    Ok(pieces.concat())
}

/// A program of ours, in a folder that goes away.
fn program(script: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("program");
    // Written by another process: a descriptor of ours, inherited by a test that forks meanwhile,
    // would make it "text file busy".
    let status = std::process::Command::new("sh")
        .args(["-c", "cat > \"$0\"; chmod +x \"$0\""])
        .arg(&path)
        .stdin({
            let text = folder.path().join("text");
            std::fs::write(&text, format!("#!/bin/sh\n{script}\n")).unwrap();
            std::fs::File::open(text).unwrap()
        })
        .status()
        .unwrap();
    assert!(status.success());
    assert!(path.metadata().unwrap().permissions().mode() & 0o100 != 0);
    (folder, path)
}

/// A program that stalls has long said what it says.
fn deadlines(first_byte: u64) -> Deadlines {
    let milliseconds = std::time::Duration::from_millis;
    Deadlines {
        first_byte: milliseconds(first_byte),
        stall: milliseconds(1_000),
        ..Deadlines::default()
    }
}

/// The same, with less patience.
fn impatient(mouth: &Local) -> Local {
    Local { deadlines: deadlines(300), ..mouth.clone() }
}

fn with_piper(script: &str) -> (tempfile::TempDir, Local) {
    let (folder, path) = program(script);
    let config = r#"{"audio":{"sample_rate":16000},"language":{"code":"fr_FR"}}"#;
    std::fs::write(folder.path().join("anne.onnx"), "").unwrap();
    std::fs::write(folder.path().join("anne.onnx.json"), config).unwrap();
    let settings = LocalSettings {
        piper: Some(path),
        models: Some(folder.path().to_owned()),
        at_once: Some(1),
        espeak: Some("/nowhere/espeak-ng".into()),
    };
    (folder, Local::new(&settings, deadlines(10_000)))
}

#[tokio::test]
async fn words_go_in_by_standard_input_and_sound_comes_out_at_eight_kilohertz() {
    let (folder, mouth) = with_piper(
        "dir=$(dirname \"$0\"); cat > \"$dir/heard\"; echo \"$@\" > \"$dir/arguments\"; env > \"$dir/env\"
         head -c 32000 /dev/zero",
    );
    let sound = speak(&mouth, request("Deux [[x]]\nlignes $(id)", "fr", Some("piper:anne"))).await;
    assert_eq!(sound.unwrap().len(), 8_000, "a second");
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!(read("heard"), "Deux   x   lignes $(id)\n");
    let model = folder.path().join("anne.onnx");
    assert_eq!(read("arguments").trim(), format!("--model {} --output-raw", model.display()));
    for line in read("env").lines() {
        let name = line.split('=').next().unwrap();
        // The last ones are the shell's own.
        assert!(
            VARIABLES.contains(&name) || ["PWD", "SHLVL", "_", "OLDPWD"].contains(&name),
            "{line}"
        );
    }
}

#[tokio::test]
async fn a_program_fails_in_its_ways() {
    let outcome = async |script: &str| {
        let (_folder, mouth) = with_piper(script);
        speak(&mouth, request("Bonjour", "fr", Some("piper:anne"))).await.unwrap_err()
    };
    let refused = outcome("echo first >&2; echo 'no such voice' >&2; exit 3").await;
    assert_eq!(refused.outcome, Outcome::BadRequest);
    assert!(refused.detail.contains("no such voice"), "{refused}");
    assert_eq!(outcome("head -c 9000 /dev/zero; exit 1").await.outcome, Outcome::BrokenStream);
    assert_eq!(outcome("head -c 9000 /dev/zero; exec sleep 60").await.outcome, Outcome::TimedOut);
    assert_eq!(outcome("exit 0").await.outcome, Outcome::Unusable);
    let (_folder, mouth) = with_piper("exec sleep 60");
    let silent = speak(&impatient(&mouth), request("Bonjour", "fr", Some("piper:anne"))).await;
    assert_eq!(silent.unwrap_err().outcome, Outcome::TimedOut);
}

#[tokio::test]
async fn a_dropped_sound_ends_its_program_and_lets_the_next_one_speak() {
    let (folder, mouth) = with_piper("echo $$ > \"$(dirname \"$0\")/pid\"; exec cat /dev/zero");
    let mut sound = mouth.speak(request("Bonjour", "fr", Some("piper:anne")));
    assert!(sound.try_next().await.unwrap().is_some());
    let pid = std::fs::read_to_string(folder.path().join("pid")).unwrap();
    let waiting = speak(&impatient(&mouth), request("Bonjour", "fr", Some("piper:anne"))).await;
    assert_eq!(waiting.unwrap_err().outcome, Outcome::RateLimited, "one at a time");
    drop(sound);
    let process = PathBuf::from(format!("/proc/{}/cmdline", pid.trim()));
    for _ in 0..200 {
        // Gone, or dead and not yet buried.
        if std::fs::read(&process).unwrap_or_default().is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert!(std::fs::read(&process).unwrap_or_default().is_empty());
    let mut sound = mouth.speak(request("Bonjour", "fr", Some("piper:anne")));
    assert!(sound.try_next().await.unwrap().is_some());
}

#[tokio::test]
async fn a_missing_program_says_how_to_get_it() {
    let (_folder, mouth) = with_piper("exit 0");
    let missing = speak(&mouth, request("Bonjour", "fr", None)).await.unwrap_err();
    assert_eq!(missing.outcome, Outcome::NotFound);
    assert!(missing.detail.contains("apt install espeak-ng"), "{missing}");
    let voices = mouth.voices(None).await.unwrap();
    assert_eq!((voices.len(), voices[0].id.as_str()), (1, "piper:anne"));
    assert_eq!(voices[0].languages, ["fr-FR"]);
}

#[test]
fn models_stay_in_their_folder() {
    let with = |folder: Option<&str>| {
        let settings =
            LocalSettings { models: folder.map(PathBuf::from), ..LocalSettings::default() };
        Local::new(&settings, Deadlines::default())
    };
    let (ours, any) = (with(Some("/voices")), with(None));
    let path = |mouth: &Local, name: &str| mouth.model(name).map(|path| path.display().to_string());
    assert_eq!(path(&ours, "anne").unwrap(), "/voices/anne.onnx");
    assert_eq!(path(&ours, "fr/anne.onnx").unwrap(), "/voices/fr/anne.onnx");
    assert_eq!(path(&ours, "/voices/anne.onnx").unwrap(), "/voices/anne.onnx");
    for wrong in ["../anne", "/etc/anne.onnx", "/voices/../etc/anne", "fr/../../anne"] {
        assert_eq!(path(&ours, wrong).unwrap_err().outcome, Outcome::BadRequest, "{wrong}");
    }
    assert_eq!(path(&any, "/any/anne").unwrap(), "/any/anne.onnx");
    assert!(path(&any, "anne").is_err());
}

#[test]
fn a_voice_is_no_option_and_no_file() {
    let voice = |name: Option<&str>| espeak_voice(&request("x", "fr-BE", name));
    assert_eq!(voice(None).unwrap(), "fr-be");
    assert_eq!(voice(Some("en-gb+f3")).unwrap(), "en-gb+f3");
    for wrong in ["", "-w/tmp/x", "--path=/", "../x", "a b", "é"] {
        assert_eq!(voice(Some(wrong)).unwrap_err().outcome, Outcome::BadRequest, "{wrong}");
    }
}

#[test]
fn the_table_of_voices_is_read() {
    let told = espeak_voice_info(
        " 5  fr-fr           --/F      French_(France)    roa/fr               (fr 5)",
    );
    let told = told.unwrap();
    assert_eq!((told.id.as_str(), told.name.as_str()), ("fr-fr", "French (France)"));
    assert_eq!(told.gender.as_deref(), Some("female"));
    assert!(espeak_voice_info("").is_none());
}

/// The real program, where it is installed.
#[tokio::test]
async fn espeak_ng_speaks() {
    let mouth = Local::new(&LocalSettings::default(), Deadlines::default());
    let sound = speak(&mouth, request("Bonjour, que puis-je pour vous ?", "fr-FR", None)).await;
    let sound = match sound {
        Err(SpeechError { outcome: Outcome::NotFound, .. }) => {
            println!("passed over: espeak-ng is not installed");
            return;
        }
        sound => sound.unwrap(),
    };
    assert!((8_000..40_000).contains(&sound.len()), "one to five seconds: {}", sound.len());
    assert!(sound.iter().any(|byte| crate::audio::g711::decode(*byte).unsigned_abs() > 3_000));
    let voices = mouth.voices(Some(LanguageTag::french())).await.unwrap();
    assert!(voices.iter().any(|voice| voice.id == "fr-fr"), "{voices:?}");
    let unknown = speak(&mouth, request("Bonjour", "fr", Some("xx-nobody"))).await.unwrap_err();
    assert_eq!(unknown.outcome, Outcome::BadRequest);
    assert!(unknown.detail.contains("does not exist"), "{unknown}");
}
