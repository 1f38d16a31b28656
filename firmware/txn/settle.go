package txn

import (
	"time"

	"swipewell/firmware/pos"
	"swipewell/ui/prompt"
)

// SettleStep is where a settlement stands. It is on flash: a power cut goes on
// at the step, and what a step did row by row is marked at the rows. HOST §1.4.
type SettleStep uint8

const (
	NotSettling  SettleStep = iota
	SettleOutbox            // each open record is tried once more; advices must be delivered
	SettleTotals            // 0500
	SettleUpload            // 0320, eight rows each, if the host has other totals
	SettleEnd               // 0320, batch end
	SettleSlip              // the totals slip; then the batch is cleared, last of all
	SettleChip              // 0320, each chip row with its cryptogram, behind the upload and before the end
)

// Settle is the settlement under way.
type Settle struct {
	Step     SettleStep
	Began    time.Duration // logical
	Totals   pos.Totals    // as they were when it began
	Balanced bool
	Host     pos.Totals // what the host says; zero if it sends none
	Sent     int        // rows uploaded
}

// Settled is the outcome, for its slip.
type Settled struct {
	Batch    pos.BatchNo
	Totals   pos.Totals
	Balanced bool
	Host     pos.Totals // what the host said; zero if it sent none
	Open     int        // reversals that were still open, and went on
	OpenSum  int64
	At       pos.Time
}

// UploadSize is how many rows one 0320 carries. HOST §1.4.
const UploadSize = 8

// Upload is what the next message of the batch upload carries.
type Upload struct {
	N      int
	STANs  [UploadSize]pos.STAN
	Notice bool // one row, as a full copy of its advice
	Chip   bool // one row, with its cryptogram
}

// askSettle begins the settlement of the open batch.
func (m *machine) askSettle() {
	if m.Durable.Batch == 0 {
		m.Durable.Batch = 1
	}
	m.forget()
	m.Durable.Settle = Settle{Step: SettleOutbox, Began: m.e.At.Logical, Totals: m.Durable.Totals}
	m.show(Settling, prompt.SettleRuns, totalsArgs(m.Durable.Totals, m.Durable.Batch))
	m.disarm()
	m.e.Untried = m.e.OpenRev + m.e.SAF.Count // whatever is queued; the loop's own count comes with the next event
	m.Hold = m.e.At.Logical
	m.log(prompt.LogSettle, pos.RecordID{}, func(l *Log) { l.N = int(SettleOutbox); l.Text = m.Durable.Totals.String() })
}

// settle sends the next message of the settlement, or ends it.
func (m *machine) settle() {
	s := &m.Durable.Settle
	if s.Step == SettleOutbox {
		switch {
		case m.e.Untried > 0:
			m.Work = WorkRecord
			m.do(SendRecord{Since: s.Began, Later: true})
			return
		case m.e.SAF.Count > 0 && m.later > 0:
			m.Work = WorkRecord
			m.do(SendRecord{Later: true})
			return
		case m.e.SAF.Count > 0: // what was done offline must be with the host before the totals are
			m.Note, m.NoteArgs = prompt.SettleWaits, prompt.Args{N: m.e.SAF.Count}
			return
		}
		s.Totals = m.Durable.Totals // an advice may have been refused on the way
		m.to(SettleTotals)
	}
	if s.Step == SettleUpload && m.e.Upload.N == 0 {
		m.to(SettleChip)
		m.nextRows()
		return
	}
	if s.Step == SettleChip && m.e.Upload.N == 0 {
		m.to(SettleEnd)
	}
	if s.Step == SettleSlip {
		m.slip()
		return
	}
	m.Durable.STAN = m.Durable.STAN.Next()
	m.Work = WorkSettle
	m.do(SendSettle{Settle: *s, STAN: m.Durable.STAN, Batch: m.Durable.Batch, Upload: m.e.Upload})
}

// nextRows waits for the next event, with which the next rows are known.
func (m *machine) nextRows() {
	m.stop = true
	m.do(Wake{})
}

func (m *machine) to(step SettleStep) {
	m.Durable.Settle.Step = step
	m.log(prompt.LogSettle, pos.RecordID{}, func(l *Log) { l.N = int(step) })
}

// settleDone is the host's answer to one message.
func (m *machine) settleDone() {
	if m.Work != WorkSettle {
		return
	}
	m.Work = WorkNone
	s, r, now := &m.Durable.Settle, m.e.Reply, m.e.At.Logical
	m.told(r)
	m.ordered(r)
	good := r.Kind == Answered && (r.RC == "00" || s.Step == SettleTotals && r.Code48 != 0)
	if !good {
		m.DialFails++
		m.Hold = now + Backoff(m.DialFails, m.e.Rand)
		m.Note = prompt.SettleWaits
		m.NoteArgs = prompt.Args{RC: string(r.RC)}
		if r.Kind == Answered && verdict(r.RC) == vKeys {
			m.keysOff()
		}
		m.log(prompt.LogSettle, pos.RecordID{}, func(l *Log) { l.N, l.RC, l.Why = int(s.Step), r.RC, r.Code })
		return
	}
	m.DialFails, m.Hold = 0, now
	m.Note = ""
	switch s.Step {
	case SettleTotals:
		s.Host = r.Totals
		s.Balanced = r.Code48 == '1' && (s.Host == pos.Totals{} || s.Host == wire(s.Totals))
		if !s.Balanced {
			m.log(prompt.LogSettle, pos.RecordID{}, func(l *Log) {
				l.N, l.Why, l.Text = int(s.Step), prompt.SettledUneven, hostSays(s.Host, s.Totals, r.Code48)
			})
		}
		if s.Balanced {
			m.to(SettleChip)
			m.nextRows()
		} else {
			m.to(SettleUpload)
		}
	case SettleUpload, SettleChip:
		for _, n := range m.e.Upload.STANs[:m.e.Upload.N] {
			m.do(EditSale{ID: pos.RecordID{Context: m.Profile.Context, Batch: m.Durable.Batch, STAN: n}, Uploaded: true})
		}
		s.Sent += m.e.Upload.N
		m.nextRows()
	case SettleEnd:
		m.to(SettleSlip)
	}
}

// slip prints the totals; what comes of the paper closes the batch.
func (m *machine) slip() {
	if !m.Profile.Printer {
		m.closeBatch()
		return
	}
	m.Work, m.Printing = WorkSettle, true
	m.do(PrintTotals{Settled: m.settled()})
}

func (m *machine) settled() Settled {
	s := m.Durable.Settle
	return Settled{Batch: m.Durable.Batch, Totals: s.Totals, Balanced: s.Balanced, Host: s.Host, Open: m.Durable.Reversals, OpenSum: m.e.OpenSum, At: m.e.At}
}

// closeBatch is the last commit of a settlement. Paper that ran out does not
// hold it up: the slip is printed again from the menu.
func (m *machine) closeBatch() {
	done := m.settled()
	m.Durable.Settled = done
	m.do(CloseBatch{m.Profile.Context, m.Durable.Batch})
	m.Durable.Batch = nextBatch(m.Durable.Batch)
	m.Durable.Sales, m.Durable.Totals, m.Durable.Settle, m.Durable.Opened = 0, pos.Totals{}, Settle{}, 0
	m.Durable.Booked = pos.Original{}
	m.Durable.Last.Unprinted = false
	if m.Durable.Restored == RestoredCompare {
		m.Durable.Restored = RestoredSign
	}
	c := prompt.Settled
	if !done.Balanced {
		c = prompt.SettledUneven
	}
	m.log(prompt.LogSettled, pos.RecordID{}, func(l *Log) { l.N = int(done.Batch); l.Text = done.Totals.String(); l.Why = c })
	m.show(Result, c, settledArgs(done))
	m.disarm()
	m.do(Sound{ToneGood})
}

func nextBatch(n pos.BatchNo) pos.BatchNo {
	if n >= 999_999 {
		return 1
	}
	return n + 1
}

func totalsArgs(t pos.Totals, n pos.BatchNo) prompt.Args {
	return prompt.Args{Amount: pos.Fen(t.Debit - t.Credit).String(), N: t.DebitN + t.CreditN, Field: n.String()}
}

func settledArgs(s Settled) prompt.Args { return totalsArgs(s.Totals, s.Batch) }

// signed: a supervisor has seen what the settlement of a restored terminal
// said, and lets it sell.
func (m *machine) signed() {
	if m.Durable.Restored != RestoredSign {
		return
	}
	m.Durable.Restored = NotRestored
	m.log(prompt.LogSigned, pos.RecordID{}, func(l *Log) { l.Text = m.e.Reason })
	if m.Phase == Ready || m.Phase == Result {
		m.idle()
	}
}

// hostSays names what is wrong with a host's totals.
func hostSays(host, ours pos.Totals, code byte) string {
	text := "host " + host.String()
	switch {
	case host == (pos.Totals{}):
		return "host: not balanced"
	case host == wire(pos.Totals{DebitN: ours.CreditN, Debit: ours.Credit, CreditN: ours.DebitN, Credit: ours.Debit}):
		return text + ": debit and credit are swapped"
	case code == '1':
		return text + ": it says balanced, and it is not"
	}
	return text
}

// wire is totals as DE 48 can carry them: its counts have three digits.
func wire(t pos.Totals) pos.Totals {
	t.DebitN, t.CreditN = t.DebitN%1000, t.CreditN%1000
	return t
}
