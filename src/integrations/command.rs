//! Programs of this machine that are told something: run without a shell, with JSON on their standard
//! input, and stopped when they take too long. They see no variable of ours that could be a key.

use std::{io, process::Stdio, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::Command,
};

use super::{Failure, answer};
use crate::domain::Trouble;

/// How long one may take.
const WITHIN: Duration = Duration::from_secs(15);

/// How long complaints are waited for once it has ended: what it left behind may hold them open.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// What is kept of a program's complaints.
const COMPLAINT: usize = 4 * 1024;

/// Variables that a program needs to find itself and others.
const VARIABLES: [&str; 5] = ["PATH", "HOME", "LANG", "TZ", "LD_LIBRARY_PATH"];

pub(super) async fn run(command: &[String], input: &str) -> Result<(), Failure> {
    run_within(command, input, WITHIN).await
}

async fn run_within(command: &[String], input: &str, within: Duration) -> Result<(), Failure> {
    let Some((program, arguments)) = command.split_first() else {
        return Err((Trouble::Refused, "no program is named".to_owned()));
    };
    let known = VARIABLES.iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
    let mut child = Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(known)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| {
            let trouble = match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => Trouble::Refused,
                _ => Trouble::Later(None),
            };
            (trouble, format!("{program} cannot be run: {error}"))
        })?;
    let (stdin, stderr) = (child.stdin.take(), child.stderr.take());
    let work = async {
        let write = async {
            let Some(mut stdin) = stdin else { return Ok(()) };
            match stdin.write_all(input.as_bytes()).await {
                // A program need not read what it is told.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
                written => written,
            }
        };
        let mut said = Vec::new();
        let (written, status) = {
            let listen = async {
                let Some(mut stderr) = stderr else { return Ok(()) };
                let mut part = [0; 1_024];
                loop {
                    let read = stderr.read(&mut part).await?;
                    if read == 0 {
                        return Ok::<_, io::Error>(());
                    }
                    // What is more is read all the same, so that the program is not kept waiting.
                    let room = COMPLAINT.saturating_sub(said.len());
                    said.extend_from_slice(&part[..read.min(room)]);
                }
            };
            let mut listen = std::pin::pin!(listen);
            let ended = async { tokio::join!(write, child.wait()) };
            let mut ended = std::pin::pin!(ended);
            tokio::select! {
                ended = &mut ended => {
                    // It has ended, whoever still holds its complaints open.
                    let _ = tokio::time::timeout(LAST_WORDS, listen).await;
                    ended
                }
                heard = &mut listen => {
                    heard?;
                    ended.await
                }
            }
        };
        written?;
        Ok::<_, io::Error>((said, status?))
    };
    let done = tokio::time::timeout(within, work).await;
    let done = done
        .map_err(|_| (Trouble::Later(None), format!("{program} was not done within {within:?}")))?;
    let (said, status) =
        done.map_err(|error| (Trouble::Later(None), format!("{program}: {error}")))?;
    if status.success() {
        return Ok(());
    }
    let said = answer::quoted(&said);
    let said = if said.is_empty() { String::new() } else { format!(": {said}") };
    Err((Trouble::Later(None), format!("{program} ended with {status}{said}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Vec<String> {
        ["/bin/sh", "-c", script].map(str::to_owned).to_vec()
    }

    #[tokio::test]
    async fn a_program_reads_what_it_is_told_and_says_how_it_ended() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("told");
        let script = format!("cat > {0}; env > {0}.env", path.display());
        run(&sh(&script), "{\"a\":1}").await.unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\"a\":1}");
        let env = std::fs::read_to_string(path.with_extension("env")).unwrap();
        assert!(!env.contains("CARGO"), "{env}");

        let (trouble, why) = run(&sh("echo pas de réseau >&2; exit 3"), "x").await.unwrap_err();
        assert_eq!(trouble, Trouble::Later(None));
        assert!(why.contains("exit status: 3: pas de réseau"), "{why}");
        let (trouble, _) = run(&["/nowhere/page".to_owned()], "x").await.unwrap_err();
        assert_eq!(trouble, Trouble::Refused);
        // One that does not listen, and is told much.
        run(&sh("exec 0<&-; exit 0"), &"x".repeat(1 << 20)).await.unwrap();
    }

    #[tokio::test]
    async fn what_a_program_leaves_behind_is_not_waited_for() {
        let script = sh("sleep 30 & echo fini >&2; exit 0");
        run_within(&script, "x", Duration::from_secs(20)).await.unwrap();
        let (_, why) = run(&sh("sleep 30 & echo raté >&2; exit 4"), "x").await.unwrap_err();
        assert!(why.contains("exit status: 4: raté"), "{why}");
    }

    #[tokio::test]
    async fn a_program_that_takes_too_long_is_stopped() {
        let (trouble, why) =
            run_within(&sh("exec sleep 60"), "x", Duration::from_millis(50)).await.unwrap_err();
        assert_eq!(trouble, Trouble::Later(None));
        assert!(why.contains("was not done within"), "{why}");
    }
}
