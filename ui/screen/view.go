// Package screen draws a View: pure functions from what is to be said to
// pixels, for each size of display and each language.
package screen

import "swipewell/ui/prompt"

// Lang of a screen.
type Lang string

const (
	ZH Lang = "zh"
	EN Lang = "en"
)

// Status is the bar at the top.
type Status struct {
	Bars  int    // 0..4 of signal; -1: this device has no radio
	Queue int    // records that wait to be sent, reversals included
	Clock string // "14:03"
	// Offline is what was done offline and waits; zero: nothing.
	Offline Offline
	Bench   bool // the bench: 测试/TEST on every screen
	Train   bool // training: 训练/TRAINING on every screen, and nothing can be charged
}

// Offline is a sum and the age of its oldest sale.
type Offline struct {
	Sum   string // "120.00"
	Hours int
}

// View is all that a screen shows.
type View struct {
	Lang   Lang
	Code   prompt.Code
	Args   prompt.Args
	Status Status
	// Input is what the device waits for: "amount", "card", "confirm", "pin",
	// "number", "menu", "choice", "name", "typing", "page", "app", "ack" (any key goes on)
	// or "none".
	Input    string
	Typed    string         // the digits keyed so far as they should be shown: "12.80", "****"
	Menu     [9]prompt.Code // items of a menu or a question, by the code of their label; "" ends the list
	Sel      int            // the selected item
	Note     prompt.Code    // a second message below the first, e.g. an open reversal or an empty paper roll; "" none
	NoteArgs prompt.Args
	// Page, if not "", fills the screen below the title: lines divided by "\n", from
	// Line on. Help tells that it is the help of Code.
	Page  string
	Grid  *Grid // a QR code beside the page; nil none
	Line  int
	Help  bool
	Guide bool // with Help: three pictures of how a sale goes
}
