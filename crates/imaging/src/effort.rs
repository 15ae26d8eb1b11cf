//! How hard encoders try.

use serde::{Deserialize, Serialize};

/// How hard an encoder tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Effort {
    /// Somebody waits, and many more are queueing.
    Pressed,
    /// Somebody waits.
    Interactive,
    /// Nobody waits.
    Batch,
}
