//! The vendors' own examples, and those of the reference.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::sign::trial_tests::Trial;

const TENCENT: &str = "dimtm5evg50ijsx2hvuwyfoiu65";
const EDGEONE: &str = "DvYmqE81E1F9R791H6lmht";
const ALIYUN: &str = "aliyuncdnexp1234";
const ALL: [CdnType; 5] = [CdnType::A, CdnType::B, CdnType::C, CdnType::D, CdnType::F];

fn keys(kind: CdnType, secret: &str) -> CdnKeys {
    CdnKeys { types: vec![kind], secrets: vec![Secret::new(secret)], ttl: 1800, sign_name: None, time_name: None }
}

fn check(keys: &CdnKeys, target: &str, now: i64) -> Result<(i64, String), Why> {
    Trial::new("GET", target, &["a"]).message(|message| {
        let claim = keys.claim(message).map_err(|denied| denied.why)?.expect("no signature");
        let verified = verify(&claim, keys, &Clock::at(now)).map_err(|denied| denied.why)?;
        assert!(!verified.covered.parameter(0) && !verified.covered.field("host"));
        Ok((verified.expires, verified.path.to_owned()))
    })
}

struct Example<'a> {
    kind: CdnType,
    secret: &'a str,
    target: &'a str,
    path: &'a str,
    /// The time in it.
    time: i64,
}

impl Example<'_> {
    fn check(&self) {
        let keys = keys(self.kind, self.secret);
        let until = self.time + 1800;
        for now in [0, self.time, until] {
            assert_eq!(check(&keys, self.target, now), Ok((until, self.path.to_owned())));
        }
        assert_eq!(check(&keys, self.target, until + 1), Err(Why::Expired(until)));
        // The second of two secrets; none.
        let mut two = CdnKeys { secrets: vec![Secret::new("other"), Secret::new(self.secret)], ..keys.clone() };
        assert!(check(&two, self.target, self.time).is_ok());
        two.secrets.pop();
        assert_eq!(check(&two, self.target, self.time), Err(Why::Mismatch));
        two.secrets.clear();
        assert_eq!(check(&two, self.target, self.time), Err(Why::Mismatch));
        // Another path.
        let other = self.target.replace(self.path, &format!("{}x", self.path));
        assert_ne!(other, self.target);
        assert_eq!(check(&keys, &other, self.time), Err(Why::Mismatch));
    }
}

#[test]
fn tencent_a() {
    let target = "/test.jpg?sign=1582791032-im1acp76sx9sdqe601v-0-3fbb88382c9356b6faaf9d68c7b2ae3a";
    Example { kind: CdnType::A, secret: TENCENT, target, path: "/test.jpg", time: 1_582_791_032 }.check();
}

#[test]
fn tencent_b_is_by_the_clocks_of_beijing() {
    let target = "/202003032017/7805540e2f79d87ecbde253b8432fc92/test.jpg";
    // 2020-03-03T12:17:00Z.
    Example { kind: CdnType::B, secret: TENCENT, target, path: "/test.jpg", time: 1_583_237_820 }.check();
}

#[test]
fn tencent_c_in_either_order() {
    for target in [
        "/7913fc0c5c9e92dd3633b7895152bbb2/5e577978/test.jpg",
        // The example of the page of 2024, with the time in decimal: md5(pkey timestamp uri).
        "/ea68b93ac23ebbc6eebf7f163c6e9c4c/1582791032/test.jpg",
    ] {
        Example { kind: CdnType::C, secret: TENCENT, target, path: "/test.jpg", time: 1_582_791_032 }.check();
    }
}

#[test]
fn tencent_d() {
    let target = "/test.jpg?sign=900a5049aa8ac1ab144527d9c2be4cea&t=1582791032";
    Example { kind: CdnType::D, secret: TENCENT, target, path: "/test.jpg", time: 1_582_791_032 }.check();
}

#[test]
fn edgeone_a() {
    let target = "/foo.jpg?sign=1721028437-Kv4cPTAAP5YTi-0-0fbdca749d7ab784750685347e42075c";
    Example { kind: CdnType::A, secret: EDGEONE, target, path: "/foo.jpg", time: 1_721_028_437 }.check();
}

#[test]
fn edgeone_b() {
    let target = "/202407151533/d1f0b51c6894231fc12e054fcc7f0b3e/foo.jpg";
    Example { kind: CdnType::B, secret: EDGEONE, target, path: "/foo.jpg", time: 1_721_028_780 }.check();
}

#[test]
fn edgeone_c() {
    let target = "/6688749e8906a726c12fe1be3aacd016/6694d30a/foo.jpg";
    Example { kind: CdnType::C, secret: EDGEONE, target, path: "/foo.jpg", time: 0x6694_d30a }.check();
}

#[test]
fn edgeone_d() {
    let target = "/foo.jpg?sign=cadcec4a04e67b9c2abf4b61c642a0dd&t=1721029907";
    Example { kind: CdnType::D, secret: EDGEONE, target, path: "/foo.jpg", time: 1_721_029_907 }.check();
}

#[test]
fn edgeone_d_with_a_name_of_one_s_own() {
    let keys = CdnKeys { sign_name: Some("token".into()), ..keys(CdnType::D, EDGEONE) };
    let target = "/foo.jpg?token=cadcec4a04e67b9c2abf4b61c642a0dd&t=1721029907";
    assert_eq!(check(&keys, target, 1_721_029_907), Ok((1_721_031_707, "/foo.jpg".into())));
    assert_eq!(keys.names(CdnType::D), ["token", "t"]);
}

#[test]
fn aliyun_a() {
    let target = "/video/standard/1K.html?auth_key=1444435200-0-0-80cd3862d699b7118eed99103f2a3a4f";
    Example { kind: CdnType::A, secret: ALIYUN, target, path: "/video/standard/1K.html", time: 1_444_435_200 }.check();
}

#[test]
fn aliyun_b() {
    let target = "/201508150800/9044548ef1527deadafa49a890a377f0/4/44/44c0909bcfc20a01afaf256ca99a8b8b.mp3";
    let path = "/4/44/44c0909bcfc20a01afaf256ca99a8b8b.mp3";
    Example { kind: CdnType::B, secret: ALIYUN, target, path, time: 1_439_596_800 }.check();
}

#[test]
fn aliyun_c_in_both_its_forms() {
    for target in [
        "/a37fa50a5fb8f71214b1e7c95ec7a1bd/55CE8100/test.flv",
        "/test.flv?KEY1=a37fa50a5fb8f71214b1e7c95ec7a1bd&KEY2=55CE8100",
    ] {
        Example { kind: CdnType::C, secret: ALIYUN, target, path: "/test.flv", time: 0x55ce_8100 }.check();
    }
}

#[test]
fn aliyun_f_has_its_time_in_either_spelling() {
    for time in ["1444435200", "56185500"] {
        let hash = hash_time_last("/a/b.jpg", time, &Secret::new(ALIYUN));
        let target = format!("/a/b.jpg?sign={hash}&time={time}");
        Example { kind: CdnType::F, secret: ALIYUN, target: &target, path: "/a/b.jpg", time: 1_444_435_200 }.check();
    }
    // Computed apart: md5("aliyuncdnexp1234/a/b.jpg1444435200").
    assert_eq!(hash_time_last("/a/b.jpg", "1444435200", &Secret::new(ALIYUN)), "c50ff9ba92da0ff82b2e8721ad4bdae2");
}

#[test]
fn what_is_made_holds() {
    for kind in ALL {
        let keys = CdnKeys { types: ALL.to_vec(), ..keys(kind, TENCENT) };
        let (path, query) = sign(kind, &keys, "/a%20b/c-1-2.jpg", 1_700_000_000, "r4nd").unwrap();
        let target = format!("{path}?x-oss-process=style/a&{query}");
        let (until, path) = check(&keys, &target, 1_700_000_000).unwrap();
        // Type B knows minutes only.
        let begun = if kind == CdnType::B { 1_699_999_980 } else { 1_700_000_000 };
        assert_eq!((until, path.as_str()), (begun + 1800, "/a%20b/c-1-2.jpg"), "{kind:?}");
        for name in keys.names(kind) {
            assert!(kind == CdnType::C || name == "auth_key" || target.contains(&format!("{name}=")), "{name}");
        }
    }
    assert_eq!(sign(CdnType::A, &keys(CdnType::A, TENCENT), "/a", -1, ""), None);
    assert_eq!(sign(CdnType::A, &CdnKeys { secrets: vec![], ..keys(CdnType::A, TENCENT) }, "/a", 0, ""), None);
}

#[test]
fn what_is_no_signature_is_none() {
    let keys = CdnKeys { types: ALL.to_vec(), ..keys(CdnType::A, TENCENT) };
    let hash = "900a5049aa8ac1ab144527d9c2be4cea";
    let claim = |target: &str| {
        Trial::new("GET", target, &["a"])
            .message(|message| keys.claim(message).map(|claim| claim.map(|claim| claim.kind)))
    };
    for target in [
        "/",
        "/a",
        "/a?sign=1",
        "/a?sign=q-sign-algorithm=sha1&t=1582791032",
        &format!("/{hash}/5e577978"),
        &format!("/{hash}/5e57797/a"),
        &format!("/20200303201/{hash}/a"),
        &format!("/20200303201x/{hash}/a"),
        &format!("/a?sign={hash}"),
        &format!("/a?sign={hash}&sign={hash}&t=1582791032"),
        &format!("/a?sign={}&t=1582791032", hash.to_uppercase()),
        &format!("/a?sign=1582791032-a-b-c-{hash}"),
        &format!("/a?sign=1582791032-{}-0-{hash}", "a".repeat(101)),
    ] {
        assert_eq!(claim(target), Ok(None), "{target}");
    }
    assert_eq!(claim(&format!("/a?sign={hash}&t=1&time=1")).unwrap_err().why, Why::Several);
    assert_eq!(claim(&format!("/{hash}/5e577978/a?sign={hash}&t=1")).unwrap_err().why, Why::Several);
    let time = Err(Why::Malformed("the time of the signature is none"));
    for wrong in ["1", "15827910321", "-582791032", "+5827910", "0x582791", ""] {
        assert_eq!(check(&keys, &format!("/a?sign={hash}&t={wrong}"), 0), time, "{wrong}");
    }
    assert_eq!(check(&keys, &format!("/209913010000/{hash}/a"), 0), time);
}
