//! The file of a bulk job: one CSV in a ZIP, which is read row by row without ever being whole in memory.

use std::io::{Cursor, Read};

use csv::StringRecord;
use flate2::read::DeflateDecoder;
use zip::{CompressionMethod, ZipArchive};

/// The column that is there whether it was asked for or not.
const ID: &str = "id";

/// No file is longer when it is unpacked, in bytes.
const UNPACKED_MAX: u64 = 1024 * 1024 * 1024;

/// A file, and how far it was read.
pub(super) struct Table {
    rows: csv::Reader<Box<dyn Read + Send>>,
    /// Where the id stands in a row, then where each of the fields does that were asked for.
    columns: Vec<usize>,
    row: u64,
}

/// A row.
pub(super) struct Row {
    pub(super) id: String,
    /// In the order in which the fields were asked for.
    pub(super) cells: Vec<String>,
}

impl Table {
    /// None if it is not such a file, or lacks one of these fields.
    pub(super) fn open(file: Vec<u8>, fields: &[&str]) -> Option<Self> {
        let mut rows = csv::ReaderBuilder::new().from_reader(unpacked(file)?);
        let head = rows.headers().ok()?;
        let id = head
            .iter()
            .position(|name| name.trim_start_matches('\u{feff}').eq_ignore_ascii_case(ID));
        let places = fields.iter().map(|field| head.iter().position(|name| name == *field));
        let columns = std::iter::once(id).chain(places).collect::<Option<Vec<usize>>>()?;
        Some(Self { rows, columns, row: 0 })
    }

    /// How many rows were read.
    pub(super) fn row(&self) -> u64 {
        self.row
    }

    /// Passes over so many rows. None if there are not so many.
    pub(super) fn skip(&mut self, rows: u64) -> Option<()> {
        let mut row = StringRecord::new();
        for _ in 0..rows {
            self.rows.read_record(&mut row).ok().filter(|is_there| *is_there)?;
            self.row += 1;
        }
        Some(())
    }

    /// The next rows, at most so many; fewer only at the end. None if they can't be read.
    pub(super) fn next(&mut self, rows: usize) -> Option<Vec<Row>> {
        let mut found = Vec::new();
        let mut row = StringRecord::new();
        while found.len() < rows && self.rows.read_record(&mut row).ok()? {
            self.row += 1;
            let cells = self.columns.iter().map(|column| row.get(*column).map(str::to_owned));
            let mut cells = cells.collect::<Option<Vec<String>>>()?;
            found.push(Row { id: cells.remove(0), cells });
        }
        Some(found)
    }
}

/// The only file in a ZIP.
fn unpacked(file: Vec<u8>) -> Option<Box<dyn Read + Send>> {
    let mut zip = ZipArchive::new(Cursor::new(file)).ok()?;
    let only = zip.by_index(0).ok()?;
    let (method, length) = (only.compression(), only.compressed_size());
    let start = only.data_start()?;
    let is_readable = !only.encrypted();
    drop(only);
    if zip.len() != 1 || !is_readable {
        return None;
    }
    let mut packed = zip.into_inner();
    packed.set_position(start);
    let packed = packed.take(length);
    match method {
        CompressionMethod::Stored => Some(Box::new(packed)),
        CompressionMethod::Deflated => {
            Some(Box::new(DeflateDecoder::new(packed).take(UNPACKED_MAX)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn packed(files: &[&str], method: CompressionMethod) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (number, text) in files.iter().enumerate() {
            let options = SimpleFileOptions::default().compression_method(method);
            zip.start_file(format!("{number}.csv"), options).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    const TEXT: &str = "\u{feff}Id,Email,Last_Name\n1,a@x.es,\"Ríos, \"\"Pepa\"\"\"\n2,,\"Two\nlines\"\n3,c@x.es,C\n";

    #[test]
    fn rows_come_in_order_with_the_fields_that_were_asked_for() {
        for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
            let open = || Table::open(packed(&[TEXT], method), &["Last_Name", "Email"]).unwrap();
            let mut table = open();
            let first = table.next(2).unwrap();
            let ids: Vec<&str> = first.iter().map(|row| row.id.as_str()).collect();
            assert_eq!(ids, ["1", "2"]);
            assert_eq!(first[0].cells, ["Ríos, \"Pepa\"", "a@x.es"]);
            assert_eq!(first[1].cells, ["Two\nlines", ""]);
            assert_eq!(table.row(), 2);
            assert_eq!(table.next(2).unwrap().len(), 1, "the end");
            assert_eq!((table.next(2).unwrap().len(), table.row()), (0, 3));
            let mut again = open();
            again.skip(2).unwrap();
            assert_eq!(again.next(9).unwrap()[0].id, "3");
            assert!(open().skip(4).is_none(), "there are three");
        }
    }

    #[test]
    fn what_is_no_such_file_is_not_read() {
        let deflated = CompressionMethod::Deflated;
        assert!(Table::open(b"<html>".to_vec(), &[]).is_none());
        assert!(Table::open(packed(&[TEXT], deflated), &["Phone"]).is_none(), "no such column");
        assert!(Table::open(packed(&["Email\na@x.es\n"], deflated), &["Email"]).is_none(), "no id");
        assert!(Table::open(packed(&[TEXT, TEXT], deflated), &["Email"]).is_none(), "two files");
        let mut short = Table::open(packed(&["Id,Email\n1,a\n2\n"], deflated), &["Email"]).unwrap();
        assert!(short.next(5).is_none(), "a row that lacks a cell");
    }
}
