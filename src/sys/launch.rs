//! What happens in a child between fork and exec: session, parent-death signal, descriptors.
//!
//! The parent-death signal fires when the *thread* that forked ends, so [`spawn`] forks from one permanent thread.

use std::io;
use std::os::fd::RawFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::sync::{OnceLock, mpsc};

use nix::sys::signal::{SigSet, SigmaskHow, Signal, sigprocmask};

/// How a child starts.
#[derive(Debug, Default, Clone)]
pub struct Launch {
    /// Descriptors that the child keeps, under the same numbers.
    pub pass: Vec<RawFd>,
    /// Makes it the leader of a session and of a process group of its own.
    pub own_session: bool,
    /// The signal that it gets when its parent is gone.
    pub on_parent_death: Option<Signal>,
}

/// Prepares a command so that its child starts as `launch` says, with no signal blocked.
///
/// The calling process must be the one that spawns it.
pub fn prepare(command: &mut Command, launch: Launch) {
    let parent = nix::unistd::getpid();
    let in_child = move || -> io::Result<()> {
        if launch.own_session {
            nix::unistd::setsid()?;
        }
        if let Some(signal) = launch.on_parent_death {
            nix::sys::prctl::set_pdeathsig(signal)?;
            // The parent may have died before the call above: then no signal will ever come.
            if nix::unistd::getppid() != parent {
                return Err(nix::errno::Errno::ESRCH.into());
            }
        }
        sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)?;
        for &fd in &launch.pass {
            super::descriptor::set_close_on_exec(fd, false)?;
        }
        Ok(())
    };
    // SAFETY: the closure makes system calls only; it neither allocates nor takes a lock.
    unsafe { command.pre_exec(in_child) };
}

type Job = Box<dyn FnOnce() + Send>;

/// Spawns from the one thread of this process that never ends.
///
/// Blocks for the time of a fork and an exec. Fails as [`Command::spawn`] does.
pub fn spawn(mut command: Command, launch: Launch) -> io::Result<Child> {
    static SPAWNER: OnceLock<mpsc::Sender<Job>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (jobs, inbox) = mpsc::channel::<Job>();
        // Without the thread the inbox is dropped, and the send below reports it.
        let _ = std::thread::Builder::new()
            .name("snakepit-spawn".into())
            .spawn(move || {
                for job in inbox {
                    job();
                }
            });
        jobs
    });
    let gone = || io::Error::other("the thread that starts processes is gone");
    let (reply, answer) = mpsc::sync_channel(1);
    spawner
        .send(Box::new(move || {
            prepare(&mut command, launch);
            let _ = reply.send(command.spawn());
        }))
        .map_err(|_| gone())?;
    answer.recv().map_err(|_| gone())?
}
