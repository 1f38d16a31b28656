package txn

import "swipewell/ui/prompt"

func (m *machine) print(l Last, copied, again bool) {
	m.Printing = true
	m.do(Print{ID: l.ID, Copy: copied, Again: again})
}

// printDone: the third commit of a sale, off the critical path. A slip that
// did not come out leaves its mark, so that the next start prints it.
func (m *machine) printDone() {
	if !m.Printing {
		return
	}
	m.Printing = false
	if m.Phase == Settling && m.Durable.Settle.Step == SettleSlip && m.Work == WorkSettle {
		m.Work = WorkNone
		m.closeBatch()
	}
	if m.e.Code != "" {
		if m.Phase == Result || m.Phase == Ready {
			m.Note = m.e.Code
			m.do(Sound{ToneAttention})
		}
		return
	}
	if m.e.ID.STAN == 0 {
		return // totals, or a ticket: no row carries a mark
	}
	last := &m.Durable.Last
	if last.ID == m.e.ID {
		if !last.Unprinted {
			return // a reprint: its mark is set already
		}
		last.Unprinted = false
	}
	m.do(EditSale{ID: m.e.ID, Printed: true})
	m.log(prompt.LogPrinted, m.e.ID, nil)
}
