//! What goes in comes out: scalars.
