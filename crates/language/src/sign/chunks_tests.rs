//! The two examples of the S3 documentation, whole and in pieces of every size, and what is refused.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::sign::Secret;
use crate::sign::sigv4::signing_key;

const DATE: &str = "20130524T000000Z";
const SCOPE: &str = "20130524/us-east-1/s3/aws4_request";

fn chain(seed: &str, trailer: bool) -> ChunkChain {
    let secret = Secret::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    ChunkChain::new(signing_key(&secret, DATE, "us-east-1", "s3"), DATE, SCOPE, seed, trailer)
}

const PLAIN_SEED: &str = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";
const TRAILER_SEED: &str = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e";

/// 65 KiB of "a", as the documentation's client sends it.
fn plain() -> Vec<u8> {
    let a = |count: usize| "a".repeat(count);
    format!(
        "10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n{}\r\n400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n{}\r\n0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n",
        a(65_536),
        a(1024)
    )
    .into_bytes()
}

fn trailed() -> Vec<u8> {
    let a = |count: usize| "a".repeat(count);
    format!(
        "10000;chunk-signature=b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2\r\n{}\r\n400;chunk-signature=1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7\r\n{}\r\n0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\nx-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n",
        a(65_536),
        a(1024)
    )
    .into_bytes()
}

type Read = Result<(Vec<u8>, Vec<(String, Vec<u8>)>), ChunkError>;

/// Reads a body that comes in pieces of so many bytes.
fn read(mut reader: ChunkReader, body: &[u8], size: usize) -> Read {
    let mut decoded = Vec::new();
    for mut piece in body.chunks(size) {
        while !piece.is_empty() {
            let (taken, data) = reader.take(piece)?;
            assert!(taken > 0, "no progress");
            decoded.extend_from_slice(data);
            piece = &piece[taken..];
        }
    }
    reader.finish().map(|fields| (decoded, fields))
}

#[test]
fn example_chunk_signatures() {
    let mut chain = chain(PLAIN_SEED, false);
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(
        chain.chunk_string("bf718b6f653bebc184e1479f1935b8da974d701b893afcf49e701f3e2f9f9c5a"),
        format!(
            "AWS4-HMAC-SHA256-PAYLOAD\n{DATE}\n{SCOPE}\n{PLAIN_SEED}\n{empty}\nbf718b6f653bebc184e1479f1935b8da974d701b893afcf49e701f3e2f9f9c5a"
        )
    );
    assert_eq!(chain.sign_chunk(&[b'a'; 65_536]), "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648");
    assert_eq!(chain.sign_chunk(&[b'a'; 1024]), "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497");
    assert_eq!(chain.sign_chunk(b""), "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9");
}

#[test]
fn example_trailer_signature() {
    let mut chain = chain(TRAILER_SEED, true);
    assert_eq!(chain.sign_chunk(&[b'a'; 65_536]), "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2");
    assert_eq!(chain.sign_chunk(&[b'a'; 1024]), "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7");
    assert_eq!(chain.sign_chunk(b""), "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992");
    assert_eq!(
        chain.sign_trailer(b"x-amz-checksum-crc32c:sOO8/Q==\n"),
        "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435"
    );
}

#[test]
fn examples_are_read_in_pieces_of_any_size() {
    for size in [1, 2, 3, 7, 85, 86, 87, 88, 1000, 65_536, 1 << 20] {
        let (decoded, fields) =
            read(ChunkReader::new(Some(chain(PLAIN_SEED, false)), Some(66_560)), &plain(), size).unwrap();
        assert_eq!((decoded.len(), fields.len()), (66_560, 0), "{size}");
        let (decoded, fields) =
            read(ChunkReader::new(Some(chain(TRAILER_SEED, true)), None), &trailed(), size).unwrap();
        assert_eq!((decoded.len(), fields), (66_560, vec![("x-amz-checksum-crc32c".to_owned(), b"sOO8/Q==".to_vec())]));
    }
    // As the documentation writes it: a line's end of one byte, and an empty line.
    let odd = String::from_utf8(trailed()).unwrap().replace("sOO8/Q==\r\n", "sOO8/Q==\n\r\n") + "\r\n";
    assert!(read(ChunkReader::new(Some(chain(TRAILER_SEED, true)), None), odd.as_bytes(), 100).is_ok());
}

#[test]
fn no_byte_may_be_another() {
    // A short body, so that each byte's turn comes.
    let mut chain = chain(TRAILER_SEED, true);
    let seed = chain.clone();
    let body = format!(
        "5;chunk-signature={}\r\nhello\r\n0;chunk-signature={}\r\nx-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:{}\r\n\r\n",
        chain.sign_chunk(b"hello"),
        chain.sign_chunk(b""),
        chain.sign_trailer(b"x-amz-checksum-crc32c:sOO8/Q==\n"),
    )
    .into_bytes();
    let reader = || ChunkReader::new(Some(seed.clone()), Some(5));
    assert!(read(reader(), &body, 10).is_ok());
    let end = body.len() - 2;
    for place in 0..end {
        let mut other = body.clone();
        other[place] ^= 1;
        // Sizes and names are read in any case of letters, and the trailer's line may end in one byte or in two.
        let same = matches!(body[place], b'\r') && place > 200;
        assert!(read(reader(), &other, 10).is_err() || same, "{place}: {}", String::from_utf8_lossy(&other));
        assert!(read(reader(), &body[..place], 10).is_err(), "{place}");
    }
}

#[test]
fn lengths_must_be_as_said() {
    for said in [0, 66_559, 66_561, u64::MAX] {
        assert_eq!(
            read(ChunkReader::new(Some(chain(PLAIN_SEED, false)), Some(said)), &plain(), 1000),
            Err(ChunkError::Length),
            "{said}"
        );
    }
}

#[test]
fn unsigned_chunks_have_a_trailer() {
    let body = b"5\r\nhello\r\nA\r\n0123456789\r\n0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n";
    let (decoded, fields) = read(ChunkReader::new(None, Some(15)), body, 4).unwrap();
    assert_eq!(
        (decoded.as_slice(), fields),
        (&b"hello0123456789"[..], vec![("x-amz-checksum-crc32".into(), b"AAAA".to_vec())])
    );
    for cut in 0..body.len() - 2 {
        assert!(read(ChunkReader::new(None, Some(15)), &body[..cut], 4).is_err(), "{cut}");
    }
}

#[test]
fn what_is_not_in_chunks_is_refused() {
    let refused = |signed: bool, body: &[u8]| {
        let chain = signed.then(|| chain(PLAIN_SEED, false));
        assert!(matches!(read(ChunkReader::new(chain, None), body, 5), Err(ChunkError::Malformed(_))), "{body:?}");
    };
    let head = format!("1;chunk-signature={}\r\n", "0".repeat(64));
    for body in [
        "\r\n",
        "x\r\n",
        "-1\r\n",
        "+1\r\n",
        "1;other\r\n",
        "5\r\nhello\r\n",
        "10000000000000000;chunk-signature=x\r\n",
        &"1".repeat(200),
    ] {
        refused(true, body.as_bytes());
    }
    refused(false, head.as_bytes());
    refused(false, b"5\r\nhelloxx");
    refused(false, b"0\r\nno colon\r\n");
    refused(false, b"0\r\n\r\nmore of it");
    refused(false, [b"0\r\n".to_vec(), b"a:b\r\n".repeat(20)].concat().as_slice());
    refused(false, [b"0\r\na:".to_vec(), b"b".repeat(10_000)].concat().as_slice());
    let wrong = read(ChunkReader::new(Some(chain(PLAIN_SEED, false)), None), format!("{head}a\r\n").as_bytes(), 5);
    assert_eq!(wrong, Err(ChunkError::Mismatch));
    let more = [plain(), b"more of it".to_vec()].concat();
    assert!(matches!(
        read(ChunkReader::new(Some(chain(PLAIN_SEED, false)), None), &more, 1000),
        Err(ChunkError::Malformed(_))
    ));
}

#[test]
fn secrets_are_not_told() {
    let told = format!("{:?}", ChunkReader::new(Some(chain(PLAIN_SEED, false)), None));
    assert!(!told.contains(PLAIN_SEED) && told.contains("us-east-1"), "{told}");
}
