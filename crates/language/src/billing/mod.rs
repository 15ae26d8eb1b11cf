//! What a vendor would have charged for: pure classification. The ledger comes with it later.

mod tier;

pub use tier::Tier;
