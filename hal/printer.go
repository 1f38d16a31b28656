package hal

import (
	"context"
	"fmt"

	"periph.io/x/conn/v3"
)

// PrintStyle is how a line of a slip looks.
type PrintStyle uint8

const (
	StyleNormal PrintStyle = 0
	StyleBold   PrintStyle = 1 << (iota - 1)
	StyleBig               // double height and width
	StyleCenter
	StyleRule // a line across the paper; the text is ignored
)

// PrintLine is one line of a slip, at most [Printer.Columns] half-width
// columns (a hanzi takes two).
type PrintLine struct {
	Text  string
	Style PrintStyle
}

// Slip is what is printed in one go.
type Slip struct {
	Lines []PrintLine
	Cut   bool // feed to the tear bar and cut where the device can
}

// Printer prints slips.
type Printer interface {
	conn.Resource
	Columns() int
	// Print returns when the paper is out. The world's answer is *PrinterError;
	// after one, what came out is not a valid slip.
	Print(ctx context.Context, s Slip) error
}

// PrinterCause says why a printer stopped.
type PrinterCause uint8

const (
	PrinterFault PrinterCause = iota
	PaperOut
	CoverOpen
	PrinterHot
)

var printerCauses = [...]string{"fault", "paper-out", "cover-open", "hot"}

func (c PrinterCause) String() string {
	if int(c) < len(printerCauses) {
		return printerCauses[c]
	}
	return "fault"
}

// PrinterError is the world's answer to Print.
type PrinterError struct {
	Cause PrinterCause
	Err   error
}

func (e *PrinterError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("printer: %v: %v", e.Cause, e.Err)
	}
	return "printer: " + e.Cause.String()
}

func (e *PrinterError) Unwrap() error { return e.Err }
