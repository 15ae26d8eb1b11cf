//! What a signature costs, each way: found, taken apart and verified, with all that is read of the request.
//! `cargo bench -p pictor-language --bench sign`
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use pictor_language::sign;
use pictor_language::sign::cdn::{self, CdnKeys, CdnType};

#[path = "../../../tests/support/signing.rs"]
mod signing;

use signing::{How, NOW, Wire, credentials};

/// A processed picture, as SDKs ask for it.
fn request() -> Wire {
    let target = "/photos/2026/11/some%20picture.jpg?x-oss-process=image%2Fresize%2Cw_800%2Cm_lfit%2Fformat%2Cwebp&versionId=CAEQNhiBgMDJgZCA0BYi";
    let mut wire = Wire { method: "GET".into(), target: target.into(), fields: Vec::new() };
    for (name, value) in [
        ("user-agent", "aliyun-sdk-python/2.19.1(Linux/6.1/x86_64;3.11.7)"),
        ("accept", "image/avif,image/webp,*/*"),
        ("accept-encoding", "gzip, deflate"),
        ("connection", "keep-alive"),
        ("x-oss-request-payer", "requester"),
    ] {
        wire.field(name, value);
    }
    wire
}

fn keys() -> Vec<sign::AccessKey> {
    vec![sign::AccessKey::new(credentials())]
}

fn verify(c: &mut Criterion) {
    let (keys, clock) = (keys(), sign::Clock::at(NOW));
    for how in How::ALL {
        let signed = request().signed(how);
        signed.message(|message| {
            c.bench_function(&format!("verify {how:?}"), |bench| {
                bench.iter(|| {
                    let claim = sign::Claim::of(black_box(message)).unwrap().unwrap();
                    sign::verify(message, &claim, &keys, &clock).unwrap()
                });
            });
        });
    }
}

fn cdn_urls(c: &mut Criterion) {
    for kind in [CdnType::A, CdnType::B, CdnType::C, CdnType::D, CdnType::F] {
        let secrets = ["dimtm5evg50ijsx2hvuwyfoiu65", "DvYmqE81E1F9R791H6lmht"].map(sign::Secret::new).to_vec();
        let keys = CdnKeys { types: vec![kind], secrets, ttl: 1800, sign_name: None, time_name: None };
        let plain = request();
        let (path, query) = plain.target.split_once('?').unwrap();
        let (path, more) = cdn::sign(kind, &keys, path, NOW, "im1acp76sx9sdqe601v").unwrap();
        let signed = Wire { target: format!("{path}?{query}&{more}"), ..plain };
        signed.message(|message| {
            c.bench_function(&format!("verify Cdn{kind:?}"), |bench| {
                bench.iter(|| {
                    let claim = keys.claim(black_box(message)).unwrap().unwrap();
                    cdn::verify(&claim, &keys, &sign::Clock::at(NOW)).unwrap()
                });
            });
        });
    }
}

fn nothing(c: &mut Criterion) {
    request().message(|message| {
        c.bench_function("no signature", |bench| bench.iter(|| sign::Claim::of(black_box(message)).unwrap().is_none()));
    });
}

criterion_group!(benches, verify, cdn_urls, nothing);
criterion_main!(benches);
