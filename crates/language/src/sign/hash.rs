//! The hashes and MACs of all schemes, and the one comparison.

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// The SHA-256 of nothing, in hex.
pub const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Bytes of a block of SHA-1 and of SHA-256.
const BLOCK: usize = 64;

/// A key as long as a block (RFC 2104 §2), with which HMAC cannot fail.
fn block<D: Digest>(key: &[u8]) -> Zeroizing<[u8; BLOCK]> {
    let mut block = Zeroizing::new([0; BLOCK]);
    if key.len() > BLOCK {
        let short = D::digest(key);
        block.iter_mut().zip(short).for_each(|(to, from)| *to = from);
    } else {
        block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    }
    block
}

/// HMAC-SHA1.
pub(super) fn hmac_sha1(key: &[u8], message: &[u8]) -> Zeroizing<[u8; 20]> {
    let mut mac = Hmac::<Sha1>::new((&*block::<Sha1>(key)).into());
    mac.update(message);
    Zeroizing::new(mac.finalize().into_bytes().into())
}

/// HMAC-SHA256.
pub(super) fn hmac_sha256(key: &[u8], message: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new((&*block::<Sha256>(key)).into());
    mac.update(message);
    Zeroizing::new(mac.finalize().into_bytes().into())
}

/// SHA-1 in lower-case hex.
pub(super) fn sha1_hex(bytes: &[u8]) -> String {
    hex::encode(Sha1::digest(bytes))
}

/// SHA-256 in lower-case hex.
pub(super) fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// MD5 in lower-case hex of the parts, one after the other.
pub(super) fn md5_hex(parts: &[&[u8]]) -> Zeroizing<String> {
    let mut md5 = Md5::new();
    for part in parts {
        md5.update(part);
    }
    Zeroizing::new(hex::encode(md5.finalize()))
}

/// Whether two signatures or tokens are the same, in a time that tells nothing but whether they are of one length.
pub(super) fn same(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_2202_and_rfc_4231_cases() {
        let long = [0xaa; 80];
        assert_eq!(
            hex::encode(*hmac_sha1(b"Jefe", b"what do ya want for nothing?")),
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"
        );
        assert_eq!(
            hex::encode(*hmac_sha1(&long, b"Test Using Larger Than Block-Size Key - Hash Key First")),
            "aa4ae5e15272d00e95705637ce8a3b55ed402112"
        );
        assert_eq!(
            hex::encode(*hmac_sha256(b"Jefe", b"what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(
            hex::encode(*hmac_sha256(&[0xaa; 131], b"Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
    }

    #[test]
    fn nothing_has_a_hash() {
        assert_eq!(sha256_hex(b""), EMPTY_SHA256);
    }

    #[test]
    fn only_the_same_is_the_same() {
        assert!(same(b"", b"") && same(b"ab", b"ab"));
        assert!(!same(b"ab", b"aB") && !same(b"ab", b"a") && !same(b"", b"a"));
    }
}
