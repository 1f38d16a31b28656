package tlv

// Format is how a value is coded. B3 §4.3.
type Format uint8

// The formats of B3 §4.3.
const (
	B   Format = iota // binary, or bits; what is not known is this
	N                 // numeric: two digits a byte, right-justified, zeros before
	CN                // compressed numeric: left-justified, F behind
	AN                // alphanumeric
	ANS               // alphanumeric and special
	A                 // letters
	DOL               // a data object list
	T                 // a template
)

// String is the Book's abbreviation.
func (f Format) String() string {
	if int(f) < len(formats) {
		return formats[f]
	}
	return "?"
}

var formats = [...]string{"b", "n", "cn", "an", "ans", "a", "dol", "template"}

// Origin is who gives a value. B3 Annex A1, column "Source".
type Origin uint8

// The origins of B3 Annex A1.
const (
	Unknown  Origin = iota
	ICC             // the card
	Terminal        // the terminal
	Issuer          // the issuer, through the host
)

// Entry is one row of the dictionary.
type Entry struct {
	Tag      Tag
	Name     string
	Format   Format
	Min, Max int // bytes of the value
	Origin   Origin
	Secret   bool   // names the card or its holder: never printed in clear
	Ref      string // where the Book defines it
}

// Lookup finds a tag in the dictionary. B3 Annex A1.
func Lookup(t Tag) (Entry, bool) {
	e, ok := byTag[t]
	return e, ok
}

// FormatOf is the format of a tag, B for what is not known. B3 Annex A1.
func FormatOf(t Tag) Format { return byTag[t].Format }

// Entries are all rows, in the order of the table.
func Entries() []Entry { return append([]Entry(nil), dictionary[:]...) }

var byTag = func() map[Tag]Entry {
	m := make(map[Tag]Entry, len(dictionary))
	for _, e := range dictionary {
		m[e.Tag] = e
	}
	return m
}()

const (
	a1  = "EMV 4.3 Book 3 Annex A1"
	b1s = "EMV 4.3 Book 1 §12.2"
	b2s = "EMV 4.3 Book 2 §5–7"
)

// dictionary: B3 Annex A1, the objects of the contact application.
var dictionary = [...]Entry{
	{0x42, "Issuer Identification Number (IIN)", N, 3, 3, ICC, false, a1},
	{0x4F, "Application Identifier (ADF Name)", B, 5, 16, ICC, false, b1s},
	{0x50, "Application Label", ANS, 1, 16, ICC, false, b1s},
	{0x57, "Track 2 Equivalent Data", B, 0, 19, ICC, true, a1},
	{0x5A, "Application Primary Account Number (PAN)", CN, 1, 10, ICC, true, a1},
	{0x61, "Application Template", T, 0, 252, ICC, false, b1s},
	{0x6F, "File Control Information Template", T, 0, 252, ICC, false, b1s},
	{0x70, "READ RECORD Response Message Template", T, 0, 252, ICC, false, "EMV 4.3 Book 3 §6.5.11"},
	{0x71, "Issuer Script Template 1", T, 0, 255, Issuer, false, "EMV 4.3 Book 3 §10.10"},
	{0x72, "Issuer Script Template 2", T, 0, 255, Issuer, false, "EMV 4.3 Book 3 §10.10"},
	{0x73, "Directory Discretionary Template", T, 0, 252, ICC, false, b1s},
	{0x77, "Response Message Template Format 2", T, 0, 255, ICC, false, "EMV 4.3 Book 3 §6.5.5"},
	{0x80, "Response Message Template Format 1", B, 0, 255, ICC, false, "EMV 4.3 Book 3 §6.5.5"},
	{0x81, "Amount, Authorised (Binary)", B, 4, 4, Terminal, false, a1},
	{0x82, "Application Interchange Profile", B, 2, 2, ICC, false, "EMV 4.3 Book 3 Annex C1"},
	{0x83, "Command Template", B, 0, 255, Terminal, false, "EMV 4.3 Book 3 §6.5.8"},
	{0x84, "Dedicated File (DF) Name", B, 5, 16, ICC, false, b1s},
	{0x86, "Issuer Script Command", B, 0, 261, Issuer, false, "EMV 4.3 Book 3 §10.10"},
	{0x87, "Application Priority Indicator", B, 1, 1, ICC, false, "EMV 4.3 Book 1 §12.2.3"},
	{0x88, "Short File Identifier (SFI)", B, 1, 1, ICC, false, b1s},
	{0x89, "Authorisation Code", ANS, 6, 6, Issuer, false, a1},
	{0x8A, "Authorisation Response Code", AN, 2, 2, Issuer, false, "EMV 4.3 Book 4 Annex A6"},
	{0x8C, "Card Risk Management Data Object List 1 (CDOL1)", DOL, 0, 252, ICC, false, "EMV 4.3 Book 3 §9.2"},
	{0x8D, "Card Risk Management Data Object List 2 (CDOL2)", DOL, 0, 252, ICC, false, "EMV 4.3 Book 3 §9.2"},
	{0x8E, "Cardholder Verification Method (CVM) List", B, 8, 252, ICC, false, "EMV 4.3 Book 3 §10.5, Annex C3"},
	{0x8F, "Certification Authority Public Key Index", B, 1, 1, ICC, false, b2s},
	{0x90, "Issuer Public Key Certificate", B, 0, 248, ICC, false, b2s},
	{0x91, "Issuer Authentication Data", B, 8, 16, Issuer, false, "EMV 4.3 Book 3 §10.9"},
	{0x92, "Issuer Public Key Remainder", B, 0, 248, ICC, false, b2s},
	{0x93, "Signed Static Application Data", B, 0, 248, ICC, false, "EMV 4.3 Book 2 §5.4"},
	{0x94, "Application File Locator (AFL)", B, 4, 252, ICC, false, "EMV 4.3 Book 3 §10.2"},
	{0x95, "Terminal Verification Results", B, 5, 5, Terminal, false, "EMV 4.3 Book 3 Annex C5"},
	{0x97, "Transaction Certificate Data Object List (TDOL)", DOL, 0, 252, ICC, false, "EMV 4.3 Book 3 §9.2.2"},
	{0x98, "Transaction Certificate (TC) Hash Value", B, 20, 20, Terminal, false, "EMV 4.3 Book 3 §9.2.2"},
	{0x99, "Transaction Personal Identification Number (PIN) Data", B, 0, 8, Terminal, true, a1},
	{0x9A, "Transaction Date", N, 3, 3, Terminal, false, a1},
	{0x9B, "Transaction Status Information", B, 2, 2, Terminal, false, "EMV 4.3 Book 3 Annex C6"},
	{0x9C, "Transaction Type", N, 1, 1, Terminal, false, a1},
	{0x9D, "Directory Definition File (DDF) Name", B, 5, 16, ICC, false, b1s},
	{0xA5, "File Control Information (FCI) Proprietary Template", T, 0, 252, ICC, false, b1s},
	{0x5F20, "Cardholder Name", ANS, 2, 26, ICC, true, a1},
	{0x5F24, "Application Expiration Date", N, 3, 3, ICC, false, a1},
	{0x5F25, "Application Effective Date", N, 3, 3, ICC, false, a1},
	{0x5F28, "Issuer Country Code", N, 2, 2, ICC, false, a1},
	{0x5F2A, "Transaction Currency Code", N, 2, 2, Terminal, false, a1},
	{0x5F2D, "Language Preference", AN, 2, 8, ICC, false, a1},
	{0x5F30, "Service Code", N, 2, 2, ICC, false, a1},
	{0x5F34, "Application PAN Sequence Number", N, 1, 1, ICC, false, a1},
	{0x5F36, "Transaction Currency Exponent", N, 1, 1, Terminal, false, a1},
	{0x5F50, "Issuer URL", ANS, 0, 252, ICC, false, a1},
	{0x9F01, "Acquirer Identifier", N, 6, 6, Terminal, false, a1},
	{0x9F02, "Amount, Authorised (Numeric)", N, 6, 6, Terminal, false, a1},
	{0x9F03, "Amount, Other (Numeric)", N, 6, 6, Terminal, false, a1},
	{0x9F04, "Amount, Other (Binary)", B, 4, 4, Terminal, false, a1},
	{0x9F05, "Application Discretionary Data", B, 1, 32, ICC, false, a1},
	{0x9F06, "Application Identifier (AID), terminal", B, 5, 16, Terminal, false, a1},
	{0x9F07, "Application Usage Control", B, 2, 2, ICC, false, "EMV 4.3 Book 3 Annex C2"},
	{0x9F08, "Application Version Number, card", B, 2, 2, ICC, false, a1},
	{0x9F09, "Application Version Number, terminal", B, 2, 2, Terminal, false, a1},
	{0x9F0B, "Cardholder Name Extended", ANS, 27, 45, ICC, true, a1},
	{0x9F0D, "Issuer Action Code – Default", B, 5, 5, ICC, false, "EMV 4.3 Book 3 §10.7"},
	{0x9F0E, "Issuer Action Code – Denial", B, 5, 5, ICC, false, "EMV 4.3 Book 3 §10.7"},
	{0x9F0F, "Issuer Action Code – Online", B, 5, 5, ICC, false, "EMV 4.3 Book 3 §10.7"},
	{0x9F10, "Issuer Application Data", B, 0, 32, ICC, false, a1},
	{0x9F11, "Issuer Code Table Index", N, 1, 1, ICC, false, "EMV 4.3 Book 1 §12.2.4"},
	{0x9F12, "Application Preferred Name", ANS, 1, 16, ICC, false, b1s},
	{0x9F13, "Last Online ATC Register", B, 2, 2, ICC, false, "EMV 4.3 Book 3 §10.6.3"},
	{0x9F14, "Lower Consecutive Offline Limit", B, 1, 1, ICC, false, "EMV 4.3 Book 3 §10.6.3"},
	{0x9F15, "Merchant Category Code", N, 2, 2, Terminal, false, a1},
	{0x9F16, "Merchant Identifier", ANS, 15, 15, Terminal, false, a1},
	{0x9F17, "PIN Try Counter", B, 1, 1, ICC, false, "EMV 4.3 Book 3 §10.5.1"},
	{0x9F18, "Issuer Script Identifier", B, 4, 4, Issuer, false, "EMV 4.3 Book 3 §10.10"},
	{0x9F1A, "Terminal Country Code", N, 2, 2, Terminal, false, a1},
	{0x9F1B, "Terminal Floor Limit", B, 4, 4, Terminal, false, a1},
	{0x9F1C, "Terminal Identification", AN, 8, 8, Terminal, false, a1},
	{0x9F1D, "Terminal Risk Management Data", B, 1, 8, Terminal, false, a1},
	{0x9F1E, "Interface Device (IFD) Serial Number", AN, 8, 8, Terminal, false, a1},
	{0x9F1F, "Track 1 Discretionary Data", ANS, 0, 252, ICC, true, a1},
	{0x9F20, "Track 2 Discretionary Data", CN, 0, 252, ICC, true, a1},
	{0x9F21, "Transaction Time", N, 3, 3, Terminal, false, a1},
	{0x9F22, "Certification Authority Public Key Index, terminal", B, 1, 1, Terminal, false, a1},
	{0x9F23, "Upper Consecutive Offline Limit", B, 1, 1, ICC, false, "EMV 4.3 Book 3 §10.6.3"},
	{0x9F26, "Application Cryptogram", B, 8, 8, ICC, false, "EMV 4.3 Book 3 §6.5.5"},
	{0x9F27, "Cryptogram Information Data", B, 1, 1, ICC, false, "EMV 4.3 Book 3 §6.5.5"},
	{0x9F2D, "ICC PIN Encipherment Public Key Certificate", B, 0, 248, ICC, false, "EMV 4.3 Book 2 §7.1"},
	{0x9F2E, "ICC PIN Encipherment Public Key Exponent", B, 1, 3, ICC, false, "EMV 4.3 Book 2 §7.1"},
	{0x9F2F, "ICC PIN Encipherment Public Key Remainder", B, 0, 248, ICC, false, "EMV 4.3 Book 2 §7.1"},
	{0x9F32, "Issuer Public Key Exponent", B, 1, 3, ICC, false, b2s},
	{0x9F33, "Terminal Capabilities", B, 3, 3, Terminal, false, "EMV 4.3 Book 4 Annex A2"},
	{0x9F34, "CVM Results", B, 3, 3, Terminal, false, "EMV 4.3 Book 4 Annex A4"},
	{0x9F35, "Terminal Type", N, 1, 1, Terminal, false, "EMV 4.3 Book 4 Annex A1"},
	{0x9F36, "Application Transaction Counter (ATC)", B, 2, 2, ICC, false, a1},
	{0x9F37, "Unpredictable Number", B, 4, 4, Terminal, false, a1},
	{0x9F38, "Processing Options Data Object List (PDOL)", DOL, 0, 252, ICC, false, "EMV 4.3 Book 3 §10.1"},
	{0x9F39, "Point-of-Service (POS) Entry Mode", N, 1, 1, Terminal, false, a1},
	{0x9F3A, "Amount, Reference Currency", B, 4, 4, Terminal, false, a1},
	{0x9F3B, "Application Reference Currency", N, 2, 8, ICC, false, a1},
	{0x9F3C, "Transaction Reference Currency Code", N, 2, 2, Terminal, false, a1},
	{0x9F3D, "Transaction Reference Currency Exponent", N, 1, 1, Terminal, false, a1},
	{0x9F40, "Additional Terminal Capabilities", B, 5, 5, Terminal, false, "EMV 4.3 Book 4 Annex A3"},
	{0x9F41, "Transaction Sequence Counter", N, 2, 4, Terminal, false, a1},
	{0x9F42, "Application Currency Code", N, 2, 2, ICC, false, a1},
	{0x9F43, "Application Reference Currency Exponent", N, 1, 4, ICC, false, a1},
	{0x9F44, "Application Currency Exponent", N, 1, 1, ICC, false, a1},
	{0x9F45, "Data Authentication Code", B, 2, 2, ICC, false, "EMV 4.3 Book 2 §5.4"},
	{0x9F46, "ICC Public Key Certificate", B, 0, 248, ICC, false, b2s},
	{0x9F47, "ICC Public Key Exponent", B, 1, 3, ICC, false, b2s},
	{0x9F48, "ICC Public Key Remainder", B, 0, 248, ICC, false, b2s},
	{0x9F49, "Dynamic Data Authentication Data Object List (DDOL)", DOL, 0, 252, ICC, false, "EMV 4.3 Book 2 §6.5"},
	{0x9F4A, "Static Data Authentication Tag List", B, 0, 252, ICC, false, "EMV 4.3 Book 2 §5.1.1"},
	{0x9F4B, "Signed Dynamic Application Data", B, 0, 248, ICC, false, "EMV 4.3 Book 2 §6.5"},
	{0x9F4C, "ICC Dynamic Number", B, 2, 8, ICC, false, "EMV 4.3 Book 2 §6.5"},
	{0x9F4D, "Log Entry", B, 2, 2, ICC, false, a1},
	{0x9F4E, "Merchant Name and Location", ANS, 0, 252, Terminal, false, a1},
	{0x9F4F, "Log Format", DOL, 0, 252, ICC, false, a1},
	{0x9F5B, "Issuer Script Results", B, 5, 255, Terminal, false, "EMV 4.3 Book 4 Annex A5"},
	{0x9F63, "Card Product Identification (UnionPay)", B, 0, 16, ICC, false, "firmware/doc/wire.md, field 55"},
	{0x9F74, "Electronic Cash Issuer Authorisation Code (UnionPay)", ANS, 6, 6, ICC, false, "firmware/doc/wire.md, field 55"},
	{0xBF0C, "File Control Information (FCI) Issuer Discretionary Data", T, 0, 222, ICC, false, b1s},
}
