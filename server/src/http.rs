//! Routes.

pub mod answer;
pub mod body;
pub mod todos;
