//! How the allocator takes memory from the kernel.

use nix::libc;

/// Bytes that the allocator takes from the kernel at once, and keeps free before it gives some back.
const STEP: libc::c_int = 64 * 1024 * 1024;
const KEPT: libc::c_int = 256 * 1024 * 1024;

/// Makes glibc's allocator grow in large steps. To be called before the first thread is started.
///
/// By default a thread that is not the main one has memory of its own that grows by the page, with a system call each; a
/// bridge that keeps its commits grows all the time, and a write then took a quarter longer. Memory is touched, and so
/// used, only as it is needed. Blocks of a few MiB and more are still mapped alone and given back at once.
pub fn grow_in_large_steps() {
    #[cfg(target_env = "gnu")]
    // SAFETY: mallopt only sets numbers of the allocator; what it does not know it refuses.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
        libc::mallopt(libc::M_TOP_PAD, STEP);
        libc::mallopt(libc::M_TRIM_THRESHOLD, KEPT);
        libc::mallopt(libc::M_MMAP_THRESHOLD, 4 * 1024 * 1024);
    }
}
