//! Compressing once at build time what every visit would compress anew.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use brotli::enc::BrotliEncoderParams;
use flate2::{Compression, write::GzEncoder};

use crate::{error::BuildError, files};

/// Endings of files that are compressed already.
const DENSE: [&str; 10] = ["avif", "br", "gif", "gz", "ico", "jpg", "png", "webp", "woff", "woff2"];

/// Puts `FILE.br` and `FILE.gz` beside each file of `folder` that gets smaller by it.
///
/// # Errors
///
/// When a file cannot be read or written.
pub fn all(folder: &Path) -> Result<(), BuildError> {
    for file in files::list(folder)? {
        let path = folder.join(file);
        if path.extension().is_some_and(|ending| DENSE.iter().any(|dense| ending.eq_ignore_ascii_case(dense))) {
            continue;
        }
        let plain = fs::read(&path).map_err(BuildError::file("read", &path))?;
        for (ending, compress) in [("br", brotli as Compress), ("gz", gzip)] {
            let mut target = path.clone().into_os_string();
            target.push(".");
            target.push(ending);
            let dense = compress(&plain).map_err(BuildError::file("compress", &path))?;
            if dense.len() < plain.len() {
                fs::write(&target, dense).map_err(BuildError::file("write", target))?;
            }
        }
    }
    Ok(())
}

type Compress = fn(&[u8]) -> io::Result<Vec<u8>>;

fn brotli(mut plain: &[u8]) -> io::Result<Vec<u8>> {
    let mut dense = Vec::new();
    let best = BrotliEncoderParams { quality: 11, lgwin: 22, size_hint: plain.len(), ..BrotliEncoderParams::default() };
    brotli::BrotliCompress(&mut plain, &mut dense, &best)?;
    Ok(dense)
}

fn gzip(plain: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain)?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn compressed_files_hold_the_same_text() {
        let folder = tempfile::tempdir().unwrap();
        let text = "the same words again and again; ".repeat(50);
        fs::write(folder.path().join("page.css"), &text).unwrap();

        all(folder.path()).unwrap();

        let mut unpacked = String::new();
        let gz = fs::File::open(folder.path().join("page.css.gz")).unwrap();
        flate2::read::GzDecoder::new(gz).read_to_string(&mut unpacked).unwrap();
        assert_eq!(unpacked, text);
        let mut unpacked = Vec::new();
        let br = fs::read(folder.path().join("page.css.br")).unwrap();
        brotli::BrotliDecompress(&mut br.as_slice(), &mut unpacked).unwrap();
        assert_eq!(unpacked, text.as_bytes());
    }

    #[test]
    fn what_would_not_get_smaller_stays_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("tiny.txt"), "a").unwrap();
        fs::write(folder.path().join("icon.PNG"), "a".repeat(500)).unwrap();

        all(folder.path()).unwrap();

        assert_eq!(files::list(folder.path()).unwrap().len(), 2);
    }
}
