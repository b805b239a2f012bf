//! Signals as readable events, and the attributes of a process that decide who gets which.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
pub use nix::sys::signal::Signal;
use nix::sys::signal::{SigSet, kill};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::Pid;

/// Signals that are read instead of delivered.
#[derive(Debug)]
pub struct Signals(SignalFd);

/// What [`Signals::wait`] came back with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Woken {
    /// A signal was sent; more may wait.
    Signal(Signal),
    /// The watched descriptor is readable or closed.
    Descriptor,
    /// The time is over.
    Timeout,
}

impl Signals {
    /// Blocks the signals for the calling thread and opens them for reading.
    ///
    /// It must be the only thread of the process, or the others may still be interrupted.
    pub fn take(signals: &[Signal]) -> io::Result<Self> {
        let set: SigSet = signals.iter().copied().collect();
        set.thread_block()?;
        Ok(Self(SignalFd::with_flags(
            &set,
            SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK,
        )?))
    }

    /// Waits for a signal, for a descriptor, or for the time to pass (`None` = no limit). Signals come first.
    pub fn wait(&mut self, watched: Option<&impl AsFd>, timeout: Option<Duration>) -> io::Result<Woken> {
        if let Some(signal) = self.next()? {
            return Ok(Woken::Signal(signal));
        }
        let timeout = match timeout {
            None => PollTimeout::NONE,
            Some(time) => PollTimeout::try_from(time).unwrap_or(PollTimeout::MAX),
        };
        let mut fds = vec![PollFd::new(self.0.as_fd(), PollFlags::POLLIN)];
        if let Some(watched) = watched {
            fds.push(PollFd::new(watched.as_fd(), PollFlags::POLLIN));
        }
        match poll(&mut fds, timeout) {
            Ok(0) | Err(Errno::EINTR) => return Ok(Woken::Timeout),
            Ok(_) => {}
            Err(cause) => return Err(cause.into()),
        }
        Ok(self.next()?.map_or(Woken::Descriptor, Woken::Signal))
    }

    fn next(&mut self) -> io::Result<Option<Signal>> {
        match self.0.read_signal()? {
            None => Ok(None),
            Some(info) => {
                let number = i32::try_from(info.ssi_signo).unwrap_or_default();
                Ok(Some(Signal::try_from(number)?))
            }
        }
    }
}

/// Makes orphaned descendants children of this process instead of init's.
pub fn become_subreaper() -> io::Result<()> {
    Ok(nix::sys::prctl::set_child_subreaper(true)?)
}

/// Asks for a signal when the parent's thread that forked this process ends.
pub fn on_parent_death(signal: Signal) -> io::Result<()> {
    Ok(nix::sys::prctl::set_pdeathsig(signal)?)
}

/// The parent's pid; another one than before means that it died.
pub fn parent() -> u32 {
    u32::try_from(nix::unistd::getppid().as_raw()).unwrap_or(0)
}

/// Sends a signal to one process. True = it was there.
pub fn send(pid: u32, signal: Signal) -> bool {
    let Ok(pid) = i32::try_from(pid) else { return false };
    // 0, 1 and negative numbers mean groups, init and everybody: never what is meant here.
    pid > 1 && kill(Pid::from_raw(pid), signal).is_ok()
}

/// Sends a signal to a process group by the pid of its leader. True = somebody was there.
pub fn send_group(leader: u32, signal: Signal) -> bool {
    let Ok(leader) = i32::try_from(leader) else {
        return false;
    };
    leader > 1 && nix::sys::signal::killpg(Pid::from_raw(leader), signal).is_ok()
}
