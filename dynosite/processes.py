"""What every child process of ours needs: to end when its parent does, even when the parent is killed."""

import ctypes
import signal

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def end_with_parent(sent: int = signal.SIGTERM) -> None:
    """Have the kernel send this process a signal when the thread that started it ends. For `preexec_fn` on Linux."""
    if hasattr(_libc, "prctl"):
        _libc.prctl(PR_SET_PDEATHSIG, sent)
