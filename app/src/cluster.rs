//! What a site owner programs against to keep open browsers in sync.
