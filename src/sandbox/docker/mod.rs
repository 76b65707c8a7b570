//! placeholder

pub mod connect;
pub mod images;
