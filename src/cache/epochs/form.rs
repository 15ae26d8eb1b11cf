//! What is remembered of purges as bytes, so that it outlives the process.

use super::super::Depth;
use super::super::bytes::{ByteReader, ByteWriter, Tag, Unreadable};
use super::prefixes::{MOST, Purged};
use super::{Epoch, Epochs, Numbers, OBJECTS, Prefixes, SITES, TAGS};

/// The first form. Another one, and other places, need another tag.
pub(super) const FORM: Tag = *b"PEP\x01";

/// A place's number, and what stands there.
type Row = (usize, [Epoch; 2]);

fn read(numbers: &Numbers) -> [Epoch; 2] {
    [Depth::Soft, Depth::Hard].map(|depth| numbers.at(depth))
}

fn raise(numbers: &Numbers, [any, hard]: [Epoch; 2]) {
    numbers.raise(Depth::Soft, any);
    numbers.raise(Depth::Hard, hard);
}

impl Epochs {
    /// As bytes: up to 2 MiB where every place was purged.
    pub fn to_bytes(&self) -> Vec<u8> {
        let _turn = self.turn.lock();
        let mut bytes = ByteWriter::new(FORM);
        pair(&mut bytes, read(&self.latest));
        let prefixes = self.prefixes.load();
        bytes.number(prefixes.list().len() as u64);
        for Purged { site, prefix, any, hard } in prefixes.list() {
            bytes.text(site);
            bytes.text(prefix);
            pair(&mut bytes, [*any, *hard]);
        }
        rows(&mut bytes, self.objects.iter());
        rows(&mut bytes, self.tags.iter());
        rows(&mut bytes, self.sites.iter().map(|site| &site.whole));
        rows(&mut bytes, self.sites.iter().map(|site| &site.sweeps));
        bytes.finish()
    }

    /// Takes over what such bytes say, beside what is known already: of two numbers for the same the larger is right. So a
    /// process learns what was purged before it began, or elsewhere.
    ///
    /// # Errors
    /// For what is of another form, or damaged so that it shows; then nothing of it is taken.
    pub fn learn(&self, bytes: &[u8]) -> Result<(), Unreadable> {
        let mut bytes = ByteReader::new(FORM, bytes)?;
        let latest = read_pair(&mut bytes, [Epoch(LAST); 2])?;
        let count = bytes.number()?;
        if count > MOST as u64 {
            return Err(Unreadable::Damaged);
        }
        let mut list = Vec::new();
        for _ in 0..count {
            let (site, prefix) = (bytes.text()?.into(), bytes.text()?.into());
            let [any, hard] = read_pair(&mut bytes, latest)?;
            list.push(Purged { site, prefix, any, hard });
        }
        let objects = read_rows(&mut bytes, OBJECTS, latest)?;
        let tags = read_rows(&mut bytes, TAGS, latest)?;
        let wholes = read_rows(&mut bytes, SITES, latest)?;
        let sweeps = read_rows(&mut bytes, SITES, latest)?;
        bytes.end()?;
        // In the order of a purge: the last number is the last to be seen.
        let _turn = self.turn.lock();
        objects.into_iter().for_each(|(place, numbers)| raise(&self.objects[place], numbers));
        tags.into_iter().for_each(|(place, numbers)| raise(&self.tags[place], numbers));
        wholes.into_iter().for_each(|(place, numbers)| raise(&self.sites[place].whole, numbers));
        let mut prefixes = Prefixes::clone(&self.prefixes.load());
        let folded = prefixes.join(list);
        self.replace(prefixes, folded);
        sweeps.into_iter().for_each(|(place, numbers)| raise(&self.sites[place].sweeps, numbers));
        raise(&self.latest, latest);
        Ok(())
    }
}

fn pair(bytes: &mut ByteWriter, [Epoch(any), Epoch(hard)]: [Epoch; 2]) {
    bytes.number(any);
    bytes.number(hard);
}

/// A hard purge is one of any depth, and none is later than the latest.
fn read_pair(bytes: &mut ByteReader, latest: [Epoch; 2]) -> Result<[Epoch; 2], Unreadable> {
    let [any, hard] = [Epoch(bytes.number()?), Epoch(bytes.number()?)];
    let right = hard <= any && any <= latest[0] && hard <= latest[1];
    if right { Ok([any, hard]) } else { Err(Unreadable::Damaged) }
}

/// In the year 2262: there is room for larger numbers.
const LAST: u64 = i64::MAX as u64;

/// The places that have numbers.
fn rows<'a>(bytes: &mut ByteWriter, places: impl Iterator<Item = &'a Numbers> + Clone) {
    let set = places.enumerate().filter(|(_, numbers)| numbers.at(Depth::Soft) > Epoch::default());
    bytes.number(set.clone().count() as u64);
    for (place, numbers) in set {
        bytes.number(place as u64);
        pair(bytes, read(numbers));
    }
}

/// In ascending order, each once.
fn read_rows(bytes: &mut ByteReader, places: usize, latest: [Epoch; 2]) -> Result<Vec<Row>, Unreadable> {
    let count = bytes.number()?;
    if count > places as u64 {
        return Err(Unreadable::Damaged);
    }
    let mut rows: Vec<Row> = Vec::new();
    for _ in 0..count {
        let place = usize::try_from(bytes.number()?).ok().filter(|place| *place < places).ok_or(Unreadable::Damaged)?;
        if rows.last().is_some_and(|(last, _)| *last >= place) {
            return Err(Unreadable::Damaged);
        }
        rows.push((place, read_pair(bytes, latest)?));
    }
    Ok(rows)
}
