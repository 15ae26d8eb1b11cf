//! Signatures, as pure functions: every step of every algorithm takes plain data and gives plain data, time included,
//! so that each intermediate string can be held against the vendor's published vectors.
//!
//! ```text
//! Message (a request, taken apart)  ──Claim::of──►  Claim (a signature as it came)
//! Claim + Message + keys + time     ──verify────►  Verified (key, what is covered, until when)  or  Denied (why)
//! ```
//!
//! One file a scheme, each of which signs and verifies: [`cos`] (Tencent COS), [`oss_v1`], [`oss_v2`] and [`oss_v4`] (Aliyun
//! OSS), [`sigv4`] (S3-compatible stores) with [`chunks`] for bodies, [`cdn`] for URLs that a CDN's secret signs.

pub mod cdn;
pub mod chunks;
mod claim;
mod clock;
pub mod cos;
pub mod encode;
mod fields;
mod hash;
mod key;
mod message;
mod oss;
pub mod oss_v1;
pub mod oss_v2;
pub mod oss_v4;
mod scoped;
pub mod secret;
pub mod sigv4;
mod verdict;

pub use claim::{Claim, Scheme};
pub use clock::Clock;
pub use key::AccessKey;
pub use message::{Message, Parameter};
pub use scoped::ScopedKey;
pub use secret::{Credentials, Secret};
pub use verdict::{Compared, Covered, CoveredParameters, Denied, SignedBody, Verified, Why};

/// Verifies the signature that a request carries.
///
/// # Errors
/// Says why it does not hold.
pub fn verify<'a>(
    message: &Message<'a>,
    claim: &Claim<'_>,
    keys: &[AccessKey],
    clock: &Clock,
) -> Result<Verified<'a>, Denied> {
    match claim {
        Claim::Cos(claim) => cos::verify(message, claim, keys, clock),
        Claim::OssV1(claim) => oss_v1::verify(message, claim, keys, clock),
        Claim::OssV2(claim) => oss_v2::verify(message, claim, keys, clock),
        Claim::OssV4(claim) => oss_v4::verify(message, claim, keys, clock),
        Claim::SigV4(claim) => sigv4::verify(message, claim, keys, clock),
    }
}

#[cfg(test)]
#[path = "../../../../tests/support/at_hand.rs"]
mod at_hand;
#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod sdk_tests;
#[cfg(test)]
mod trial_tests;
