//! The real binary, run in a world of its own: an empty environment, a home that is thrown away.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use tempfile::TempDir;

/// A home, and commands run in it.
pub(crate) struct Webox {
    home: TempDir,
    env: Vec<(String, String)>,
    under: Vec<&'static str>,
}

/// What a command did.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Le Gourmet's file, open every day.
pub(crate) fn le_gourmet_always_open() -> String {
    let text = std::fs::read_to_string(LE_GOURMET).unwrap();
    text.lines()
        .filter(|line| !line.starts_with("closed "))
        .map(|line| match line {
            "[hours]" => "[hours]\nsunday = [\"12:00-14:00\", \"19:00-23:00\"]\n".to_owned(),
            line => format!("{line}\n"),
        })
        .collect()
}

impl Webox {
    pub(crate) fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap(), env: Vec::new(), under: Vec::new() }
    }

    /// A home where Le Gourmet answers.
    pub(crate) fn with_le_gourmet() -> Self {
        let webox = Self::new();
        webox.run(["apply", "--yes", LE_GOURMET]).ok();
        webox
    }

    /// The same, open every day: for what is booked "tomorrow", whatever day that is.
    pub(crate) fn with_le_gourmet_always_open() -> Self {
        let webox = Self::new();
        let open = le_gourmet_always_open();
        let file = webox.file("le-gourmet.toml", &open);
        webox.run(["apply", "--yes", &file]).ok();
        webox
    }

    pub(crate) fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.env.push((name.to_owned(), value.into()));
        self
    }

    /// With another program before it, which becomes it: `prlimit` and its arguments.
    pub(crate) fn under(mut self, program: impl IntoIterator<Item = &'static str>) -> Self {
        self.under = program.into_iter().collect();
        self
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    pub(crate) fn db(&self) -> PathBuf {
        self.home().join("data/webox/webox.db")
    }

    /// Writes a file into the home.
    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        let path = self.home().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// The command, ready to run, with all streams piped.
    pub(crate) fn command<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Command {
        // A soak is of the build that is shipped: `WEBOX_UNDER_TEST` names it.
        let named = std::env::var("WEBOX_UNDER_TEST").ok();
        let binary = named.as_deref().unwrap_or(env!("CARGO_BIN_EXE_webox"));
        let mut command = match self.under.split_first() {
            None => Command::new(binary),
            Some((program, before)) => {
                let mut command = Command::new(program);
                command.args(before).arg(binary);
                command
            }
        };
        command
            .args(args)
            .current_dir(self.home())
            .env_clear()
            .env("HOME", self.home())
            .env("XDG_DATA_HOME", self.home().join("data"))
            .env("XDG_CONFIG_HOME", self.home().join("config"))
            .env("WEBOX_TZ", "Europe/Paris")
            // Many daemons run beside one another here.
            .env("WEBOX_METRICS_LISTEN", "off")
            .env("TMPDIR", self.home())
            .env("PATH", "/usr/bin:/bin")
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(crate) fn run<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Ran {
        Ran::from(self.command(args).output().unwrap())
    }

    pub(crate) fn run_with_stdin<'a>(
        &self,
        stdin: &str,
        args: impl IntoIterator<Item = &'a str>,
    ) -> Ran {
        let mut child = self.command(args).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
        Ran::from(child.wait_with_output().unwrap())
    }
}

/// The example in the repository.
pub(crate) const LE_GOURMET: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/assistants/le-gourmet.toml");

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ran {
    /// The command must have ended with this code.
    #[track_caller]
    pub(crate) fn code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        self.code(0)
    }

    /// Nothing on stdout.
    #[track_caller]
    pub(crate) fn silent(self) -> Self {
        assert_eq!(self.stdout, "", "stderr: {}", self.stderr);
        self
    }

    #[track_caller]
    pub(crate) fn says(self, part: &str) -> Self {
        assert!(self.stderr.contains(part), "no `{part}` in {}", self.stderr);
        self
    }

    #[track_caller]
    pub(crate) fn prints(self, part: &str) -> Self {
        assert!(self.stdout.contains(part), "no `{part}` in {}", self.stdout);
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e} in {}", self.stdout))
    }
}
