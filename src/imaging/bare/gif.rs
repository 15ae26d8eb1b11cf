//! GIF (87a, 89a): pictures with their times, how often they play, and the profile.

/// Applications whose data belongs to the picture: how often it plays (by two names), and its colours.
const KEPT: [&[u8]; 3] = [b"NETSCAPE2.0", b"ANIMEXTS1.0", b"ICCRGBG1012"];

pub(super) fn strip(source: &[u8], exif: Option<&[u8]>, out: &mut Vec<u8>) -> Option<()> {
    // No place for an orientation.
    exif.is_none().then_some(())?;
    (source.starts_with(b"GIF87a") || source.starts_with(b"GIF89a")).then_some(())?;
    let mut at = 13usize.checked_add(table(*source.get(10)?))?;
    out.extend_from_slice(source.get(..at)?);
    loop {
        let kept;
        let next = match *source.get(at)? {
            0x2c => {
                kept = true;
                // The place, the colours, the size of the first code.
                sub_blocks(source, at.checked_add(11)?.checked_add(table(*source.get(at.checked_add(9)?)?))?)?
            }
            0x21 => {
                let label = *source.get(at.checked_add(1)?)?;
                kept = match label {
                    0xf9 => true,
                    0xff => {
                        source.get(at.checked_add(3)?..at.checked_add(14)?).is_some_and(|name| KEPT.contains(&name))
                    }
                    // Comments.
                    0xfe => false,
                    // Text that nobody draws takes the settings of its own that stand before it.
                    _ => return None,
                };
                sub_blocks(source, at.checked_add(2)?)?
            }
            0x3b => {
                out.push(0x3b);
                return Some(());
            }
            _ => return None,
        };
        if kept {
            out.extend_from_slice(source.get(at..next)?);
        }
        at = next;
    }
}

/// Bytes of a colour table as a packed field announces it.
fn table(packed: u8) -> usize {
    if packed & 0x80 == 0 { 0 } else { 3 << ((packed & 7) + 1) }
}

/// The offset after a chain of sub-blocks.
fn sub_blocks(source: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let length = usize::from(*source.get(at)?);
        at = at.checked_add(length)?.checked_add(1)?;
        if length == 0 {
            return Some(at);
        }
    }
}
