//! Types that are text with a rule: what all of them have in common.

/// Makes a newtype over `String` with a `FromStr` read, written and printed as its text.
macro_rules! text_type {
    ($name:ident) => {
        impl TryFrom<String> for $name {
            type Error = $crate::domain::Error;
            fn try_from(text: String) -> Result<Self, $crate::domain::Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

pub(super) use text_type;
