//! An entry as bytes, for the stores that keep bytes.

use super::Entry;

/// What the bytes begin with, so that a later form can be told from this one.
const VERSION: u8 = 1;

/// Version, revision, end, owner with its length in front, value. Lengths and numbers have their highest byte first.
pub(super) fn encode(entry: &Entry) -> Vec<u8> {
    let owner = entry.owner.as_deref();
    let mut bytes = Vec::with_capacity(22 + owner.map_or(0, str::len) + entry.value.len());
    bytes.push(VERSION);
    bytes.extend_from_slice(&entry.revision.to_be_bytes());
    bytes.extend_from_slice(&entry.expires_at.to_be_bytes());
    // Nobody's entry has no length: an owner without a name is another one.
    bytes.push(u8::from(owner.is_some()));
    let owner = owner.unwrap_or_default();
    bytes.extend_from_slice(&u32::try_from(owner.len()).unwrap_or(u32::MAX).to_be_bytes());
    bytes.extend_from_slice(owner.as_bytes());
    bytes.extend_from_slice(&entry.value);
    bytes
}

/// The entry that the bytes hold, if they hold one.
pub(super) fn decode(bytes: &[u8]) -> Option<Entry> {
    let (&version, rest) = bytes.split_first()?;
    let (revision, rest) = rest.split_first_chunk()?;
    let (expires_at, rest) = rest.split_first_chunk()?;
    let (&has_owner, rest) = rest.split_first()?;
    let (length, rest) = rest.split_first_chunk()?;
    let (owner, value) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    if version != VERSION || has_owner > 1 {
        return None;
    }
    let owner = std::str::from_utf8(owner).ok()?;
    Some(Entry {
        owner: (has_owner == 1).then(|| owner.to_owned()),
        revision: u64::from_be_bytes(*revision),
        expires_at: i64::from_be_bytes(*expires_at),
        value: value.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_read_as_it_was_written() {
        for (owner, value) in [(None, vec![]), (Some(""), vec![0, 0xff]), (Some("wörd"), b"value".to_vec())]
        {
            let entry = Entry { owner: owner.map(str::to_owned), revision: u64::MAX, value, expires_at: -1 };
            assert_eq!(decode(&encode(&entry)).as_ref(), Some(&entry));
        }
    }

    #[test]
    fn what_is_cut_off_or_of_another_form_is_no_entry() {
        let entry = Entry { owner: Some("ann".to_owned()), revision: 7, value: vec![], expires_at: 9 };
        let bytes = encode(&entry);
        for length in 0..bytes.len() {
            assert_eq!(decode(&bytes[..length]), None, "{length} bytes");
        }
        for (place, wrong) in [(0, 2), (17, 2), (22, 0xff)] {
            let mut bytes = bytes.clone();
            bytes[place] = wrong;
            assert_eq!(decode(&bytes), None, "byte {place}");
        }
    }
}
