//! Reads the key files at opening: which slots are used, which copies need repair, which slot is
//! next.

use std::io;
use std::path::Path;

use crate::disk::{Disk, read_from};
use crate::key::{
    FoundSlot, KEY_FILE_BYTES, SLOTS_PER_FILE, Slot, copies, first_slot, judge, key_path,
};

/// What the key files hold from some slot on.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    pub(crate) found: Vec<Slot>,
    pub(crate) next: u64,
    pub(crate) notices: Vec<String>,
}

/// Reads all slots from a number on; repairs a damaged copy from the good one.
pub(crate) fn scan_slots(disk: &dyn Disk, dir: &Path, from: u64) -> io::Result<Slots> {
    let mut slots = Slots { next: from, ..Slots::default() };
    let mut firsts: Vec<u64> = disk.list(dir)?.iter().filter_map(|name| first_slot(name)).collect();
    firsts.sort_unstable();
    for first in firsts {
        let path = key_path(dir, first);
        if disk.open(&path)?.length()? < KEY_FILE_BYTES {
            let name = path.file_name().unwrap_or_default().display();
            slots.notices.push(format!("key file {name} is cut short: keys may be lost"));
            read_file(disk, dir, first, 0, &mut slots)?;
        } else if first + SLOTS_PER_FILE > from {
            read_file(disk, dir, first, from, &mut slots)?;
        }
    }
    slots.found.retain(|slot| slot.number >= from);
    slots.next = slots.next.max(from);
    Ok(slots)
}

fn read_file(
    disk: &dyn Disk,
    dir: &Path,
    first: u64,
    from: u64,
    slots: &mut Slots,
) -> io::Result<()> {
    let file = disk.open(&key_path(dir, first))?;
    let bytes = read_from(&*file, 0, usize::try_from(KEY_FILE_BYTES).unwrap_or(0))?;
    let mut repaired = 0;
    for number in first.max(from)..first + SLOTS_PER_FILE {
        let copy = |offset: u64| {
            let start = usize::try_from(offset).unwrap_or(usize::MAX);
            bytes.get(start..start.saturating_add(crate::key::SLOT_BYTES)).unwrap_or_default()
        };
        let places = copies(number);
        let [one, two] = places.map(copy);
        match judge(one, two, number) {
            FoundSlot::Blank => continue,
            FoundSlot::Lost => {
                slots.notices.push(format!("key slot {number} is damaged in both copies"));
            }
            FoundSlot::Valid { slot, damaged } => {
                for (offset, bad) in places.iter().zip(damaged) {
                    if bad {
                        file.write_at(*offset, &slot.to_bytes())?;
                        repaired += 1;
                    }
                }
                slots.found.push(*slot);
            }
        }
        slots.next = number + 1;
    }
    if repaired > 0 {
        file.sync()?;
        slots.notices.push(format!("{repaired} copies of key slots were repaired"));
    }
    Ok(())
}
