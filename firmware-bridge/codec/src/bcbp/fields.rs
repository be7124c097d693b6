//! Walks fixed-width fields of a scan from left to right.
//!
//! Owns the position. It never reads beyond the text: a short field gives what there is.

pub(super) struct Fields<'a> {
    text: &'a str,
    position: usize,
}

impl<'a> Fields<'a> {
    /// Over ASCII text, which the caller has checked.
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, position: 0 }
    }

    pub(super) fn position(&self) -> usize {
        self.position
    }

    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.position..).unwrap_or_default()
    }

    pub(super) fn take(&mut self, width: usize) -> &'a str {
        let rest = self.rest();
        let (field, _) = rest.split_at_checked(width).unwrap_or((rest, ""));
        self.position = self.position.saturating_add(field.len());
        field
    }

    pub(super) fn take_rest(&mut self) -> &'a str {
        self.take(usize::MAX)
    }

    pub(super) fn trimmed(&mut self, width: usize) -> String {
        self.take(width).trim().to_owned()
    }

    /// Two hexadecimal digits; blanks mean zero.
    pub(super) fn size(&mut self) -> Option<usize> {
        let field = self.take(2);
        match field {
            "  " => Some(0),
            _ if field.len() == 2 && field.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                usize::from_str_radix(field, 16).ok()
            }
            _ => None,
        }
    }

    /// Exactly `size` characters, or `None` if so many are not left.
    pub(super) fn section(&mut self, size: usize) -> Option<&'a str> {
        (self.rest().len() >= size).then(|| self.take(size))
    }
}
