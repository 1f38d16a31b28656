package emv

import (
	"bytes"

	"swipewell/firmware/emv/tlv"
)

// afterVerification starts terminal risk management if the card asks for it, or
// the scheme does always. B3 §10.6.
func (n *session) afterVerification() Output {
	if !n.aip(aipRisk) && !n.cfg.RiskAlways {
		return n.analyse()
	}
	if n.cfg.DryRun {
		return n.risk()
	}
	pan, _ := n.pan()
	ask := AskFacts{PAN: pan}
	if v := n.cardValue(0x5F34); len(v) == 1 {
		ask.PSN = v[0]
	}
	n.at = atFacts
	return ask
}

// risk: exception file, floor limit, random selection, then velocity. B3 §10.6.
func (n *session) risk() Output {
	n.tsi.set(DidRisk)
	if n.facts.Exception {
		n.tvr.set(OnExceptionFile)
	}
	amount, _ := digits(n.settingValue(0x9F02))
	floor := number(n.settingValue(0x9F1B)) // none: 0, so every amount is over it
	switch {
	case n.facts.Logged >= floor || amount >= floor-n.facts.Logged:
		n.tvr.set(FloorLimit) // B3 §10.6.1
	case !n.offlineOnly() && n.picked(amount, floor):
		n.tvr.set(RandomlySelected)
	}
	_, lower := n.card.get(0x9F14)
	_, upper := n.card.get(0x9F23)
	if !lower || !upper {
		return n.analyse() // no velocity checking. B3 §10.6.3
	}
	return n.send(atATC, apduGetData(0x9F36))
}

// picked: random transaction selection below the threshold, biased between it and
// the floor limit, in integers. B3 §10.6.2, Figure 12.
func (n *session) picked(amount, floor uint64) bool {
	threshold := number(n.settingValue(TagThreshold))
	target, _ := digits(n.settingValue(TagTarget))
	highest, _ := digits(n.settingValue(TagMaxTarget))
	if amount >= threshold && floor > threshold && highest > target {
		target += (highest - target) * (amount - threshold) / (floor - threshold)
	}
	return uint64(n.txn.Pick) <= target
}

// gotATC keeps the counter that GET DATA gives. B3 §10.6.3.
func (n *session) gotATC(r Response) Output {
	if v, ok := tlv.Only(r.Data, 0x9F36); r.SW == swOK && ok && len(v) == 2 {
		n.card.put(0x9F36, bytes.Clone(v))
	}
	return n.send(atLastOnline, apduGetData(0x9F13))
}

// gotLastOnline compares the two counters with the card's limits. Without both,
// or if the counter has not grown, both limits count as exceeded. A register of 0
// is a new card. B3 §10.6.3.
func (n *session) gotLastOnline(r Response) Output {
	v, ok := tlv.Only(r.Data, 0x9F13)
	known := r.SW == swOK && ok && len(v) == 2
	if known {
		n.card.put(0x9F13, bytes.Clone(v))
	}
	atc, last := number(n.cardValue(0x9F36)), number(v)
	_, counted := n.card.get(0x9F36)
	if !known || !counted || atc <= last {
		n.tvr.set(LowerLimit)
		n.tvr.set(UpperLimit)
	} else {
		if atc-last > number(n.cardValue(0x9F14)) {
			n.tvr.set(LowerLimit)
		}
		if atc-last > number(n.cardValue(0x9F23)) {
			n.tvr.set(UpperLimit)
		}
	}
	if known && last == 0 {
		n.tvr.set(NewCard)
	}
	return n.analyse()
}
