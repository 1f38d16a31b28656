package emv

import "bytes"

// Bits of the Application Usage Control. B3 Annex C2, Table 38.
const (
	aucDomesticCash = 0x80
	aucForeignCash  = 0x40
	aucDomesticSale = 0x20 | 0x08 // goods or services
	aucForeignSale  = 0x10 | 0x04
	aucATM          = 0x02
	aucElsewhere    = 0x01
	aucDomesticBack = 0x80 // byte 2: cashback
	aucForeignBack  = 0x40
)

// restrict checks whether card and terminal may do this transaction: version,
// usage control, dates. B3 §10.4.
func (n *session) restrict() Output {
	if v, ok := n.card.get(0x9F08); ok && !bytes.Equal(v, n.settingValue(0x9F09)) {
		n.tvr.set(VersionsDiffer) // B3 §10.4.1
	}
	if !n.mayUse() {
		n.tvr.set(ServiceNotAllowed)
	}
	today := date(n.settingValue(0x9A))
	if date(n.cardValue(0x5F24)) < today {
		n.tvr.set(Expired) // the last day is valid: B3 §10.4.3
	}
	if v, ok := n.card.get(0x5F25); ok && date(v) > today {
		n.tvr.set(NotYetEffective)
	}
	if n.cfg.DryRun {
		return n.afterVerification()
	}
	return n.verifyCardholder()
}

// mayUse reads the usage control: the place always, the service only if the card
// also names its country. B3 §10.4.2.
func (n *session) mayUse() bool {
	auc, ok := n.card.get(0x9F07)
	if !ok {
		return true
	}
	place := byte(aucElsewhere)
	if n.atATM() {
		place = aucATM
	}
	if auc[0]&place == 0 {
		return false
	}
	country, ok := n.card.get(0x5F28)
	if !ok {
		return true
	}
	home := bytes.Equal(country, n.settingValue(0x9F1A))
	may := func(b, domestic, foreign byte) bool {
		if home {
			return b&domestic != 0
		}
		return b&foreign != 0
	}
	if n.isCashback() && !may(auc[1], aucDomesticBack, aucForeignBack) {
		return false
	}
	switch {
	case n.isCash():
		return may(auc[0], aucDomesticCash, aucForeignCash)
	case n.isPurchase():
		return may(auc[0], aucDomesticSale, aucForeignSale)
	}
	return true
}

// Transaction types 9C: the first two digits of the processing code. ISO 8583.
const (
	txnPurchase = 0x00
	txnCash     = 0x01
	txnCashback = 0x09
	txnCash17   = 0x17
)

func (n *session) txnType() byte { return n.settingValue(0x9C)[0] }

func (n *session) isCash() bool { t := n.txnType(); return t == txnCash || t == txnCash17 }

func (n *session) isCashback() bool {
	other, _ := digits(n.settingValue(0x9F03))
	return n.txnType() == txnCashback || n.isPurchase() && other > 0
}

func (n *session) isPurchase() bool { t := n.txnType(); return t == txnPurchase || t == txnCashback }

// Terminal types: B4 Annex A1, Table 24. The low digit says who attends and
// whether the issuer can be reached.
func (n *session) terminalType() byte { return n.settingValue(0x9F35)[0] }

func (n *session) unattended() bool { d := n.terminalType() & 15; return d >= 4 && d <= 6 }

func (n *session) onlineOnly() bool { d := n.terminalType() & 15; return d == 1 || d == 4 }

func (n *session) offlineOnly() bool { d := n.terminalType() & 15; return d == 3 || d == 6 }

// atATM: unattended, of a financial institution, and able to give cash. B4 Annex A1.
func (n *session) atATM() bool {
	t := n.terminalType()
	return t >= 0x14 && t <= 0x16 && n.settingValue(0x9F40)[0]&addCash != 0
}
