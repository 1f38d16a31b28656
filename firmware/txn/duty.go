package txn

import (
	"time"

	"swipewell/firmware/pos"
	"swipewell/ui/prompt"
)

// Duty is what must be done in time, or something is no longer possible:
// first refunds, and only after a grace period sales. THROTTLE §1 S18.
type Duty struct {
	Settle time.Duration // an open batch may be so old; 0: as old as it likes
	Grace  time.Duration // beyond it: no sale either
}

// overdue tells how much too old the open batch is, in throttle time.
func (m *machine) overdue() time.Duration {
	if m.Profile.Duty.Settle == 0 || m.Durable.Opened == 0 || m.Durable.Sales == 0 {
		return 0
	}
	return max(m.moment().At-m.Durable.Opened-m.Profile.Duty.Settle, 0)
}

// dutyStops tells which word a late settlement has for a kind, "" none.
func (m *machine) dutyStops(k pos.TxnKind) prompt.Code {
	late := m.overdue()
	switch {
	case late == 0:
		return ""
	case k == pos.KindRefund:
		return prompt.DutyRefund
	case late > m.Profile.Duty.Grace && k != pos.KindBalance && k != pos.KindVoid:
		return prompt.DutySale
	}
	return ""
}
