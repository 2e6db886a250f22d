//! The built-in concierge (being built).
