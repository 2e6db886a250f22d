//! Users and their tokens, and who is asking.

mod authenticate;
mod key;
mod tokens;
mod users;

pub use authenticate::{Refused, act_as, authenticate, is_still};
pub use tokens::{Wanted, create_token, revoke_token, tokens};
pub use users::{add, delete, list, set_disabled, set_role, show};
