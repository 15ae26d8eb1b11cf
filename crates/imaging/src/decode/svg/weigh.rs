//! How many pieces a drawing has once its references are followed, and how deep they lead: a few lines may name each other
//! so that a billion pieces come of it. Also what is refused because nobody could say how long it takes: text along a path.
//!
//! The numbers are upper bounds. A paint or a marker is taken as used by everything inside of the element that names it,
//! since elements inherit them.

use std::collections::HashMap;

use roxmltree::{Document, Node};
use simplecss::{AttributeOperator, DeclarationTokenizer, Element, PseudoClass, StyleSheet};

use super::too_much;
use crate::error::Error;
use crate::plan::Format;
use crate::probe::unsupported;

/// Pieces of a drawing; less than a kilobyte each.
const MOST_PIECES: u64 = 200_000;
/// Bytes of attributes that make a piece more.
const PIECE_TEXT: u64 = 256;
/// Pieces that the outline of a letter makes, at most.
const PIECES_OF_LETTER: u64 = 2;
/// Bytes that are shaped, and places that are searched for letters, in the time that a piece takes. A run of one direction
/// takes as long as a piece, however short it is.
const PIECE_SHAPED: u64 = 16;
const PIECE_SEARCHED: u64 = 8192;
/// Bytes of a value that all who inherit it copy.
const MOST_COPIED: usize = 4096;
/// Steps from the root to the furthest piece, references included.
pub(super) const DEEPEST: u64 = 2048;
/// Comparisons of elements with rules of style.
const MOST_COMPARISONS: usize = 50_000_000;

const SVG: &str = "http://www.w3.org/2000/svg";

/// Refuses what is too much, goes round in circles, or holds text.
///
/// # Errors
/// [`Kind::UnsupportedSource`](crate::error::Kind::UnsupportedSource).
pub(super) fn check(xml: &Document) -> Result<(), Error> {
    let elements = || xml.descendants().filter(Node::is_element);
    let texts: Vec<Node> = texts(xml).collect();
    let inside = |name| texts.iter().any(|text| text.descendants().any(|node| named(&node, name)));
    if inside("textPath") {
        return Err(unsupported(Format::Svg, "it has text along a path; save its text as paths"));
    }
    if inside("tref") {
        return Err(unsupported(
            Format::Svg,
            "its text is taken from elsewhere in it (tref); write it where it stands",
        ));
    }
    let mut ids: HashMap<_, Vec<_>> = HashMap::new();
    let (mut styles, mut longest, count) = (StyleSheet::new(), 0, elements().count());
    for node in elements() {
        if let Some(id) = node.attribute("id") {
            ids.entry(id).or_default().push(node);
        }
        if node.has_tag_name("style") || node.has_tag_name((SVG, "style")) {
            styles.parse_more(node.text().unwrap_or_default());
            // At once: every sheet more sorts all of the rules again.
            if count.saturating_mul(styles.rules.len()) > MOST_COMPARISONS {
                return Err(too_much("it has too many elements for so many rules of style"));
            }
        }
        longest = longest.max(vertices(&node));
        for attribute in node.attributes() {
            let name = attribute.name();
            short(name, attribute.value())?;
            if name == "style" {
                for declaration in DeclarationTokenizer::from(attribute.value()) {
                    short(declaration.name, declaration.value)?;
                }
            }
        }
    }
    for declaration in styles.rules.iter().flat_map(|rule| &rule.declarations) {
        short(declaration.name, declaration.value)?;
    }
    let names = |rule: &simplecss::Rule| rule.declarations.iter().any(|declaration| declaration.value.contains("url("));
    styles.rules.retain(names);
    let mut scales = Scales { ids, styles, longest, known: HashMap::new() };
    let all = scales.weigh(xml.root_element())?;
    if all.pieces > MOST_PIECES {
        return Err(too_much(&format!("its references make more than {MOST_PIECES} pieces of it")));
    }
    Ok(())
}

/// Elements that hold something to write.
pub(super) fn texts<'a, 'i>(xml: &'a Document<'i>) -> impl Iterator<Item = Node<'a, 'i>> {
    let elements = xml.descendants().filter(|node| named(node, "text"));
    elements.filter(|node| node.descendants().any(|inner| has_text(&inner)))
}

/// Refuses long values of properties of which every element that inherits them gets a copy.
fn short(property: &str, value: &str) -> Result<(), Error> {
    let copied = matches!(property, "font" | "font-family" | "font-variation-settings" | "stroke-dasharray");
    if copied && value.len() > MOST_COPIED {
        return Err(too_much(&format!("its {property} has {} bytes", value.len())));
    }
    Ok(())
}

/// What a text weighs: its letters become outlines; each of its spans is shaped with all of it, because letters join across
/// them, one run of a direction after the other; and some steps look for each letter in all of it.
fn letters(text: &Node) -> u64 {
    let (mut bytes, mut spans, mut runs, mut last) = (0u64, 0u64, 1u64, Script::Other);
    for words in text.descendants().filter(Node::is_text).filter_map(|node| node.text()) {
        bytes = bytes.saturating_add(words.len() as u64);
        spans = spans.saturating_add(1);
        for script in words.chars().map(Script::of) {
            runs = runs.saturating_add(u64::from(script != last || script == Script::Control));
            last = script;
        }
    }
    let shaped = spans.saturating_mul(bytes / PIECE_SHAPED + runs);
    let searched = bytes.saturating_mul(bytes) / PIECE_SEARCHED;
    bytes.saturating_mul(PIECES_OF_LETTER).saturating_add(shaped).saturating_add(searched)
}

/// Where the direction of writing may change: between letters of different ones of these.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Script {
    RightToLeft,
    ArabicDigit,
    Control,
    Other,
}

impl Script {
    fn of(letter: char) -> Self {
        match u32::from(letter) {
            0x200e | 0x200f | 0x061c | 0x202a..=0x202e | 0x2066..=0x2069 => Self::Control,
            0x0660..=0x0669 | 0x06dd | 0x0600..=0x0605 | 0x10d30..=0x10d39 | 0x10e60..=0x10e7e => Self::ArabicDigit,
            0x0590..=0x08ff | 0xfb1d..=0xfdff | 0xfe70..=0xfeff | 0x10800..=0x10fff | 0x1e800..=0x1efff => {
                Self::RightToLeft
            }
            _ => Self::Other,
        }
    }
}

fn named(node: &Node, name: &str) -> bool {
    node.tag_name().name() == name && matches!(node.tag_name().namespace(), None | Some(SVG))
}

fn has_text(node: &Node) -> bool {
    node.is_text() && node.text().is_some_and(|text| !text.trim().is_empty())
}

/// Vertices of a shape, at most.
fn vertices(node: &Node) -> u64 {
    let path = node.attribute("d").or_else(|| node.attribute("points")).unwrap_or_default();
    // The shortest are those of `h1v1`.
    (path.len() as u64 / 2).saturating_add(2)
}

#[derive(Clone, Copy, Default)]
struct Weight {
    pieces: u64,
    steps: u64,
}

struct Scales<'a, 'i> {
    /// Several elements may have one id; which of them is meant depends on who asks.
    ids: HashMap<&'a str, Vec<Node<'a, 'i>>>,
    /// The rules that refer to something.
    styles: StyleSheet<'a>,
    /// Vertices of the shape that has most.
    longest: u64,
    /// `None` while it is being weighed.
    known: HashMap<roxmltree::NodeId, Option<Weight>>,
}

/// What an element refers to.
#[derive(Default)]
struct References<'a> {
    /// By properties that the elements inside of it inherit, and whether those are markers.
    inherited: Vec<(&'a str, bool)>,
    own: Vec<&'a str>,
}

impl<'a> References<'a> {
    fn add(&mut self, property: &str, value: &'a str) {
        for id in addresses(value) {
            match property {
                "fill" | "stroke" => self.inherited.push((id, false)),
                "marker" | "marker-start" | "marker-mid" | "marker-end" => self.inherited.push((id, true)),
                _ => self.own.push(id),
            }
        }
    }
}

/// The ids in `url(#id)`.
fn addresses(value: &str) -> impl Iterator<Item = &str> {
    value.split("url(").skip(1).filter_map(|rest| {
        let inside = rest.split(')').next()?.trim_matches(|c: char| c.is_ascii_whitespace() || matches!(c, '"' | '\''));
        inside.strip_prefix('#')
    })
}

impl<'a, 'i> Scales<'a, 'i> {
    fn references(&self, node: Node<'a, 'i>) -> References<'a>
    where
        'i: 'a,
    {
        let mut found = References::default();
        for attribute in node.attributes() {
            let value = attribute.value();
            match attribute.name() {
                // A link leads out of the picture.
                "href" if matches!(node.tag_name().name(), "a" | "image") => {}
                "href" => found.own.extend(value.trim().strip_prefix('#')),
                "style" => {
                    for declaration in DeclarationTokenizer::from(value) {
                        found.add(declaration.name, declaration.value);
                    }
                }
                name => found.add(name, value),
            }
        }
        for rule in &self.styles.rules {
            if rule.selector.matches(&Styled(node)) {
                for declaration in &rule.declarations {
                    found.add(declaration.name, declaration.value);
                }
            }
        }
        found
    }

    fn target(&mut self, id: &str) -> Result<Weight, Error> {
        let mut all = Weight::default();
        for node in self.ids.get(id).cloned().unwrap_or_default() {
            let one = self.weigh(node)?;
            all.pieces = all.pieces.saturating_add(one.pieces);
            all.steps = all.steps.max(one.steps);
        }
        Ok(all)
    }

    fn weigh(&mut self, node: Node<'a, 'i>) -> Result<Weight, Error> {
        match self.known.insert(node.id(), None) {
            Some(Some(weight)) => {
                self.known.insert(node.id(), Some(weight));
                return Ok(weight);
            }
            Some(None) => return Err(too_much("its parts refer to each other in a circle")),
            None => {}
        }
        // Every use of a long path holds it again.
        let text = node.attributes().map(|attribute| attribute.value().len() as u64).fold(0, u64::saturating_add);
        let mut weight = Weight { pieces: 1 + text / PIECE_TEXT, steps: 0 };
        if named(&node, "text") {
            weight.pieces = weight.pieces.saturating_add(letters(&node));
        }
        for child in node.children().filter(Node::is_element) {
            let child = self.weigh(child)?;
            weight.pieces = weight.pieces.saturating_add(child.pieces);
            weight.steps = weight.steps.max(child.steps);
        }
        if named(&node, "linearGradient") || named(&node, "radialGradient") {
            // Its stops are small.
            weight.pieces = weight.pieces.div_ceil(8);
        }
        let references = self.references(node);
        let (mut each, mut further) = (1u64, 0);
        for (id, marker) in references.inherited {
            let target = self.target(id)?;
            let own = vertices(&node);
            // A container's markers may come to stand on any shape.
            let times = match marker {
                true if own > 2 => own,
                true => self.longest,
                false => 1,
            };
            each = each.saturating_add(target.pieces.saturating_mul(times));
            further = further.max(target.steps);
        }
        weight.pieces = weight.pieces.saturating_mul(each);
        weight.steps = weight.steps.saturating_add(further);
        for id in references.own {
            let target = self.target(id)?;
            weight.pieces = weight.pieces.saturating_add(target.pieces);
            weight.steps = weight.steps.max(target.steps);
        }
        weight.steps = weight.steps.saturating_add(1);
        if weight.steps > DEEPEST {
            return Err(too_much("its references lead too deep"));
        }
        self.known.insert(node.id(), Some(weight));
        Ok(weight)
    }
}

/// An element, as selectors see it.
struct Styled<'a, 'i>(Node<'a, 'i>);

impl Element for Styled<'_, '_> {
    fn parent_element(&self) -> Option<Self> {
        self.0.parent_element().map(Self)
    }

    fn prev_sibling_element(&self) -> Option<Self> {
        self.0.prev_sibling_element().map(Self)
    }

    fn has_local_name(&self, name: &str) -> bool {
        self.0.tag_name().name() == name
    }

    fn attribute_matches(&self, name: &str, operator: AttributeOperator<'_>) -> bool {
        self.0.attribute(name).is_some_and(|value| operator.matches(value))
    }

    fn pseudo_class_matches(&self, class: PseudoClass<'_>) -> bool {
        matches!(class, PseudoClass::FirstChild) && self.prev_sibling_element().is_none()
    }
}
