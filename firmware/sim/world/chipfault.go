package world

import (
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"swipewell/drivers/iso7816/cardsim"
)

const insertUsage = "insert CARD [fault=COMMAND[N]:STATUS|R-APDU|mute|flip]… [remove=COMMAND[N][:after]]"

// chipCommands are the words for instructions. EMV Book 3 §6.5.
var chipCommands = map[string][]byte{
	"select": {0xA4}, "record": {0xB2}, "gpo": {0xA8}, "getdata": {0xCA}, "challenge": {0x84}, "verify": {0x20},
	"intauth": {0x88}, "extauth": {0x82}, "genac": {0xAE}, "script": {0x1E, 0x18, 0x16, 0x24, 0xDC, 0xDA},
}

// chipFault is what befalls one command of a session, or each of its kind.
type chipFault struct {
	ins    []byte
	nth    int    // since the reset, from 1; 0 each
	answer []byte // instead of the card's
	mute   bool
	flip   bool // one bit in the middle of the data
	remove bool // the card is withdrawn
	after  bool // once it has carried the command out
}

// parseChipFaults reads the words behind the card's name.
func parseChipFaults(words []string) (list []chipFault, err error) {
	for _, word := range words {
		verb, rest, _ := strings.Cut(word, "=")
		on, what, _ := strings.Cut(rest, ":")
		name := strings.TrimRight(on, "0123456789")
		f := chipFault{ins: chipCommands[name]}
		if n := on[len(name):]; n != "" {
			if f.nth, err = strconv.Atoi(n); err != nil || f.nth == 0 {
				return nil, usage("insert: %q: commands are counted from 1", word)
			}
		}
		if f.ins == nil {
			return nil, usage("insert: %q names no command: %s", word, "select record gpo getdata challenge verify intauth extauth genac script")
		}
		bytes, notHex := hex.DecodeString(what)
		switch {
		case verb == "remove" && (what == "" || what == "after"):
			f.remove, f.after = true, what == "after"
		case verb == "fault" && what == "mute":
			f.mute = true
		case verb == "fault" && what == "flip":
			f.flip = true
		case verb == "fault" && notHex == nil && len(bytes) >= 2:
			f.answer = bytes
		default:
			return nil, usage("insert: %q: %s", word, insertUsage)
		}
		list = append(list, f)
	}
	return list, nil
}

// faulty is a chip with faults between it and its contacts. withdraw must not block.
func faulty(o cardsim.Opts, faults []chipFault, withdraw func()) *cardsim.Opts {
	seen := make([]int, len(faults))
	gone := false
	app, reset := o.App, o.Reset
	o.Reset = func() {
		clear(seen)
		gone = false
		if reset != nil {
			reset()
		}
	}
	o.App = func(capdu []byte) []byte {
		var hit *chipFault
		for i, f := range faults {
			if len(capdu) < 2 || !slices.Contains(f.ins, capdu[1]) || capdu[1] == 0x84 && capdu[0] != 0 {
				continue
			}
			if seen[i]++; hit == nil && (f.nth == 0 || f.nth == seen[i]) {
				hit = &faults[i]
			}
		}
		switch {
		case gone || app == nil:
			return nil
		case hit == nil:
			return app(capdu)
		case hit.remove:
			if hit.after {
				app(capdu)
			}
			gone = true
			withdraw()
			return nil
		case hit.mute:
			return nil
		case hit.answer != nil:
			return hit.answer
		}
		r := app(capdu)
		if n := len(r) - 2; n > 0 {
			r = slices.Clone(r)
			r[n/2] ^= 1
		}
		return r
	}
	return &o
}
