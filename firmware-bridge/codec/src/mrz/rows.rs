//! Gathers the rows of a zone from readers that send each row by itself.
//!
//! Owns the grouping rule (a first row of 44 or 36 characters opens a group of two, one of 30 a
//! group of three). It reads no clock: a driver calls `idle` 500 ms after the last row.

use super::{Mrz, MrzError, parse};
use crate::stream::ToJson;
use serde_json::Value;
use std::time::Duration;

/// The rows inside one text frame of a reader, in order; empty ones left out.
pub fn rows_of(text: &str) -> Vec<&str> {
    let rows = text.split(['\r', '\n']).map(str::trim);
    rows.filter(|row| !row.is_empty()).collect()
}

/// What a group of rows came to, with the rows as received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowItem {
    /// The rows.
    pub rows: Vec<String>,
    /// The zone, or why it is none.
    pub zone: Result<Mrz, MrzError>,
}

impl ToJson for RowItem {
    fn to_json(&self) -> Value {
        match &self.zone {
            Ok(zone) => zone.to_json(),
            Err(error) => error.to_json(),
        }
    }
}

/// Rows waiting for the rest of their zone.
#[derive(Debug, Default)]
pub struct RowGroup {
    rows: Vec<String>,
}

/// Longer rows are cut here: no layout has them, and memory stays bounded.
const LONGEST_ROW: usize = 128;

impl RowGroup {
    /// Silence after which rows still missing are given up.
    pub const SILENCE: Duration = Duration::from_millis(500);

    /// An empty group.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one row; gives what it completes. A row of another length closes the group before
    /// it as incomplete.
    pub fn row(&mut self, row: &str) -> Vec<RowItem> {
        let mut items = Vec::new();
        let row: String = row.chars().take(LONGEST_ROW).collect();
        let length = row.chars().count();
        let fits = self.rows.first().is_none_or(|first| first.chars().count() == length);
        if !fits {
            items.extend(self.idle());
        }
        self.rows.push(row);
        let needed = match length {
            30 => 3,
            36 | 44 => 2,
            _ => 1,
        };
        if self.rows.len() >= needed {
            items.extend(self.close());
        }
        items
    }

    /// Takes a text frame, which may hold one row or all.
    pub fn text(&mut self, text: &str) -> Vec<RowItem> {
        rows_of(text).into_iter().flat_map(|row| self.row(row)).collect()
    }

    /// No row came for [`RowGroup::SILENCE`]: what is pending is incomplete.
    pub fn idle(&mut self) -> Option<RowItem> {
        self.close()
    }

    fn close(&mut self) -> Option<RowItem> {
        let rows = std::mem::take(&mut self.rows);
        (!rows.is_empty()).then(|| RowItem { zone: parse(&rows), rows })
    }
}
