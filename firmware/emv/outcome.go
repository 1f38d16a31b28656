package emv

// Kind is how a transaction ended. B3 §10.11, B4 §6.3.6–6.3.8.
type Kind uint8

// The ends. Only the two approvals are money.
const (
	Terminated      Kind = iota // an error of the card, a cancel: nothing was decided. B3 §7.5
	ApprovedOffline             // TC without the issuer: ARC Y1 or Y3
	ApprovedOnline              // the issuer approved and the card gave its TC
	DeclinedOffline             // AAC without the issuer: ARC Z1 or Z3
	DeclinedOnline              // the issuer declined
	Refused                     // the issuer approved, the card did not: reverse
	UnknownFate                 // a byte left and no answer came: the reversal stays
	DryRunDone                  // Config.DryRun came to its end
)

var kinds = [...]string{"terminated", "approved-offline", "approved-online", "declined-offline", "declined-online", "refused", "unknown", "dry-run"}

// String is the name that transcripts use.
func (k Kind) String() string { return kinds[min(int(k), len(kinds)-1)] }

// Cause says why a transaction ended early, or why the card was not believed. B3 §7.5.
type Cause uint8

// The causes.
const (
	NoCause       Cause = iota
	CardData            // data of the card missing, twice, or malformed. B3 §7.5
	CardStatus          // a status that the Book does not foresee. B3 §6.3.5
	CardBlocked         // 6A81 at selection. B1 §12.3.2
	NoApplication       // nothing in common, or nothing left. B1 §12.4
	CardLost            // no answer: withdrawn, mute
	Cancelled           // by a person
	TimedOut            // waiting for a person
	TooManyAPDUs        // MaxAPDUs reached
	WrongInput          // the caller answered something else than was asked: a bug
	BadCryptogram       // a cryptogram that was not asked for. B3 §10.8
	BadSignature        // CDA failed. B2 §6.6.2
)

var causes = [...]string{"", "card-data", "card-status", "card-blocked", "no-application", "card-lost", "cancelled", "timed-out", "too-many-apdus", "wrong-input", "bad-cryptogram", "bad-signature"}

// String is the name that transcripts use.
func (c Cause) String() string { return causes[min(int(c), len(causes)-1)] }

// Reversal is the field 39 that a reversal must carry, or none: 98 no answer came,
// 06 terminal or card failed after an approval. B4 §12.2.1 wants the reversal; the
// codes are the host's.
type Reversal string

// The reversals.
const (
	NoReversal Reversal = ""
	Reverse98  Reversal = "98"
	Reverse06  Reversal = "06"
)

// Outcome is the end of a transaction. Its data objects are read from the State.
// B3 §10.11.
type Outcome struct {
	Kind      Kind
	Cause     Cause
	Reversal  Reversal
	Signature bool // the cardholder must sign. B3 §10.5.3
	// ReadFailure: the card never answered well enough to show an application. Only
	// this may open the way to the stripe; every other end forbids it. B4 §11.
	ReadFailure bool
	Scripts     []ScriptResult // B3 §10.10, to be reported
	APDUs       int            // commands that were sent
}

// String is the kind, with the cause behind a slash if there is one.
func (o Outcome) String() string {
	if o.Cause == NoCause {
		return o.Kind.String()
	}
	return o.Kind.String() + "/" + o.Cause.String()
}

// fate is what is known of the issuer's word.
type fate uint8

const (
	notAsked fate = iota
	asked
	hostApproved
	hostDeclined
	neverSent
	noAnswer
)

// stop ends the transaction for a cause. What that means for money depends on
// how far it had come: B3 §7.5 and the money rules of the design.
func (n *session) stop(c Cause) Output {
	switch {
	case n.decided:
		return n.finish(n.kind, n.cause) // the scripts behind the last cryptogram change nothing
	case n.fate == hostApproved:
		return n.finish(Refused, c)
	case n.fate == noAnswer, n.fate == asked:
		return n.finish(UnknownFate, c)
	case n.fate == hostDeclined:
		return n.finish(DeclinedOnline, c)
	}
	return n.finish(Terminated, c)
}

// finish makes the outcome. B3 §10.11.
func (n *session) finish(k Kind, c Cause) Output {
	n.unperformed()
	o := Outcome{Kind: k, Cause: c, Scripts: n.results, APDUs: n.sent}
	switch k {
	case Refused:
		o.Reversal = Reverse06
	case UnknownFate:
		o.Reversal = Reverse98
	case ApprovedOffline, ApprovedOnline:
		o.Signature = n.signature
	}
	o.ReadFailure = k == Terminated && c == CardLost && !n.selected
	n.done = &o
	return o
}

// decide fixes the kind; the scripts 72 may still follow. B3 §10.10.
func (n *session) decide(k Kind, c Cause) { n.decided, n.kind, n.cause = true, k, c }
