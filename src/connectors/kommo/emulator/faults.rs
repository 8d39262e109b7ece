//! Faults to order.

/// What happens to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// It is answered with this and not carried out.
    Status {
        /// The status.
        status: u16,
        /// The body.
        body: String,
        /// The content type of the body.
        content_type: &'static str,
        /// The header `Retry-After`, in seconds.
        retry_after: Option<u64>,
    },
    /// The connection breaks, and nothing was done.
    LostBefore,
    /// It is carried out, and the connection breaks without an answer.
    LostAfter,
    /// 403 with a page for people, as of a blocked address.
    Html403,
    /// 429 in plain text.
    PlainTooMany,
    /// The token of the request expires: this answer and those to come with it are 401.
    TokenExpired,
}

/// A fault for requests to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Only for this method.
    pub method: Option<String>,
    /// Only for paths that begin so.
    pub path: Option<String>,
    /// How many such requests pass before.
    pub after: u32,
    /// How many such requests it befalls.
    pub times: u32,
    /// What happens to them.
    pub kind: FaultKind,
}

impl Fault {
    fn concerns(&self, method: &str, path: &str) -> bool {
        self.method.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && self.path.as_ref().is_none_or(|prefix| path.starts_with(prefix.as_str()))
    }
}

/// What befalls this request, if anything does.
pub(super) fn meet(faults: &mut Vec<Fault>, method: &str, path: &str) -> Option<FaultKind> {
    let mut met = None;
    for fault in faults.iter_mut().filter(|fault| fault.concerns(method, path)) {
        if fault.after > 0 {
            fault.after -= 1;
        } else if fault.times > 0 {
            fault.times -= 1;
            met = Some(fault.kind.clone());
            break;
        }
    }
    faults.retain(|fault| fault.times > 0);
    met
}
