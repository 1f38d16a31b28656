package txn

import "swipewell/ui/prompt"

// boot is the first event of every start. An open intent found here counts as
// sent: what left before the power failed cannot be known (money rule 1; HOST
// §3.5 rows 2–4), so its reversal, on flash since before the first byte, is
// queued in this same step.
func (m *machine) boot() {
	if m.Phase != Starting {
		return
	}
	m.Profile = m.e.Profile
	m.Durable.Reversals = m.e.OpenRev
	m.Cold = true
	if m.Durable.Lang == "" {
		m.Durable.Lang = m.Profile.Lang
	}
	if m.e.Code == prompt.TamperOpen {
		m.Durable.Tampered = true
	} else if m.Durable.Tampered {
		m.e.Code = prompt.TamperOpen
	}
	m.idle()
	last := m.Durable.Last
	switch {
	case m.e.Code != "": // the board says why no sale is safe
		if m.Durable.Open.Open() {
			m.unknown(m.Durable.Open, prompt.UnknownPower, "98", m.e.At.Logical)
		}
		m.halt(m.e.Code)
	case m.Durable.Open.Open():
		m.unknown(m.Durable.Open, prompt.UnknownPower, "98", m.e.At.Logical)
	case m.Durable.Settle.Step != NotSettling: // idle has said so; pump goes on
	case m.Durable.Restored != NotRestored: // idle has said so; a slip can be had from the menu
	case last.Unprinted:
		m.show(Result, prompt.Recovered, lastArgs(last))
		m.print(last, true, false)
	case m.Durable.Reversals > 0:
		m.show(Ready, prompt.ReversalQueued, prompt.Args{N: m.Durable.Reversals})
	default:
		return
	}
	if m.Note == "" { // something had been interrupted: how long it took to be back
		m.Note, m.NoteArgs = prompt.HintBack, prompt.Args{Seconds: m.e.N}
	}
}

func lastArgs(l Last) prompt.Args {
	return prompt.Args{Amount: l.Amount.String(), Card: l.Masked.Tail(), STAN: l.ID.STAN.String(), RRN: string(l.RRN), Auth: string(l.Auth)}
}
