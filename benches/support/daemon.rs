//! The real daemon, as a process of its own on a store of its own.

use std::{
    fs::File,
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use super::{Result, machine};

/// What Twilio would call the daemon, and the token it would sign with.
pub const PUBLIC_URL: &str = "https://bench.example.com";
pub const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// The number of the assistant that answers.
pub const NUMBER: &str = "+33123456789";

/// The binary under test.
pub fn binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_webox"))
}

/// A `webox` command on a store, with nothing from the environment.
pub fn webox(folder: &Path, db: &Path) -> Command {
    let mut command = Command::new(binary());
    private(&mut command, folder, db);
    command
}

fn private(command: &mut Command, folder: &Path, db: &Path) {
    command
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .env("HOME", folder)
        .env("WEBOX_DB", db)
        .env("TWILIO_AUTH_TOKEN", TOKEN)
        .current_dir(folder)
        .stdin(Stdio::null());
}

/// An address on loopback that nobody has.
pub fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// A running daemon; killed when dropped.
pub struct Daemon {
    child: Child,
    pub address: SocketAddr,
    pub db: PathBuf,
}

impl Daemon {
    /// Starts a daemon on `webox.db` in the folder; logs go to `daemon.log` beside it.
    pub fn start(folder: &Path, environment: &[(&str, String)]) -> Result<Self> {
        let db = folder.join("webox.db");
        // One number takes all calls of a benchmark.
        let settings = folder.join("webox.toml");
        std::fs::write(
            &settings,
            "[limits]\ncalls_to_a_number = 100000000\ncalls_of_an_account = 100000000\n",
        )?;
        let address = free_address()?;
        let mut command = machine::server_command(binary());
        private(&mut command, folder, &db);
        command
            .args(["serve", "--public-url", PUBLIC_URL, "--listen", &address.to_string()])
            .env("WEBOX_CONFIG", &settings)
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::null())
            .stderr(File::create(folder.join("daemon.log"))?);
        let daemon = Self { child: command.spawn()?, address, db };
        wait_for(address)?;
        Ok(daemon)
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until somebody listens.
pub fn wait_for(address: SocketAddr) -> Result<()> {
    let begun = Instant::now();
    while TcpStream::connect(address).is_err() {
        if begun.elapsed() > Duration::from_secs(10) {
            return Err(format!("nobody listens at {address}").into());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// Le Gourmet as shipped, but with room for any number of calls, and the model given.
pub fn apply_assistant(folder: &Path, model: &str) -> Result<()> {
    let shipped = include_str!("../../assistants/le-gourmet.toml");
    let file = shipped.replace("\"builtin\"", &format!("\"{model}\""))
        + "\n[limits]\nmax_concurrent_calls = 1000000\n";
    let path = folder.join("le-gourmet.toml");
    std::fs::write(&path, file)?;
    let output =
        webox(folder, &folder.join("webox.db")).arg("apply").arg("--yes").arg(&path).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned().into())
}
