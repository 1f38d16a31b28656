package emv

import (
	"bytes"

	"swipewell/firmware/emv/tlv"
)

// Results of a script, the upper half of the first byte. B4 Annex A5, Table 34.
const (
	scriptNotPerformed = 0
	scriptFailed       = 1
	scriptDone         = 2
)

// ScriptResult is one Issuer Script Result: result and number of the command that
// failed (0 not given, F for 15 and more), then the script's identifier. B4 Annex A5.
type ScriptResult [5]byte

// script is one template 71 or 72. B3 §10.10.
type script struct {
	after    bool // 72: behind the last cryptogram
	id       [4]byte
	commands [][]byte
	broken   bool
}

// Bounds of all scripts of one answer together. B3 §10.10 wants
// at least 128 bytes to be processed, some 15 commands.
const (
	maxScriptCommands = 64
	maxScripts        = 16
)

// readScripts takes the templates apart. One that is not well formed runs none of
// its commands and counts as failed. B3 §10.10.
func readScripts(templates [][]byte) []script {
	var out []script
	total := 0
	for _, t := range templates[:min(len(templates), maxScripts)] {
		s := script{after: len(t) > 0 && t[0] == 0x72}
		body, ok := tlv.Only(t, 0x71)
		if s.after {
			body, ok = tlv.Only(t, 0x72)
		}
		objects, err := tlv.Parse(body)
		s.broken = !ok || err != nil
		for _, o := range objects {
			switch {
			case o.Tag == 0x9F18 && len(o.Value) == 4:
				copy(s.id[:], o.Value)
			case o.Tag == 0x86 && len(o.Value) >= 4 && len(o.Value) <= 261 && total < maxScriptCommands:
				s.commands = append(s.commands, bytes.Clone(o.Value))
				total++
			default:
				s.broken = true
			}
		}
		out = append(out, s)
	}
	return out
}

// runScripts runs those before or behind the last cryptogram and goes on: to that
// cryptogram, or to the end. B3 §10.10.
func (n *session) runScripts(after bool) Output {
	n.scriptNo, n.commandNo = 0, 0
	return n.nextScript(after)
}

func (n *session) nextScript(after bool) Output {
	for ; n.scriptNo < len(n.scripts); n.scriptNo++ {
		s := n.scripts[n.scriptNo]
		if s.after != after {
			continue
		}
		n.tsi.set(DidScript)
		if s.broken {
			n.scriptEnds(scriptFailed, 0)
			continue
		}
		if n.commandNo < len(s.commands) {
			n.commandNo++
			return n.send(atScript, s.commands[n.commandNo-1])
		}
		n.scriptEnds(scriptDone, 0)
	}
	if after {
		return n.finish(n.kind, n.cause)
	}
	return n.complete()
}

// scriptEnds writes the result of the script that runs. B3 §10.10, B4 Annex A5.
func (n *session) scriptEnds(result byte, command int) {
	s := n.scripts[n.scriptNo]
	r := ScriptResult{result<<4 | byte(min(command, 15)), s.id[0], s.id[1], s.id[2], s.id[3]}
	n.results = grow(n.results, r)
	n.reported |= 1 << n.scriptNo
	n.term.put(0x9F5B, grow(n.settingValue(0x9F5B), r[:]...))
	n.commandNo = 0
	if result == scriptFailed {
		if s.after {
			n.tvr.set(ScriptFailedAfter)
		} else {
			n.tvr.set(ScriptFailedBefore)
		}
	}
}

// gotScript: 90, 62 and 63 go on with the next command, anything else ends the
// script as failed. B3 §10.10.
func (n *session) gotScript(r Response) Output {
	after := n.scripts[n.scriptNo].after
	switch r.SW >> 8 {
	case 0x90, 0x62, 0x63:
	default:
		n.scriptEnds(scriptFailed, n.commandNo)
		n.scriptNo++
	}
	return n.nextScript(after)
}

// unperformed reports the scripts that an early end left out. B4 Annex A5.
func (n *session) unperformed() {
	for i := range n.scripts {
		if n.reported&(1<<i) == 0 {
			n.scriptNo = i
			n.scriptEnds(scriptNotPerformed, 0)
		}
	}
}
