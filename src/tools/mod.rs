//! Registry, dispatch, calls and their chunks, host tools.
