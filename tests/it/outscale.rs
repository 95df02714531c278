//! outscale
