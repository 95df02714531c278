//! lightsail
