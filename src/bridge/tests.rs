//! The commit path and the time to live, over the memory journal, under paused time where time matters.
