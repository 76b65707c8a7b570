//! The scripted endpoint: it speaks the real wire format over HTTP and plays turns
//! chosen by rules on the conversation so far.
