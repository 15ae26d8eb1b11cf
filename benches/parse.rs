//! From the query to the canonical plan: `cargo bench --bench parse`. The goal is 5 µs for rules as sites use them.

#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use pictor::dialect::{Dialect, Recognised, Styles, recognise};

const QUERIES: [(&str, &str); 8] = [
    ("format", "imageMogr2/format/avif"),
    ("thumbnail, encoded", "imageMogr2%2Fthumbnail%2F%2150p%2Fformat%2Fwebp="),
    ("crop and quality", "imageMogr2/auto-orient/thumbnail/!300x300r/crop/300x300/gravity/center/quality/85/strip"),
    (
        "two stages, a mark",
        "imageMogr2/thumbnail/900x|watermark/2/text/5rC05Y2wIG1hcms/fill/I0ZGRkZGRg/fontsize/30/dx/20/dy/20",
    ),
    ("view", "imageView2/1/w/400/h/600/q/85"),
    ("oss", "x-oss-process=image/resize,m_fill,w_300,h_200/quality,q_90/format,webp"),
    (
        "oss, signed",
        "OSSAccessKeyId=k&Expires=1700000000&Signature=abc%3D&x-oss-process=image%2Fresize%2Cw_900%2Fformat%2Cavif",
    ),
    ("style", "style/thumb"),
];

fn parsing(criterion: &mut Criterion) {
    let mut styles = Styles::default();
    styles.add("thumb", "imageMogr2/thumbnail/300x/format/webp", &Dialect::ALL).unwrap();
    let mut group = criterion.benchmark_group("query to canonical plan");
    for (name, query) in QUERIES {
        assert!(matches!(recognise(query, &Dialect::ALL, &styles), Recognised::Rule { plan: Ok(_), .. }), "{query}");
        group.bench_function(name, |bencher| {
            bencher.iter(|| match recognise(black_box(query), &Dialect::ALL, &styles) {
                Recognised::Rule { plan: Ok(plan), .. } => plan.to_string(),
                _ => String::new(),
            });
        });
    }
    group.finish();
}

criterion_group!(benches, parsing);
criterion_main!(benches);
