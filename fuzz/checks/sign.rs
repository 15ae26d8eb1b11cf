//! Any query, taken apart: what the canonical query says is what was taken apart. Any request: its signature is read and
//! verified without a panic. A request that is signed and then changed: refused, or the same in all that is signed; the
//! oracle is the unit tests' own. Any body in chunks: read in pieces as it is read at once.

use pictor::sign;
use pictor::sign::cdn::{self, CdnKeys, CdnType};
use pictor::sign::chunks::{ChunkError, ChunkReader};
use pictor::sign::encode::{form_decode, parse_query, uri_encode};
use pictor::sign::sigv4::canonical_query;

#[path = "../../tests/support/signing.rs"]
mod signing;

use signing::{How, NOW, Wire, differs};

/// Two bytes say how it is signed and how many changes there are, each of three bytes; the rest is a request, a line each for
/// method and target and for its fields.
pub fn check(data: &[u8]) {
    queries(data);
    chunks(data);
    let Some(([how, changes], rest)) = data.split_first_chunk::<2>() else { return };
    let Some((changes, text)) = rest.split_at_checked(usize::from(changes % 4) * 3) else { return };
    let Some(wire) = Wire::read(text) else { return };
    cdn_urls(&wire);
    // As it came; most have no signature.
    if wire.check(NOW).is_some() {
        return;
    }
    let how = How::ALL[usize::from(*how) % How::ALL.len()];
    let signed = wire.signed(how);
    let said = signed.check(NOW).expect("a signed request has a signature");
    // What a signer cannot sign is refused: names that stand twice, too many parameters. Never for its signature.
    let holds = !matches!(&said, Err(denied) if denied.why == sign::Why::Mismatch);
    assert!(holds || !is_text(&signed), "{how:?} {said:?} {signed:?}");
    let mut text = signed.text();
    for change in changes.chunks_exact(3) {
        let place = usize::from(u16::from_le_bytes([change[0], change[1]])) % text.len();
        text[place] = change[2];
    }
    let Some(other) = Wire::read(&text) else { return };
    if said.is_ok() && other.check(NOW).is_some_and(|said| said.is_ok()) {
        assert_eq!(differs(how, &signed, &other), None, "{how:?}\n{signed:?}\n{other:?}");
    }
}

/// Our signer for S3 takes fields as text.
fn is_text(wire: &Wire) -> bool {
    wire.fields.iter().all(|(_, value)| std::str::from_utf8(value).is_ok())
}

fn queries(data: &[u8]) {
    assert_eq!(form_decode(&uri_encode(data)), data);
    let text = String::from_utf8_lossy(data);
    let mut pairs = parse_query(&text);
    let again = parse_query(&canonical_query(&pairs));
    let order = |pair: &(Vec<u8>, Vec<u8>)| (uri_encode(&pair.0), uri_encode(&pair.1));
    pairs.sort_by_key(order);
    assert_eq!(again, pairs);
}

fn cdn_urls(wire: &Wire) {
    let types = vec![CdnType::A, CdnType::B, CdnType::C, CdnType::D, CdnType::F];
    let keys = CdnKeys { types, secrets: vec![sign::Secret::new("s3cret")], ttl: 60, sign_name: None, time_name: None };
    let Ok(Some(claim)) = wire.message(|message| {
        keys.claim(message).map(|claim| {
            claim.map(|claim| {
                let denied = cdn::verify(&claim, &keys, &sign::Clock::at(NOW)).err();
                (denied.map(|denied| denied.why), claim.path.starts_with('/'))
            })
        })
    }) else {
        return;
    };
    assert!(claim.1);
}

fn chunks(data: &[u8]) {
    let read = |size: usize| -> Result<(Vec<u8>, Vec<(String, Vec<u8>)>), ChunkError> {
        let (mut reader, mut decoded) = (ChunkReader::new(None, None), Vec::new());
        for mut piece in data.chunks(size) {
            while !piece.is_empty() {
                let (taken, data) = reader.take(piece)?;
                assert!(taken > 0, "no progress");
                decoded.extend_from_slice(data);
                piece = &piece[taken..];
            }
        }
        reader.finish().map(|fields| (decoded, fields))
    };
    let (whole, pieces) = (read(data.len().max(1)), read(3));
    assert!(whole == pieces || whole.is_err() && pieces.is_err(), "{whole:?} {pieces:?}");
}
