//! `webox calls recording`: the sound of a call, into a file or out of the loudspeaker.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use clap::Args;

use super::{Context, exit, help};
use crate::domain::{Error, Result};

/// Arguments of `webox calls recording`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox calls recording CA3f2a --play", "hear it, where a player is installed"),
        ("webox calls recording CA3f2a --save appel.mp3", "keep it"),
        ("webox calls recording CA3f2a --save - | ffmpeg -i - appel.wav", "hand it on"),
    ],
    &[exit::FAILURE, exit::USAGE, exit::BUSY],
))]
pub(super) struct Recording {
    /// The call's SID, or the beginning of only one.
    sid: String,
    /// Write it to this file, as MP3; `-` for the standard output.
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Play it with the first of mpv, ffplay, mpg123, play (SoX) and afplay that is installed.
    #[arg(long)]
    play: bool,
    /// Write over a file that is there.
    #[arg(long, requires = "save")]
    force: bool,
}

/// Players, and what makes them play one file and say nothing.
const PLAYERS: [(&str, &[&str]); 5] = [
    ("mpv", &["--no-video", "--really-quiet"]),
    ("ffplay", &["-nodisp", "-autoexit", "-loglevel", "error"]),
    ("mpg123", &["-q"]),
    ("play", &["-q"]),
    ("afplay", &[]),
];

pub(super) fn run(args: &Recording, context: &Context) -> Result<()> {
    if args.save.is_none() && !args.play {
        return Err(Error::usage("say what to do with the recording")
            .hint("`--play` to hear it, `--save FILE` to keep it, `--save -` to hand it on"));
    }
    let folder = tempfile::tempdir()
        .map_err(|cause| Error::failure("no temporary folder could be made").because(cause))?;
    let file = folder.path().join("recording.mp3");
    let to = match args.save.as_deref() {
        Some(path) if path != Path::new("-") => {
            if path.exists() && !args.force {
                return Err(Error::input(format!("{} is there already", path.display()))
                    .hint("`--force` writes over it"));
            }
            path
        }
        _ => &file,
    };
    context.desk("calls recording")?.save_recording(&args.sid, to, context.settings()?)?;
    if args.save.as_deref() == Some(Path::new("-")) {
        let mut sound =
            std::fs::File::open(to).map_err(|cause| Error::of_file(to, "cannot be read", cause))?;
        io::copy(&mut sound, &mut io::stdout().lock())
            .and_then(|_| io::stdout().flush())
            .map_err(Error::of_output)?;
    } else if args.save.is_some() {
        let bytes = std::fs::metadata(to)
            .map_err(|cause| Error::of_file(to, "cannot be read", cause))?
            .len();
        context.out.note(&format!("{}: {} KiB.", to.display(), bytes.div_ceil(1024)));
    }
    if args.play { play(to) } else { Ok(()) }
}

fn play(file: &Path) -> Result<()> {
    for (player, flags) in PLAYERS {
        let played = Command::new(player).args(flags).arg(file).stdin(Stdio::null()).status();
        match played {
            Ok(status) if status.success() => return Ok(()),
            Ok(status) => {
                return Err(Error::failure(format!("`{player}` could not play it ({status})"))
                    .hint("`--save FILE` keeps it, to be played elsewhere"));
            }
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
            Err(cause) => {
                return Err(Error::failure(format!("`{player}` could not be run")).because(cause));
            }
        }
    }
    let names: Vec<&str> = PLAYERS.iter().map(|(name, _)| *name).collect();
    Err(Error::unavailable(format!(
        "no player is installed: there is none of {}",
        names.join(", ")
    ))
    .hint("install one, or keep it with `--save FILE`"))
}
