//! What the ledger is held against: a bare file, and four stores, each asked to be durable.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Instant;

use anyhow::{Result, bail};

use crate::ours::per_second;

/// The rows of the table, the ledger among them.
pub(crate) const NAMES: &[&str] =
    &["ledger", "bare", "bare, preallocated", "sled", "SQLite", "redb", "fjall"];

/// Records a second, so many to a commit.
pub(crate) fn rate(name: &str, dir: &Path, count: usize, group: usize) -> Result<f64> {
    std::fs::create_dir(dir)?;
    let mut store = open(name, dir)?;
    let mut next = 0u64;
    let began = Instant::now();
    while next < count as u64 {
        let end = (next + group as u64).min(count as u64);
        store(next, end)?;
        next = end;
    }
    Ok(per_second(count, began.elapsed()))
}

/// Commits the records from one number to another, durably.
type Commit = Box<dyn FnMut(u64, u64) -> Result<()>>;

fn open(name: &str, dir: &Path) -> Result<Commit> {
    Ok(match name {
        "bare" => bare(File::create(dir.join("bare"))?),
        "bare, preallocated" => {
            let file = File::create(dir.join("bare"))?;
            file.write_all_at(&vec![0; PREALLOCATED], 0)?;
            file.sync_all()?;
            bare(file)
        }
        "sled" => {
            let db = sled::Config::new().path(dir).flush_every_ms(None).open()?;
            let file = File::open(dir.join("db"))?;
            Box::new(move |from, to| {
                for number in from..to {
                    db.insert(number.to_be_bytes(), record(number).as_slice())?;
                }
                // Its flush alone does not survive a power cut.
                db.flush()?;
                file.sync_all()?;
                Ok(())
            })
        }
        "SQLite" => {
            let mut db = rusqlite::Connection::open(dir.join("db"))?;
            db.pragma_update(None, "journal_mode", "WAL")?;
            db.pragma_update(None, "synchronous", "FULL")?;
            db.execute("CREATE TABLE record (seq INTEGER PRIMARY KEY, stored BLOB)", ())?;
            Box::new(move |from, to| {
                let commit = db.transaction()?;
                {
                    let mut insert = commit.prepare_cached("INSERT INTO record VALUES (?1, ?2)")?;
                    for number in from..to {
                        insert.execute((i64::try_from(number)?, record(number)))?;
                    }
                }
                commit.commit()?;
                Ok(())
            })
        }
        "redb" => {
            let db = redb::Database::create(dir.join("db"))?;
            Box::new(move |from, to| {
                let commit = db.begin_write()?;
                {
                    let mut table = commit.open_table(TABLE)?;
                    for number in from..to {
                        table.insert(number, record(number).as_slice())?;
                    }
                }
                commit.commit()?;
                Ok(())
            })
        }
        "fjall" => {
            let db = fjall::Database::builder(dir).open()?;
            let records = db.keyspace("record", fjall::KeyspaceCreateOptions::default)?;
            Box::new(move |from, to| {
                let mut batch = db.batch();
                for number in from..to {
                    batch.insert(&records, number.to_be_bytes(), record(number));
                }
                batch.commit()?;
                db.persist(fjall::PersistMode::SyncData)?;
                Ok(())
            })
        }
        other => bail!("{other} is not known"),
    })
}

fn bare(file: File) -> Commit {
    let mut at = 0;
    Box::new(move |from, to| {
        let bytes: Vec<u8> = (from..to).flat_map(record).collect();
        file.write_all_at(&bytes, at)?;
        file.sync_data()?;
        at += bytes.len() as u64;
        Ok(())
    })
}

/// 512 bytes that are no others' and do not compress.
fn record(number: u64) -> Vec<u8> {
    let mut state = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut bytes = Vec::with_capacity(512);
    while bytes.len() < 512 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_be_bytes());
    }
    bytes
}

const TABLE: redb::TableDefinition<'_, u64, &[u8]> = redb::TableDefinition::new("record");
const PREALLOCATED: usize = 32 << 20;
