//! What callers hear (being built).
