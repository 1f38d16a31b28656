package emv

// Bit names one bit of the TVR or the TSI (B3 Annex C5, C6): byte number, from 0,
// and mask.
type Bit uint16

func bit(byteNo, no int) Bit { return Bit((byteNo-1)<<8 | 1<<(no-1)) }

// Bits of the Terminal Verification Results. B3 Annex C5, Table 42.
var (
	NoODA              = bit(1, 8) // offline data authentication was not performed
	SDAFailed          = bit(1, 7)
	ICCDataMissing     = bit(1, 6)
	OnExceptionFile    = bit(1, 5)
	DDAFailed          = bit(1, 4)
	CDAFailed          = bit(1, 3)
	SDASelected        = bit(1, 2)
	VersionsDiffer     = bit(2, 8)
	Expired            = bit(2, 7)
	NotYetEffective    = bit(2, 6)
	ServiceNotAllowed  = bit(2, 5)
	NewCard            = bit(2, 4)
	CVFailed           = bit(3, 8) // cardholder verification was not successful
	UnknownCVM         = bit(3, 7)
	PINTryLimit        = bit(3, 6)
	PINPadMissing      = bit(3, 5)
	PINNotEntered      = bit(3, 4)
	OnlinePINEntered   = bit(3, 3)
	FloorLimit         = bit(4, 8)
	LowerLimit         = bit(4, 7) // lower consecutive offline limit exceeded
	UpperLimit         = bit(4, 6)
	RandomlySelected   = bit(4, 5)
	ForcedOnline       = bit(4, 4) // merchant forced transaction online
	DefaultTDOL        = bit(5, 8)
	IssuerAuthFailed   = bit(5, 7)
	ScriptFailedBefore = bit(5, 6) // before the final GENERATE AC
	ScriptFailedAfter  = bit(5, 5)
)

// Bits of the Transaction Status Information. B3 Annex C6, Table 43.
var (
	DidODA        = bit(1, 8)
	DidCVM        = bit(1, 7)
	DidCardRisk   = bit(1, 6)
	DidIssuerAuth = bit(1, 5)
	DidRisk       = bit(1, 4)
	DidScript     = bit(1, 3)
)

// TVR is the Terminal Verification Results, tag 95. B3 Annex C5.
type TVR [5]byte

// Has tells whether a bit is set.
func (v TVR) Has(b Bit) bool { return int(b>>8) < len(v) && v[b>>8]&byte(b) != 0 }

func (v *TVR) set(b Bit) { v[b>>8] |= byte(b) }

// meets tells whether a bit is set in both.
func (v TVR) meets(mask TVR) bool {
	for i := range v {
		if v[i]&mask[i] != 0 {
			return true
		}
	}
	return false
}

// TSI is the Transaction Status Information, tag 9B. B3 Annex C6.
type TSI [2]byte

// Has tells whether a bit is set.
func (v TSI) Has(b Bit) bool { return int(b>>8) < len(v) && v[b>>8]&byte(b) != 0 }

func (v *TSI) set(b Bit) { v[b>>8] |= byte(b) }

// Bits of the Application Interchange Profile, byte 1. B3 Annex C1, Table 37.
const (
	aipSDA        = 0x40
	aipDDA        = 0x20
	aipCVM        = 0x10
	aipRisk       = 0x08
	aipIssuerAuth = 0x04
	aipCDA        = 0x01
)

// Bits of the Terminal Capabilities. B4 Annex A2, Tables 25–27.
const (
	capPlainPIN    = 0x80 // byte 2
	capOnlinePIN   = 0x40
	capSignature   = 0x20
	capEnciphered  = 0x10
	capNoCVM       = 0x08
	capSDA         = 0x80 // byte 3
	capDDA         = 0x40
	capCDA         = 0x08
	capsCVM        = 1
	capsSecurity   = 2
	addCash        = 0x80 // Additional Terminal Capabilities, byte 1: B4 Annex A3
	addCodeTables  = 4
	addCodeTables9 = 3
)
