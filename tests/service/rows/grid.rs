//! Geometry by pixels: the corpus's grid of 12 x 8 cells, each of a colour of its own, through every form of both
//! dialects. What must lie where is said here in the reference's numbers and followed backwards to the source, without
//! the service's own arithmetic; where nothing is resampled, every pixel must be the source's.

use std::path::Path;
use std::sync::Arc;

use futures_util::StreamExt;

use super::look::Canvas;
use super::sources;
use crate::support::{Pictor, client, corpus, site};

const FILE: &str = "geometry-grid-1200x800.png";
const WHITE: [u8; 3] = [255; 3];

/// What lies at a place of the result.
#[derive(Clone, Copy)]
enum Place {
    /// This place of the source, in its pixels.
    Source(f64, f64),
    Colour([u8; 3]),
    Nothing,
    /// On the edge of a shape: anything.
    Edge,
}

/// A result: its size, and for each of its places where that came from. Built from the source by the words of a rule.
#[derive(Clone)]
struct View {
    width: u32,
    height: u32,
    at: Arc<dyn Fn(f64, f64) -> Place + Send + Sync>,
    /// Source pixels for one of the result, and whether any are mixed.
    scale: f64,
    exact: bool,
}

fn whole() -> View {
    View { width: 1200, height: 800, at: Arc::new(Place::Source), scale: 1.0, exact: true }
}

impl View {
    fn with(&self, width: u32, height: u32, at: impl Fn(&View, f64, f64) -> Place + Send + Sync + 'static) -> Self {
        let before = self.clone();
        Self { width, height, at: Arc::new(move |x, y| at(&before, x, y)), scale: self.scale, exact: self.exact }
    }

    /// Resampled to this size.
    fn to(&self, width: u32, height: u32) -> Self {
        let (x, y) = (f64::from(self.width) / f64::from(width), f64::from(self.height) / f64::from(height));
        let mut scaled = self.with(width, height, move |before, at, down| (before.at)(at * x, down * y));
        (scaled.scale, scaled.exact) = (self.scale * x.max(y), false);
        scaled
    }

    /// The rectangle with this corner and size.
    fn cut(&self, x: u32, y: u32, width: u32, height: u32) -> Self {
        assert!(x + width <= self.width && y + height <= self.height, "the case itself is wrong");
        self.with(width, height, move |before, at, down| (before.at)(at + f64::from(x), down + f64::from(y)))
    }

    /// On a canvas, its corner at (x, y).
    fn on(&self, (width, height): (u32, u32), (x, y): (u32, u32), colour: [u8; 3]) -> Self {
        let (right, bottom) = (f64::from(x + self.width), f64::from(y + self.height));
        let (x, y) = (f64::from(x), f64::from(y));
        self.with(width, height, move |before, at, down| {
            let inside = at > x && at < right && down > y && down < bottom;
            if inside { (before.at)(at - x, down - y) } else { Place::Colour(colour) }
        })
    }

    /// A quarter clockwise.
    fn quarter(&self) -> Self {
        let height = f64::from(self.height);
        self.with(self.height, self.width, move |before, at, down| (before.at)(down, height - at))
    }

    /// Left and right change places.
    fn mirrored(&self) -> Self {
        let width = f64::from(self.width);
        self.with(self.width, self.height, move |before, at, down| (before.at)(width - at, down))
    }

    /// Top and bottom change places.
    fn upside_down(&self) -> Self {
        let height = f64::from(self.height);
        self.with(self.width, self.height, move |before, at, down| (before.at)(at, height - down))
    }

    /// Clockwise by any angle about the middle, on a canvas of this size.
    fn turned(&self, degrees: f64, width: u32, height: u32) -> Self {
        let (sin, cos) = degrees.to_radians().sin_cos();
        let (w, h) = (f64::from(self.width), f64::from(self.height));
        let (cx, cy) = (f64::from(width) / 2.0, f64::from(height) / 2.0);
        let mut turned = self.with(width, height, move |before, at, down| {
            let (x, y) = (at - cx, down - cy);
            let (x, y) = (x * cos + y * sin + w / 2.0, y * cos - x * sin + h / 2.0);
            let inside = x.min(w - x).min(y).min(h - y);
            match inside {
                inside if inside > 2.0 => (before.at)(x, y),
                inside if inside < -2.0 => Place::Nothing,
                _ => Place::Edge,
            }
        });
        turned.exact = false;
        turned
    }

    /// Only the circle that touches all four sides.
    fn disc(&self) -> Self {
        let radius = f64::from(self.width) / 2.0;
        self.with(self.width, self.height, move |before, at, down| {
            ring((at - radius).hypot(down - radius) - radius, before, at, down)
        })
    }

    /// Without the corners beyond this radius.
    fn rounded(&self, radius: f64) -> Self {
        let (w, h) = (f64::from(self.width), f64::from(self.height));
        self.with(self.width, self.height, move |before, at, down| {
            let (x, y) = ((radius - at.min(w - at)).max(0.0), (radius - down.min(h - down)).max(0.0));
            if x > 0.0 && y > 0.0 { ring(x.hypot(y) - radius, before, at, down) } else { (before.at)(at, down) }
        })
    }
}

/// What lies so far outside of a circle.
fn ring(far: f64, before: &View, at: f64, down: f64) -> Place {
    match far {
        far if far < -1.0 => (before.at)(at, down),
        far if far > 1.0 => Place::Nothing,
        _ => Place::Edge,
    }
}

/// `imageMogr2/...` and what it gives (tencent-ci §2.1 to 2.7).
fn mogr() -> Vec<(String, View)> {
    let w = whole();
    let fixed: Vec<(&str, View)> = vec![
        ("thumbnail/!50p", w.to(600, 400)),
        ("thumbnail/!25px", w.to(300, 800)),
        ("thumbnail/!x25p", w.to(1200, 200)),
        ("thumbnail/!150p", w.to(1800, 1200)),
        ("thumbnail/300x", w.to(300, 200)),
        ("thumbnail/x300", w.to(450, 300)),
        ("thumbnail/300x300", w.to(300, 200)),
        ("thumbnail/1500x1500", w.to(1500, 1000)),
        ("thumbnail/840.0x840.0", w.to(840, 560)),
        ("thumbnail/!300x300r", w.to(450, 300)),
        ("thumbnail/300x300>", w.to(300, 200)),
        ("thumbnail/600x3000>", w.to(600, 400)),
        ("thumbnail/3000x3000>", w.clone()),
        ("thumbnail/1500x1500<", w.to(1500, 1000)),
        ("thumbnail/1500x700<", w.clone()),
        ("thumbnail/300x300<", w.clone()),
        ("thumbnail/300x300!", w.to(300, 300)),
        ("thumbnail/240000@", w.to(600, 400)),
        ("thumbnail/5000000@", w.clone()),
        ("thumbnail/600x600/pad/1", w.to(600, 400).on((600, 600), (0, 100), WHITE)),
        ("thumbnail/900x400/pad/1/color/IzNEM0QzRA", w.to(600, 400).on((900, 400), (150, 0), [0x3d; 3])),
        ("thumbnail/600x600/pad/0", w.to(600, 400)),
        ("cut/600x400x100x10", w.cut(100, 10, 600, 400)),
        ("cut/600x600x800x500", w.cut(800, 500, 400, 300)),
        ("crop/300x300", w.to(450, 300).cut(75, 0, 300, 300)),
        ("crop/300x", w.cut(450, 0, 300, 800)),
        ("crop/300x/gravity/east", w.cut(900, 0, 300, 800)),
        ("crop/x300", w.cut(0, 250, 1200, 300)),
        ("crop/x300/gravity/south", w.cut(0, 500, 1200, 300)),
        ("crop/300x900", w.cut(450, 0, 300, 800)),
        ("crop/!300x200a20a30", w.cut(20, 30, 300, 200)),
        ("crop/!300x200-20a30", w.cut(0, 30, 280, 200)),
        ("crop/!300x200a20-30", w.cut(20, 0, 300, 170)),
        ("crop/!300x200-20-30", w.cut(0, 0, 280, 170)),
        ("scrop/300x300", w.clone()),
        ("scrop/300x300/crop/300x300", w.to(450, 300).cut(75, 0, 300, 300)),
        ("indexcrop/width/500/index/1", w.cut(500, 0, 500, 800)),
        ("indexcrop/width/500/index/2", w.cut(1000, 0, 200, 800)),
        ("indexcrop/width/500/index/3", w.clone()),
        ("indexcrop/height/300/index/2", w.cut(0, 600, 1200, 200)),
        ("indexcrop/width/500/height/300/index/4", w.cut(500, 300, 500, 300)),
        ("indexcrop/width/500/height/300/index/8", w.cut(1000, 600, 200, 200)),
        ("iradius/200", w.cut(400, 200, 400, 400).disc()),
        ("rradius/150", w.rounded(150.0)),
        ("rotate/0", w.clone()),
        ("rotate/90", w.quarter()),
        ("rotate/180", w.quarter().quarter()),
        ("rotate/270", w.quarter().quarter().quarter()),
        ("rotate/360", w.clone()),
        // |1200 cos| + |800 sin| by |1200 sin| + |800 cos|
        ("rotate/45", w.turned(45.0, 1414, 1414)),
        ("rotate/30", w.turned(30.0, 1439, 1293)),
        ("rotate/200", w.turned(200.0, 1401, 1162)),
        ("flip/horizontal", w.mirrored()),
        ("flip/vertical", w.upside_down()),
        ("auto-orient", w.clone()),
        // In the order in which they stand.
        ("rotate/90/cut/300x200x100x10", w.quarter().cut(100, 10, 300, 200)),
        ("cut/300x200x100x10/rotate/90", w.cut(100, 10, 300, 200).quarter()),
        ("flip/horizontal/rotate/90", w.mirrored().quarter()),
        ("rotate/90/flip/horizontal", w.quarter().mirrored()),
        ("cut/400x400x0x0/thumbnail/200x", w.cut(0, 0, 400, 400).to(200, 200)),
        ("thumbnail/600x|imageMogr2/cut/100x100x500x300", w.to(600, 400).cut(500, 300, 100, 100)),
    ];
    let mut all: Vec<(String, View)> = fixed.into_iter().map(|(rule, view)| (rule.to_owned(), view)).collect();
    let grid = ["northwest", "north", "northeast", "west", "center", "east", "southwest", "south", "southeast"];
    for (at, gravity) in grid.iter().enumerate() {
        let (column, row) = (at % 3, at / 3);
        // Offsets go inwards, and not at all on a centred axis.
        let (x, y) = ([50, 450, 850][column], [30, 300, 570][row]);
        all.push((format!("cut/300x200x50x30/gravity/{gravity}"), w.cut(x, y, 300, 200)));
        let wide = w.to(450, 300).cut([0, 75, 150][column], 0, 300, 300);
        all.push((format!("crop/300x300/gravity/{gravity}"), wide));
        let tall = w.to(600, 400).cut(0, [0, 100, 200][row], 600, 200);
        all.push((format!("gravity/{gravity}/crop/600x200"), tall));
    }
    all.into_iter().map(|(rule, view)| (format!("imageMogr2/{rule}"), view)).collect()
}

/// `imageView2/...` (tencent-ci §3.1).
fn views() -> Vec<(String, View)> {
    let w = whole();
    let rules: Vec<(&str, View)> = vec![
        ("0/w/600/h/300", w.to(450, 300)),
        ("1/w/300/h/300", w.to(450, 300).cut(75, 0, 300, 300)),
        ("1/w/300", w.to(450, 300).cut(75, 0, 300, 300)),
        ("1/w/600/h/200", w.to(600, 400).cut(0, 100, 600, 200)),
        ("1/w/3000/h/300", w.cut(0, 250, 1200, 300)),
        ("2/w/300/h/300", w.to(300, 200)),
        ("2/w/300", w.to(300, 200)),
        ("2/h/300", w.to(450, 300)),
        ("2/w/3000", w.clone()),
        ("3/w/300/h/300", w.to(450, 300)),
        ("3/w/300", w.to(450, 300)),
        ("4/w/600/h/300", w.to(600, 400)),
        ("5/w/600/h/300", w.to(600, 400).cut(0, 50, 600, 300)),
    ];
    rules.into_iter().map(|(rule, view)| (format!("imageView2/{rule}"), view)).collect()
}

/// `x-oss-process=image/...` (aliyun-oss §2.1 to 2.7).
fn oss() -> Vec<(String, View)> {
    let w = whole();
    let fixed: Vec<(&str, View)> = vec![
        ("resize,w_300", w.to(300, 200)),
        ("resize,h_300", w.to(450, 300)),
        ("resize,m_lfit,w_300,h_300", w.to(300, 200)),
        ("resize,m_mfit,w_300,h_300", w.to(450, 300)),
        ("resize,m_mfit,h_300", w.to(450, 300)),
        ("resize,m_fill,w_300,h_300", w.to(450, 300).cut(75, 0, 300, 300)),
        ("resize,m_fill,w_300", w.to(450, 300).cut(75, 0, 300, 300)),
        ("resize,m_fill,w_600,h_201", w.to(600, 400).cut(0, 99, 600, 201)),
        ("resize,m_pad,w_300,h_300,color_FF0000", w.to(300, 200).on((300, 300), (0, 50), [255, 0, 0])),
        ("resize,m_pad,h_300", w.to(300, 200).on((300, 300), (0, 50), WHITE)),
        ("resize,m_pad,w_601,h_300", w.to(450, 300).on((601, 300), (75, 0), WHITE)),
        ("resize,m_fixed,w_300,h_300", w.to(300, 300)),
        ("resize,m_fixed,w_300", w.to(300, 300)),
        ("resize,m_fixed,w_1500,h_300", w.clone()),
        ("resize,m_fixed,w_1500,h_300,limit_0", w.to(1500, 300)),
        ("resize,l_300", w.to(300, 200)),
        ("resize,s_300", w.to(450, 300)),
        ("resize,l_300,s_300", w.to(300, 200)),
        ("resize,m_mfit,l_300,s_300", w.to(450, 300)),
        ("resize,p_50", w.to(600, 400)),
        ("resize,p_150", w.to(1800, 1200)),
        ("resize,w_1800", w.clone()),
        ("resize,w_1800,limit_0", w.to(1800, 1200)),
        ("crop,x_100,y_50", w.cut(100, 50, 1100, 750)),
        ("crop,w_300", w.cut(0, 0, 300, 800)),
        ("crop,w_0,h_200", w.cut(0, 0, 1200, 200)),
        ("crop,w_301,h_201,g_center", w.cut(449, 299, 301, 201)),
        ("crop,x_1100,y_750,w_300,h_300", w.cut(1100, 750, 100, 50)),
        // 2 r + 1 pixels, centred.
        ("circle,r_100", w.cut(499, 299, 201, 201).disc()),
        ("circle,r_500", w.cut(200, 0, 799, 799).disc()),
        ("indexcrop,x_500", w.cut(0, 0, 500, 800)),
        ("indexcrop,x_500,i_1", w.cut(500, 0, 500, 800)),
        ("indexcrop,x_500,i_2", w.cut(1000, 0, 200, 800)),
        ("indexcrop,y_300,i_2", w.cut(0, 600, 1200, 200)),
        ("indexcrop,x_500,y_300,i_1", w.cut(0, 300, 1200, 300)),
        ("indexcrop,y_300,i_3", w.clone()),
        ("rounded-corners,r_150", w.rounded(150.0)),
        ("rounded-corners,r_4096", w.rounded(400.0)),
        ("auto-orient,1", w.clone()),
        ("rotate,0", w.clone()),
        ("rotate,90", w.quarter()),
        ("rotate,180", w.quarter().quarter()),
        ("rotate,270", w.quarter().quarter().quarter()),
        ("rotate,30", w.turned(30.0, 1439, 1293)),
        ("crop,w_300,h_200/rotate,90", w.cut(0, 0, 300, 200).quarter()),
        ("rotate,90/crop,w_300,h_200", w.quarter().cut(0, 0, 300, 200)),
        ("rotate,90/rotate,90", w.quarter().quarter()),
        ("resize,w_600|image/crop,x_500,y_300", w.to(600, 400).cut(500, 300, 100, 100)),
    ];
    let mut all: Vec<(String, View)> = fixed.into_iter().map(|(rule, view)| (rule.to_owned(), view)).collect();
    for (at, g) in ["nw", "north", "ne", "west", "center", "east", "sw", "south", "se"].iter().enumerate() {
        // Offsets always go right and down; what lies outside is dropped.
        let (x, y) = ([50_u32, 500, 950][at % 3], [30_u32, 330, 630][at / 3]);
        let view = w.cut(x, y, 300.min(1200 - x), 200.min(800 - y));
        all.push((format!("crop,w_300,h_200,x_50,y_30,g_{g}"), view));
    }
    all.into_iter().map(|(rule, view)| (format!("x-oss-process=image/{rule}"), view)).collect()
}

/// Compares every pixel of an answer with what the view says.
fn compare(view: &View, source: &Canvas, got: &Canvas) -> Result<(), String> {
    if (got.width, got.height) != (view.width, view.height) {
        return Err(format!("it is {} x {}, not {} x {}", got.width, got.height, view.width, view.height));
    }
    let mut compared = 0_u32;
    for y in 0..view.height {
        for x in 0..view.width {
            let have = got.at(x, y);
            let fits = match (view.at)(f64::from(x) + 0.5, f64::from(y) + 0.5) {
                Place::Edge => continue,
                Place::Nothing => have[3] == 0,
                Place::Colour([r, g, b]) => have == [r, g, b, 255],
                Place::Source(sx, sy) => match matches(view, source, (sx, sy), have) {
                    None => continue,
                    Some(fits) => fits,
                },
            };
            compared += 1;
            if !fits {
                let place = match (view.at)(f64::from(x) + 0.5, f64::from(y) + 0.5) {
                    Place::Source(x, y) => {
                        format!("({x:.1}, {y:.1}) of the source, {:?}", source.at(x as u32, y as u32))
                    }
                    Place::Colour(colour) => format!("{colour:?}"),
                    Place::Nothing | Place::Edge => "nothing".into(),
                };
                return Err(format!("at ({x}, {y}) is {have:?}, not {place}"));
            }
        }
    }
    match compared * 2 > view.width * view.height {
        true => Ok(()),
        false => Err(format!("only {compared} pixels could be compared")),
    }
}

/// Whether a pixel is that of its cell; `None` where cells are mixed.
fn matches(view: &View, source: &Canvas, (x, y): (f64, f64), have: [u8; 4]) -> Option<bool> {
    let want = source.at(x as u32, y as u32);
    if view.exact {
        return Some(have == want);
    }
    // How far the next cell is, and its colour. The picture's own edge is none: nothing lies beyond it.
    let side = |at: f64, end: f64| {
        let near = (at / 100.0).round() * 100.0;
        let beyond = if near > at { near + 50.0 } else { near - 50.0 };
        if near <= 0.0 || near >= end { (f64::INFINITY, at) } else { ((at - near).abs(), beyond) }
    };
    let ((across, right), (down, below)) = (side(x, 1200.0), side(y, 800.0));
    let apart = |a: [u8; 4], b: [u8; 4]| a.iter().zip(b).map(|(a, b)| u32::from(a.abs_diff(b))).sum::<u32>();
    let step = view.scale.max(1.0);
    let far = across.min(down);
    if far > 3.0 * step + 1.5 {
        return Some(have.iter().zip(want).all(|(a, b)| a.abs_diff(b) <= 2));
    }
    // Nearer: like its own cell rather than like the next one.
    if far < 0.75 * step || across.max(down) < 3.0 * step + 1.5 {
        return None;
    }
    let next = if across < down { source.at(right as u32, y as u32) } else { source.at(x as u32, below as u32) };
    Some(apart(have, want) < apart(have, next))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_form_of_geometry_puts_every_cell_where_it_belongs() {
    let Some(corpus) = corpus() else { return };
    let folder = corpus.join("png");
    assert!(folder.join(FILE).exists(), "{FILE} is not in the corpus");
    let source = Arc::new(Canvas::read(&std::fs::read(folder.join(FILE)).unwrap()).unwrap());
    let pictor = started(&folder).await;
    let cases = [mogr(), views(), oss()].concat();
    let count = cases.len();
    let asked = cases.into_iter().map(|(rule, view)| {
        let (url, source) = (pictor.url(&format!("/{FILE}?{rule}")), source.clone());
        async move {
            let answer = client().get(url).send().await.unwrap();
            let status = answer.status();
            let bytes = answer.bytes().await.unwrap();
            let judged = tokio::task::spawn_blocking(move || {
                if status != 200 {
                    return Err(format!("status {status}: {}", String::from_utf8_lossy(&bytes)));
                }
                compare(&view, &source, &Canvas::read(&bytes)?)
            });
            judged.await.unwrap().err().map(|wrong| format!("{rule}: {wrong}"))
        }
    });
    let said: Vec<Option<String>> = futures_util::stream::iter(asked).buffer_unordered(3).collect().await;
    let wrong: Vec<String> = said.into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{} of {count} forms:\n{}", wrong.len(), wrong.join("\n"));
}

/// Forms of the two dialects that mean the same for this picture.
const SAME: [(&str, &str); 24] = [
    ("imageMogr2/thumbnail/300x", "resize,w_300"),
    ("imageMogr2/thumbnail/x300", "resize,h_300"),
    ("imageMogr2/thumbnail/300x300", "resize,m_lfit,w_300,h_300"),
    ("imageMogr2/thumbnail/300x300>", "resize,l_300"),
    ("imageMogr2/thumbnail/!300x300r", "resize,m_mfit,w_300,h_300"),
    ("imageMogr2/thumbnail/!300x300r", "resize,s_300"),
    ("imageMogr2/thumbnail/300x300!", "resize,m_fixed,w_300,h_300"),
    ("imageMogr2/thumbnail/!150p", "resize,p_150"),
    ("imageMogr2/thumbnail/1800x", "resize,w_1800,limit_0"),
    ("imageMogr2/thumbnail/600x600/pad/1/color/I0ZGMDAwMA", "resize,m_pad,w_600,h_600,color_FF0000"),
    ("imageMogr2/crop/300x300", "resize,m_fill,w_300,h_300"),
    ("imageView2/1/w/300", "resize,m_fill,w_300"),
    ("imageView2/2/w/300/h/300", "resize,w_300,h_300"),
    ("imageView2/3/w/300/h/300", "resize,m_mfit,w_300,h_300"),
    ("imageMogr2/cut/300x200x100x10", "crop,x_100,y_10,w_300,h_200"),
    ("imageMogr2/cut/300x200x0x0/gravity/southeast", "crop,w_300,h_200,g_se"),
    ("imageMogr2/cut/301x201x0x0/gravity/center", "crop,w_301,h_201,g_center"),
    ("imageMogr2/crop/300x/gravity/west", "crop,w_300"),
    ("imageMogr2/indexcrop/width/500/index/1", "indexcrop,x_500,i_1"),
    ("imageMogr2/indexcrop/height/300/index/2", "indexcrop,y_300,i_2"),
    ("imageMogr2/rradius/150", "rounded-corners,r_150"),
    ("imageMogr2/rotate/90", "rotate,90"),
    ("imageMogr2/rotate/30", "rotate,30"),
    ("imageMogr2/auto-orient/rotate/270/cut/100x100x0x0", "auto-orient,1/rotate,270/crop,w_100,h_100"),
];

#[tokio::test(flavor = "multi_thread")]
async fn forms_that_mean_the_same_give_the_same_bytes() {
    let Some(corpus) = corpus() else { return };
    let folder = corpus.join("png");
    assert!(folder.join(FILE).exists(), "{FILE} is not in the corpus");
    let pictor = started(&folder).await;
    let get = async |rule: &str| {
        let answer = client().get(pictor.url(&format!("/{FILE}?{rule}"))).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{rule}");
        answer.bytes().await.unwrap()
    };
    let mut wrong = Vec::new();
    for (tencent, aliyun) in SAME {
        if get(tencent).await != get(&format!("x-oss-process=image/{aliyun}")).await {
            wrong.push(format!("{tencent} and {aliyun}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// All eight orientations that EXIF knows, by its own words: where the stored picture's first row and first column are
/// seen. Both dialects, on JPEGs of 120 x 80.
#[tokio::test(flavor = "multi_thread")]
async fn every_orientation_is_brought_upright() {
    let (width, height) = (120_u32, 80_u32);
    // Of a place that is seen, in a picture of this size, the row and the column that are stored.
    let stored: [fn(u32, u32, u32, u32) -> (u32, u32); 8] = [
        |x, y, _, _| (y, x),                 // row at the top, column on the left
        |x, y, w, _| (y, w - 1 - x),         // top, right
        |x, y, w, h| (h - 1 - y, w - 1 - x), // bottom, right
        |x, y, _, h| (h - 1 - y, x),         // bottom, left
        |x, y, _, _| (x, y),                 // left, top
        |x, y, w, _| (w - 1 - x, y),         // right, top
        |x, y, w, h| (w - 1 - x, h - 1 - y), // right, bottom
        |x, y, _, h| (x, h - 1 - y),         // left, bottom
    ];
    let folder = tempfile::tempdir().unwrap();
    let jpeg = sources::jpeg(width, height, 95);
    for orientation in 1..=8 {
        let file = folder.path().join(format!("{orientation}.jpg"));
        std::fs::write(file, sources::oriented(jpeg.clone(), orientation)).unwrap();
    }
    let pictor = started(folder.path()).await;
    for (number, stored) in (1..).zip(stored) {
        for rule in ["imageMogr2/auto-orient/format/png", "x-oss-process=image/auto-orient,1/format,png"] {
            let answer = client().get(pictor.url(&format!("/{number}.jpg?{rule}"))).send().await.unwrap();
            let got = Canvas::read(&answer.bytes().await.unwrap()).unwrap();
            let seen = if number < 5 { (width, height) } else { (height, width) };
            assert_eq!((got.width, got.height), seen, "{rule} on {number}.jpg");
            for (x, y) in (0..seen.0).flat_map(|x| (0..seen.1).map(move |y| (x, y))) {
                let (row, column) = stored(x, y, seen.0, seen.1);
                let want = sources::colour(column, row, width, height);
                let have = got.at(x, y);
                let near = have.iter().zip(want).all(|(a, b)| a.abs_diff(b) <= 6);
                assert!(near, "{rule} on {number}.jpg: at ({x}, {y}) is {have:?}, not {want:?} of ({column}, {row})");
            }
        }
    }
}

async fn started(folder: &Path) -> Pictor {
    Pictor::start(&site(&format!("kind = \"dir\"\npath = \"{}\"", folder.display()))).await
}
