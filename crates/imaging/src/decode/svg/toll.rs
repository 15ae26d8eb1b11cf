//! What drawing will take: layers for groups that are put together apart (opacity, clips, masks, filters), tiles of
//! patterns, and the work of filters. A layer may be 25 times as large as the picture, and there may be one in the other.

use resvg::tiny_skia::Transform;
use resvg::usvg::filter::Kind as Effect;
use resvg::usvg::{ClipPath, Group, ImageKind, Mask, Node, NonZeroRect, Paint, Pattern, Tree};

use super::{most_bytes, too_much};
use crate::error::{Error, Kind};

/// Pixels that may be touched, counted once for each time: about 2 ns each.
const MOST_WORK: f64 = 4e9;

/// Refuses what takes more memory than [`most_bytes`] or more work than a picture should.
///
/// # Errors
/// [`Kind::OutOfMemory`], [`Kind::UnsupportedSource`].
pub(super) fn check(tree: &Tree, transform: Transform, (width, height): (u32, u32)) -> Result<(), Error> {
    let pixels = u64::from(width).saturating_mul(height.into());
    let mut toll = Toll { canvas: pixels as f64, work: 0.0, held: 0.0, peak: 0.0, failed: false };
    toll.group(tree.root(), transform);
    if toll.peak > most_bytes(pixels) as f64 {
        let message = "the layers of the SVG original take more memory than a picture of its size should";
        return Err(Error::new(Kind::OutOfMemory, message));
    }
    if toll.failed {
        return Err(too_much("its layers and filters take too long to draw"));
    }
    Ok(())
}

struct Toll {
    /// Pixels of the result.
    canvas: f64,
    work: f64,
    /// Bytes that are held at this point of the drawing.
    held: f64,
    peak: f64,
    /// A number was none, or it is too much already.
    failed: bool,
}

impl Toll {
    /// Something that holds so many bytes while `inside` is drawn.
    fn hold(&mut self, bytes: f64, inside: impl FnOnce(&mut Self)) {
        self.held += bytes;
        self.peak = self.peak.max(self.held);
        inside(self);
        self.held -= bytes;
    }

    fn spend(&mut self, work: f64) {
        self.work += work;
        self.failed |= self.work.is_nan() || self.work > MOST_WORK;
    }

    fn group(&mut self, group: &Group, transform: Transform) {
        for node in group.children() {
            if self.failed {
                return;
            }
            self.node(node, transform);
        }
    }

    fn node(&mut self, node: &Node, transform: Transform) {
        match node {
            Node::Group(group) => {
                let transform = transform.pre_concat(group.transform());
                if group.should_isolate() {
                    self.layer(group, transform);
                } else {
                    self.group(group, transform);
                }
            }
            Node::Path(path) => {
                let fill = path.fill().map(|fill| fill.paint());
                let stroke = path.stroke().map(|stroke| stroke.paint());
                for paint in [fill, stroke].into_iter().flatten() {
                    if let Paint::Pattern(pattern) = paint {
                        self.pattern(pattern, transform);
                    }
                }
            }
            Node::Image(image) => match image.kind() {
                ImageKind::SVG(_) => self.failed = true,
                _ => {
                    let pixels = f64::from(image.size().width()) * f64::from(image.size().height());
                    // Unpacked, and unpacked pixels with alpha.
                    self.hold(pixels * 8.0, |toll| toll.spend(pixels * 10.0));
                }
            },
            Node::Text(text) => self.group(text.flattened(), transform),
        }
    }

    /// A group on a layer of its own.
    fn layer(&mut self, group: &Group, transform: Transform) {
        let area = self.area(group.layer_bounding_box(), transform, 4.0);
        let (mut buffers, mut work) = (1.0, 2.0);
        for filter in group.filters() {
            // The results of all steps are kept, and the input of each is a copy.
            buffers += 3.0 + filter.primitives().len() as f64;
            for step in filter.primitives() {
                work += effect(step.kind(), transform, area);
            }
        }
        let inputs = f64::from(u8::from(group.clip_path().is_some())) + f64::from(u8::from(group.mask().is_some()));
        buffers += 1.5 * inputs;
        work += 4.0 * inputs;
        self.spend(area * work);
        self.hold(area * 4.0 * buffers, |toll| {
            toll.group(group, transform);
            for filter in group.filters() {
                for step in filter.primitives() {
                    if let Effect::Image(image) = step.kind() {
                        toll.group(image.root(), transform);
                    }
                }
            }
            if let Some(clip) = group.clip_path() {
                toll.clip(clip, transform, area);
            }
            if let Some(mask) = group.mask() {
                toll.mask(mask, transform, area);
            }
        });
    }

    fn clip(&mut self, clip: &ClipPath, transform: Transform, area: f64) {
        self.spend(area * 3.0);
        self.hold(area * 5.0, |toll| {
            toll.clipped(clip.root(), transform.pre_concat(clip.transform()), area);
            if let Some(clip) = clip.clip_path() {
                toll.clip(clip, transform, area);
            }
        });
    }

    /// Inside of a clip, groups that are clipped themselves have a layer as large as the clip's.
    fn clipped(&mut self, group: &Group, transform: Transform, area: f64) {
        for node in group.children() {
            if self.failed {
                return;
            }
            match node {
                Node::Group(group) => {
                    let transform = transform.pre_concat(group.transform());
                    match group.clip_path() {
                        Some(clip) => self.hold(area * 4.0, |toll| {
                            toll.clipped(group, transform, area);
                            toll.clip(clip, transform, area);
                        }),
                        None => self.clipped(group, transform, area),
                    }
                }
                other => self.node(other, transform),
            }
        }
    }

    fn mask(&mut self, mask: &Mask, transform: Transform, area: f64) {
        self.spend(area * 4.0);
        self.hold(area * 6.0, |toll| {
            toll.group(mask.root(), transform);
            if let Some(mask) = mask.mask() {
                toll.mask(mask, transform, area);
            }
        });
    }

    fn pattern(&mut self, pattern: &Pattern, transform: Transform) {
        let (across, down) = transform.pre_concat(pattern.transform()).get_scale();
        let rect = pattern.rect();
        // Drawn at its full size, whatever part of it is seen.
        let area = f64::from(rect.width() * across) * f64::from(rect.height() * down);
        self.spend(area * 2.0);
        self.hold(area * 4.0, |toll| toll.group(pattern.root(), Transform::from_scale(across, down)));
    }

    /// Pixels of a layer, which is at most five pictures a side.
    fn area(&self, bounds: NonZeroRect, transform: Transform, margin: f32) -> f64 {
        let most = self.canvas * 25.0;
        bounds.transform(transform).map_or(most, |bounds| {
            let area = f64::from(bounds.width() + margin) * f64::from(bounds.height() + margin);
            area.min(most)
        })
    }
}

/// Work of a filter's step for a pixel.
fn effect(effect: &Effect, transform: Transform, area: f64) -> f64 {
    let (across, down) = transform.get_scale();
    match effect {
        Effect::Morphology(morphology) => {
            let side = |radius: f32, scale: f32| 2.0 * f64::from(radius * scale) + 1.0;
            // Its window is no larger than the layer.
            let window = side(morphology.radius_x().get(), across) * side(morphology.radius_y().get(), down);
            4.0 + window.min(area)
        }
        Effect::ConvolveMatrix(matrix) => {
            4.0 + 4.0 * f64::from(matrix.matrix().columns()) * f64::from(matrix.matrix().rows())
        }
        Effect::Turbulence(turbulence) => 20.0 + 40.0 * f64::from(turbulence.num_octaves()),
        Effect::GaussianBlur(_) | Effect::DropShadow(_) => 40.0,
        Effect::DiffuseLighting(_) | Effect::SpecularLighting(_) | Effect::DisplacementMap(_) => 20.0,
        _ => 10.0,
    }
}
