package prompt

// The card with a chip: its steps, and how they end.
const (
	CardAny      Code = "P-CRD-02" // swipe or insert
	CardFallback Code = "P-CRD-03" // the chip could not be read: the stripe may serve
	TakeCard     Code = "P-CRD-04" // the card is still in
	InsertChip   Code = "F-CRD-13" // the stripe of a card that has a chip
	ChipSwipe    Code = "F-CRD-14" // no answer of the chip, and the stripe may serve
	ChipReading  Code = "P-CHP-01" // the chip is at work; do not pull the card
	ChipFinal    Code = "P-CHP-02" // the host has answered, the card has the last word
	ChipChoose   Code = "P-CHP-03" // several applications
	ChipTryAgain Code = "P-CHP-04" // the one chosen cannot be used

	PINWrong     Code = "F-PIN-01" // the card says so; tries are left
	PINWrongLast Code = "F-PIN-02" // and one is left
	PINLast      Code = "F-PIN-03" // one try is left of earlier ones

	ChipDeclined    Code = "D-CHP-01" // the card declined, the issuer was not asked
	ChipFailed      Code = "F-CHP-01" // what the card says is not in order
	ChipBlocked     Code = "F-CHP-02"
	ChipNoApp       Code = "F-CHP-03" // nothing in common with this terminal
	ChipDevice      Code = "F-CHP-04" // the reader itself
	ChipNoTables    Code = "F-CHP-05" // the acquirer's data for chips are not here
	UnknownChip     Code = "U-CHP-01" // the issuer approved, the card did not
	ChipOfflineDone Code = "A-OFF-04" // approved by the card, the host hears of it later

	LogFallback Code = "E-CRD-03" // a stripe was taken for a chip that could not be read
	LogChip     Code = "E-CHP-01" // how a session with a chip ended
	LogScript   Code = "E-TXN-07" // the issuer's script was run
)
