//! Pipes and inherited descriptors: who holds which end, and what survives an exec.
//!
//! Every descriptor made here is close-on-exec; a child gets one only through [`crate::sys::launch`].

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};

/// Both ends of a pipe.
#[derive(Debug)]
pub struct Pipe {
    /// Sees the end of file once every copy of `write` is closed.
    pub read: OwnedFd,
    /// The end that is written to, or only held.
    pub write: OwnedFd,
}

/// Makes a pipe whose ends do not survive an exec.
pub fn pipe() -> io::Result<Pipe> {
    let (read, write) = nix::unistd::pipe2(OFlag::O_CLOEXEC)?;
    Ok(Pipe { read, write })
}

/// Takes over a descriptor that this process was started with, and keeps it from its own children.
///
/// Fails with `InvalidInput` for the three standard descriptors and with `EBADF` for one that is not open. It is
/// for numbers that came in by argument at the start of the process, each taken once.
pub fn adopt(fd: RawFd) -> io::Result<OwnedFd> {
    if fd <= 2 {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "a standard descriptor cannot be adopted",
        ));
    }
    set_close_on_exec(fd, true)?;
    // SAFETY: fcntl has just shown that it is open; the caller hands over the number it was started with.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Sets or clears close-on-exec of an open descriptor.
pub fn set_close_on_exec(fd: RawFd, close: bool) -> io::Result<()> {
    // SAFETY: the borrow lives for these two calls only; a number that is not open gives EBADF.
    let fd = unsafe { BorrowedFd::borrow_raw(fd) };
    let mut flags = FdFlag::from_bits_truncate(fcntl(fd, FcntlArg::F_GETFD)?);
    flags.set(FdFlag::FD_CLOEXEC, close);
    fcntl(fd, FcntlArg::F_SETFD(flags))?;
    Ok(())
}

/// Keeps every open descriptor above the standard three from the children of this process.
///
/// What the process inherited from a careless parent does not reach the programs that it runs.
pub fn keep_from_children() -> io::Result<()> {
    for entry in std::fs::read_dir("/proc/self/fd")? {
        let Some(fd) = entry?
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<RawFd>().ok())
        else {
            continue;
        };
        if fd > 2 {
            // The descriptor of the listing itself is among them; it is closed by the end of the loop.
            set_close_on_exec(fd, true)?;
        }
    }
    Ok(())
}

/// Waits until the peer of a pipe has closed its end, or data came, or the time is over (`None` = no limit).
///
/// True = closed or readable.
pub fn wait_readable(fd: &OwnedFd, timeout: Option<std::time::Duration>) -> io::Result<bool> {
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    use std::os::fd::AsFd;
    let mut fds = [PollFd::new(fd.as_fd(), PollFlags::POLLIN)];
    let timeout = match timeout {
        None => PollTimeout::NONE,
        Some(time) => PollTimeout::try_from(time).unwrap_or(PollTimeout::MAX),
    };
    match poll(&mut fds, timeout) {
        Ok(count) => Ok(count > 0),
        Err(nix::errno::Errno::EINTR) => Ok(false),
        Err(cause) => Err(cause.into()),
    }
}

/// The number of a descriptor, as text for a command line.
pub fn number(fd: &OwnedFd) -> String {
    fd.as_raw_fd().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_reads_end_of_file_when_its_other_end_is_dropped() {
        let Pipe { read, write } = pipe().unwrap();
        assert!(!wait_readable(&read, Some(std::time::Duration::ZERO)).unwrap());
        drop(write);
        assert!(wait_readable(&read, None).unwrap());
    }

    #[test]
    fn standard_and_closed_descriptors_are_not_adopted() {
        assert_eq!(adopt(1).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        assert!(adopt(99_999).is_err());
    }
}
