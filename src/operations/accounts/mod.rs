//! Users and their tokens, and who is asking.

mod authenticate;
mod key;
mod tokens;
mod users;

pub use authenticate::{Refused, act_as, authenticate, is_still};
pub use tokens::{Wanted, create_token, revoke_token, tokens, unknown as unknown_token};
pub use users::{Change, add, change, delete, list, set_disabled, set_role, show};
