//! The one integration binary: webox through its doors, and the rules of its source.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod architecture;
