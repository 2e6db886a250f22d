//! What an assistant may do in a call, whoever thinks: a model or the concierge.

use serde::{Deserialize, Serialize};

use crate::domain::{Availability, Booking, BookingRequest, Refusal};

/// A tool asked for, its arguments already understood.
#[derive(Debug, Clone, PartialEq)]
pub enum ToolRequest {
    /// Is there room?
    CheckAvailability(BookingRequest),
    /// Book. Nothing is promised before it is stored.
    Book(BookingRequest),
    /// Write down something for the client.
    TakeMessage {
        /// Who leaves it.
        name: Option<String>,
        /// In the caller's words.
        text: String,
    },
    /// Hand over to the client's human.
    Transfer {
        /// Why, for the record.
        reason: String,
    },
    /// Say goodbye and hang up.
    EndCall,
}

/// What came of a tool.
#[derive(Debug, Clone, PartialEq)]
pub enum ToolResult {
    /// Of `CheckAvailability`.
    Availability(Availability),
    /// Of `Book`: the stored row, or why not.
    Booked(Result<Box<Booking>, Refusal>),
    /// Of `TakeMessage`: it is stored.
    MessageTaken,
    /// Of `Transfer`: the call will be handed over.
    Transferring,
    /// Of `Transfer`: no human is set for this assistant.
    NobodyToTransferTo,
    /// Of `EndCall`.
    Ending,
    /// The store could not be written now.
    Failed,
}

/// Names of the tools, as models and transcripts see them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolName {
    /// [`ToolRequest::CheckAvailability`]
    CheckAvailability,
    /// [`ToolRequest::Book`]
    Book,
    /// [`ToolRequest::TakeMessage`]
    TakeMessage,
    /// [`ToolRequest::Transfer`]
    Transfer,
    /// [`ToolRequest::EndCall`]
    EndCall,
}
