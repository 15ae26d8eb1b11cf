//! Hostile headers through the whole service.

use std::time::{Duration, Instant};

use crate::support::{Act, Origin, Pictor, client, demo, site};

fn atom(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    [&u32::try_from(data.len() + 8).unwrap().to_be_bytes(), &kind[..], data].concat()
}

/// A HEIC whose auxiliary items are those of ten thousand others each, and whose primary item is a grid of as many.
fn tangled(length: usize) -> Vec<u8> {
    let reference = |kind: &[u8; 4], from: u16, first: u16, count: u16| {
        let to: Vec<u8> = (first..first + count).flat_map(u16::to_be_bytes).collect();
        atom(kind, &[&from.to_be_bytes()[..], &count.to_be_bytes(), &to].concat())
    };
    let mut references = vec![0; 4];
    for number in 0.. {
        references.extend(reference(b"dimg", 1, 100, 10_000));
        references.extend(reference(b"auxl", 20_000 + number % 1000, 40_000, 10_000));
        if references.len() > length {
            break;
        }
    }
    let ispe = atom(b"ispe", &[[0; 4], 9u32.to_be_bytes(), 8u32.to_be_bytes()].concat());
    let iprp = [atom(b"ipco", &ispe), atom(b"ipma", &[0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 1, 1])].concat();
    let pitm = atom(b"pitm", &[0, 0, 0, 0, 0, 1]);
    let meta = [vec![0; 4], pitm, atom(b"iprp", &iprp), atom(b"iref", &references)].concat();
    [atom(b"ftyp", b"heic\0\0\0\0heic"), atom(b"meta", &meta)].concat()
}

#[tokio::test]
async fn hostile_headers_hold_nobody_up() {
    let origin = Origin::start().await;
    for number in 0..4 {
        origin.script(&format!("/{number}.heic"), Act::Give(tangled(4 << 20)));
    }
    origin.script("/good.jpg", Act::Give(std::fs::read(demo().join("sample.jpg")).unwrap()));
    let pictor = Pictor::before(&origin).await;
    let hostile = (0..4).map(|number| {
        let url = pictor.url(&format!("/{number}.heic?imageMogr2/thumbnail/9x/format/jpg"));
        tokio::spawn(async move { client().get(url).send().await.unwrap().status().as_u16() })
    });
    let hostile: Vec<_> = hostile.collect();
    let began = Instant::now();
    let good = client().get(pictor.url("/good.jpg?imageMogr2/thumbnail/30x/format/jpg")).send().await.unwrap();
    assert_eq!(good.status(), 200);
    for request in hostile {
        let status = request.await.unwrap();
        assert!((400..500).contains(&status), "{status}");
    }
    // It was more than a minute for each of the hostile ones.
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
}
