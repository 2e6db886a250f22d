//! Numbers of rows: what all of them have in common.

/// Makes a type of its own for the numbers of one kind of row.
macro_rules! row_number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Debug,
            Clone,
            Copy,
            PartialEq,
            Eq,
            Hash,
            PartialOrd,
            Ord,
            serde::Serialize,
            serde::Deserialize,
            schemars::JsonSchema,
        )]
        pub struct $name(pub i64);
    };
}

pub(super) use row_number;
