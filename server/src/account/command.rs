//! Accounts from the command line: before the first start as well as beside running instances.

use std::{
    io::{self, Read},
    time::Duration,
};

use app::{account::PersonName, ports::StoreError};
use clap::Subcommand;
use thiserror::Error;
use tokio::time::timeout;

use super::{AccountError, Accounts};
use crate::{
    bus::{Bus, BusError, Link, RedisBus},
    config::{Config, RedisMode},
    session::{self, Sessions},
    store::{OpenError, Store},
};

/// How long a command waits for Redis, where sessions are.
const REDIS_WITHIN: Duration = Duration::from_secs(3);
/// Passwords shorter than this are taken with a warning.
const SHORT_CHARS: usize = 8;

/// What can be done beside serving the site.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Makes an account; its password is the first line of standard input.
    CreateUser {
        /// 1 to 64 of A-Z a-z 0-9 _ . -
        name: String,
        /// Required: a password on the command line could be read by others.
        #[arg(long)]
        password_stdin: bool,
        /// What the user may do, such as `admin`; can be repeated.
        #[arg(long = "role", value_name = "ROLE")]
        roles: Vec<String>,
        /// What others see beside the user name, in what the user changes.
        #[arg(long, value_name = "NAME")]
        first_name: Option<String>,
        /// See `--first-name`.
        #[arg(long, value_name = "NAME")]
        last_name: Option<String>,
        /// Gives an account of this name the new password and roles, and ends its sessions.
        #[arg(long)]
        replace: bool,
    },
    /// Prints the accounts, one a line: name, roles, when it was made.
    ListUsers,
    /// Removes an account and ends its sessions.
    DeleteUser {
        /// Whatever its case.
        name: String,
    },
}

/// Why a command did not do it; each is one line.
#[derive(Debug, Error)]
pub enum CommandError {
    /// The store cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The account cannot be made, changed or removed.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It is not said where the password comes from.
    #[error("give the password on standard input and say so with --password-stdin")]
    NoPassword,
    /// Standard input is not readable text, or standard output is closed.
    #[error("standard input or output: {0}")]
    Standard(#[from] io::Error),
    /// Redis cannot be reached the way it is set up.
    #[error("configuration: redis: {0}")]
    Redis(#[from] BusError),
}

impl Command {
    /// Does it; what it prints goes to `out`.
    ///
    /// # Errors
    ///
    /// When it cannot be done.
    pub async fn run(self, config: &Config, out: &mut (impl io::Write + Send)) -> Result<(), CommandError> {
        let store = Store::open(config).await?;
        let done = self.run_on(&store, config, out).await;
        store.close().await;
        done
    }

    async fn run_on(
        self,
        store: &Store,
        config: &Config,
        out: &mut (impl io::Write + Send),
    ) -> Result<(), CommandError> {
        let accounts = Accounts::new(store);
        match self {
            Self::CreateUser { password_stdin: false, .. } => return Err(CommandError::NoPassword),
            Self::CreateUser { name, roles, first_name, last_name, replace, password_stdin: true } => {
                let password = read_password()?;
                if password.chars().count() < SHORT_CHARS {
                    eprintln!("warning: the password has fewer than {SHORT_CHARS} characters");
                }
                let is_named = first_name.is_some() || last_name.is_some();
                let person = PersonName {
                    first_name: first_name.unwrap_or_default().trim().to_owned(),
                    last_name: last_name.unwrap_or_default().trim().to_owned(),
                };
                let user = if replace {
                    let person = is_named.then_some(person);
                    let user = accounts.replace_named(&name, person, &password, &roles).await?;
                    end_sessions(config, &user.id).await?;
                    user
                } else {
                    accounts.create_named(&name, person, &password, &roles).await?
                };
                writeln!(out, "{} can sign in", user.username)?;
            }
            Self::ListUsers => {
                for user in accounts.list().await? {
                    let made = crate::clock::rfc3339(user.created_at);
                    writeln!(out, "{}\t{}\t{made}", user.username, user.roles.join(","))?;
                }
            }
            Self::DeleteUser { name } => {
                let user = accounts.delete(&name).await?;
                end_sessions(config, &user.id).await?;
                writeln!(out, "{} is deleted", user.username)?;
            }
        }
        Ok(())
    }
}

/// The first line, without its end.
fn read_password() -> io::Result<String> {
    let mut text = String::new();
    io::stdin().lock().take(64 * 1024).read_to_string(&mut text)?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// Ends the sessions of an account in Redis; instances see it within seconds.
async fn end_sessions(config: &Config, user_id: &str) -> Result<(), BusError> {
    if config.redis.effective_mode() == RedisMode::None {
        return Ok(());
    }
    // Events are for a hub; nobody subscribes to anything here.
    let (bus, _inbox) = RedisBus::start(&config.redis, config.site.prefix())?;
    let mut link = bus.link();
    let is_reached = timeout(REDIS_WITHIN, link.wait_for(|link| *link == Link::Up)).await.is_ok();
    if is_reached {
        let topics = bus.topics(session::FAMILY);
        Sessions::start(&config.sessions, Some(bus.keys()), topics, None).0.end_all(user_id).await;
    } else {
        eprintln!("warning: redis is not reached: sessions of this user may last until they expire");
    }
    bus.close().await;
    Ok(())
}
