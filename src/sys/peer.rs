//! Who is at the other end of a unix socket, as the kernel says.

use std::io;
use std::os::fd::AsFd;

use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};

/// The process that connected. Its pid may have ended since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// The user's number.
    pub uid: u32,
    /// The user's first group.
    pub gid: u32,
    /// The process; 0 when it lives outside this pid namespace.
    pub pid: u32,
}

/// The peer of a connected unix stream. Fails for any other kind of descriptor.
pub fn of(stream: &impl AsFd) -> io::Result<Peer> {
    let found = getsockopt(stream, PeerCredentials)?;
    Ok(Peer {
        uid: found.uid(),
        gid: found.gid(),
        pid: u32::try_from(found.pid()).unwrap_or(0),
    })
}

/// The user that this process runs as.
pub fn own_uid() -> u32 {
    nix::unistd::getuid().as_raw()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_of_this_process_names_this_process() {
        let (here, _there) = std::os::unix::net::UnixStream::pair().unwrap();
        let peer = of(&here).unwrap();
        assert_eq!((peer.uid, peer.pid), (own_uid(), std::process::id()));
    }
}
