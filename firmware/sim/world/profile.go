package world

import (
	"context"
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"
)

// benchProfile is what the bench's acquirer allows: offline sales with a voice
// authorisation, which a board file has off unless it says so.
var benchProfile = map[string]string{
	"keys":         `"003"`,
	"offline.each": `"500.00"`, "offline.total": `"2000.00"`, "offline.count": "10", "offline.age": `"24h"`,
}

// profileText is the changed keys of the acquirer's section: plain ones first,
// since a table ends them.
func (w *World) profileText() string {
	all := map[string]string{}
	for k, v := range benchProfile {
		all[k] = v
	}
	for k, v := range w.profile {
		all[k] = v
	}
	var plain, offline []string
	for k, v := range all {
		if name, ok := strings.CutPrefix(k, "offline."); ok {
			offline = append(offline, name+" = "+v)
		} else {
			plain = append(plain, k+" = "+v)
		}
	}
	slices.Sort(plain)
	slices.Sort(offline)
	text := strings.Join(plain, "\n") + "\n"
	if all["offline.count"] != "0" {
		text += "\n[acquirer.offline]\n" + strings.Join(offline, "\n") + "\n"
	}
	return text
}

// profileCmd sets keys of the board file's acquirer section, before start.
func (w *World) profileCmd(_ context.Context, args []string) error {
	if w.Running() {
		return errors.New("profile: before start, or with the power off")
	}
	for _, a := range args {
		k, v, ok := strings.Cut(a, "=")
		if !ok || k == "" || strings.Trim(k, "abcdefghijklmnopqrstuvwxyz_.") != "" {
			return usage("profile KEY=VALUE…, keys of [acquirer] in a board file")
		}
		if leading := len(v) > 1 && v[0] == '0'; leading || strings.Trim(v, "0123456789") != "" && v != "true" && v != "false" {
			v = `"` + strings.ReplaceAll(v, `"`, "") + `"`
		} else if k == "offline.each" || k == "offline.total" || k == "max_amount" {
			v = `"` + v + `"`
		}
		if w.profile == nil {
			w.profile = map[string]string{}
		}
		w.profile[k] = v
	}
	return os.WriteFile(w.path("bench.toml"), []byte(w.board(w.hostAddr)), 0o600)
}

// processText is its section on what posd becomes.
func (w *World) processText() string {
	if w.o.User == "" {
		return ""
	}
	return "[process]\nuser = " + strconv.Quote(w.o.User) + "\n\n"
}

// logText is its section on the log.
func (w *World) logText() string {
	if len(w.logKeys) == 0 {
		return ""
	}
	return "[log]\n" + keyLines(w.logKeys) + "\n"
}

// keyLines are KEY=VALUE words as lines of a board file.
func keyLines(words []string) (text string) {
	for _, kv := range words {
		k, v, _ := strings.Cut(kv, "=")
		if _, err := strconv.ParseFloat(v, 64); err != nil && v != "true" && v != "false" {
			v = strconv.Quote(v)
		}
		text += k + " = " + v + "\n"
	}
	return text
}

// rulesText is the board file's section on rules.
func (w *World) rulesText() string {
	if len(w.rules) == 0 {
		return ""
	}
	var lines []string
	for k, v := range w.rules {
		lines = append(lines, k+" = "+v)
	}
	slices.Sort(lines)
	return "[rules]\n" + strings.Join(lines, "\n") + "\n\n"
}

// rulesCmd sets keys of the board file's [rules], before start: profile,
// merchant, file, keys. A file is one of the script's own folder.
func (w *World) rulesCmd(_ context.Context, args []string) error {
	if w.Running() {
		return errors.New("rules: before start, or with the power off")
	}
	for _, a := range args {
		k, v, ok := strings.Cut(a, "=")
		if !ok || !slices.Contains([]string{"profile", "merchant", "file", "keys"}, k) {
			return usage("rules profile|merchant|file|keys=VALUE…")
		}
		if w.rules == nil {
			w.rules = map[string]string{}
		}
		w.rules[k] = strconv.Quote(v)
		if k == "keys" {
			w.rules[k] = "[" + w.rules[k] + "]"
		}
	}
	return os.WriteFile(w.path("bench.toml"), []byte(w.board(w.hostAddr)), 0o600)
}
