//! What systemd does for a daemon: it holds the socket that one process after the other answers on.

use std::{
    net::TcpListener,
    os::fd::OwnedFd,
    process::{Command, Stdio},
};

/// The same as systemd does, with a socket of ours: it is descriptor 3 of the process, which is told so.
pub(crate) fn handed_over(listener: &TcpListener, command: &Command) -> Command {
    handed_over_as("webox.socket", listener, command)
}

/// The same under another `FileDescriptorName=`.
pub(crate) fn handed_over_as(name: &str, listener: &TcpListener, command: &Command) -> Command {
    const SCRIPT: &str =
        "exec 3<&0 </dev/null; LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=$0 exec \"$@\"";
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", SCRIPT, name]).arg(command.get_program()).args(command.get_args());
    shell.env_clear();
    for (name, value) in command.get_envs() {
        shell.env(name, value.unwrap_or_default());
    }
    let socket = OwnedFd::from(listener.try_clone().unwrap());
    shell.current_dir(command.get_current_dir().unwrap());
    shell.stdin(Stdio::from(socket)).stdout(Stdio::piped()).stderr(Stdio::piped());
    shell
}
