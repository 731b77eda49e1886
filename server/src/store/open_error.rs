//! Why a store cannot be used, in one line with the cure.

use std::{
    io,
    path::{Path, PathBuf},
};

use thiserror::Error;

/// Why a store cannot be opened, at the start or again later; each message names place, cause and
/// cure in one line.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The directory cannot be made or entered.
    #[error("data directory {}: {cause}; make it writable, or name another one in JPULSE_DATA_DIR", .path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// Somebody else has the file.
    #[error(
        "store file {}: another process has it open; stop that one, or give this instance its own JPULSE_DATA_DIR, \
         or let both use one MongoDB (MONGODB_URI)", .path.display()
    )]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// The file may not be written.
    #[error("store file {}: {cause}; make it writable for this user, or name another directory in JPULSE_DATA_DIR", .path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// No room is left.
    #[error("store file {}: {cause}; free some space, nothing that was saved is lost", .path.display())]
    Full {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// What the file holds is not a store, or not whole.
    #[error("store file {}: damaged or not a store ({cause}); restore it from a backup, or move it away to begin anew", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: String,
    },
    /// The disk failed in another way.
    #[error("store file {}: {cause}; check the disk and the file's permissions", .path.display())]
    Disk {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: String,
    },
    /// It was closed: the instance is stopping.
    #[error("store file {}: closed, because this instance is stopping", .path.display())]
    Closed {
        /// The file.
        path: PathBuf,
    },
    /// The address of MongoDB is malformed. It may hold a password, so it is not repeated.
    #[error("MONGODB_URI: {cause}; allowed is mongodb://[user:password@]host[:port][,…]/[database][?options]")]
    Address {
        /// What is wrong with it.
        cause: String,
    },
}

impl OpenError {
    /// Sorts what the embedded store says by what helps.
    pub(super) fn of_file(path: &Path, error: redb::Error) -> Self {
        let path = path.to_owned();
        match error {
            redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => Self::Locked { path },
            redb::Error::Io(cause) => Self::of_io(path, cause),
            redb::Error::Corrupted(cause) => Self::Damaged { path, cause: one_line(&cause) },
            error @ (redb::Error::UpgradeRequired(_)
            | redb::Error::RepairAborted
            | redb::Error::TableTypeMismatch { .. }
            | redb::Error::TypeDefinitionChanged { .. }
            | redb::Error::TableIsMultimap(_)) => Self::Damaged { path, cause: one_line(&error.to_string()) },
            error => Self::Disk { path, cause: one_line(&error.to_string()) },
        }
    }

    fn of_io(path: PathBuf, cause: io::Error) -> Self {
        use io::ErrorKind as Kind;
        match cause.kind() {
            Kind::StorageFull | Kind::QuotaExceeded | Kind::FileTooLarge => Self::Full { path, cause },
            Kind::PermissionDenied | Kind::ReadOnlyFilesystem | Kind::IsADirectory => Self::Unwritable { path, cause },
            Kind::InvalidData | Kind::UnexpectedEof => Self::Damaged { path, cause: one_line(&cause.to_string()) },
            _ => Self::Disk { path, cause: one_line(&cause.to_string()) },
        }
    }

    /// What MongoDB's driver says of an address.
    pub(super) fn of_address(error: &mongodb::error::Error) -> Self {
        let cause = match &*error.kind {
            mongodb::error::ErrorKind::InvalidArgument { message, .. } => one_line(message),
            kind => one_line(&kind.to_string()),
        };
        Self::Address { cause }
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
