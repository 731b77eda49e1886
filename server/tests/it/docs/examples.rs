//! The Rust of the guides, which they must repeat line by line.
