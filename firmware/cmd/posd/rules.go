package main

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"log/slog"
	"os"
	"path/filepath"

	"swipewell/firmware/journal"
	"swipewell/firmware/role"
	"swipewell/firmware/signature"
	"swipewell/firmware/throttle"
	"swipewell/ui/prompt"
)

// rulesPath is where the set that was loaded last lies, signature and all.
func (d *device) rulesPath() string { return filepath.Join(d.data, "rules", "active.rules") }

// keys are those that may sign rules for this device.
func (d *device) ruleKeys() (keys []ed25519.PublicKey) {
	for _, k := range d.file.Rules.Keys {
		if b, err := base64.StdEncoding.DecodeString(k); err == nil && len(b) == ed25519.PublicKeySize {
			keys = append(keys, b)
		}
	}
	return keys
}

// rules are those in force: the build's own, or a newer signed set; then the
// merchant's kind; then what the merchant made tighter. What cannot be used is
// said in the log and left out: the rules below it stand.
func (d *device) rules() *throttle.Rules {
	r := throttle.Default()
	d.rulesBad = false
	if text, err := os.ReadFile(d.rulesPath()); err == nil {
		n, err := throttle.Load(d.rulesPath(), string(text), d.ruleKeys(), r.Version)
		if d.ruleFile("set", d.rulesPath(), n, err) {
			r = n
		}
	}
	if name := d.file.Rules.Profile; name != "" {
		n, err := r.WithProfile(name)
		if d.ruleFile("profile", name, n, err) {
			r = n
		}
	}
	if path := d.file.Rules.File; path != "" {
		n, err := d.signedProfile(r, path)
		if d.ruleFile("profile", path, n, err) {
			r = n
		}
	}
	if path := d.file.Rules.Merchant; path != "" {
		n, err := merchantFile(r, path)
		if d.ruleFile("merchant", path, n, err) {
			r = n
		}
	}
	return r
}

func (d *device) signedProfile(r *throttle.Rules, path string) (*throttle.Rules, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if _, err := signature.Verify(string(text), d.ruleKeys()); err != nil {
		return nil, err
	}
	return r.WithText(path, string(text))
}

func merchantFile(r *throttle.Rules, path string) (*throttle.Rules, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	f, err := throttle.Parse(path, string(text))
	if err != nil {
		return nil, err
	}
	if f.Sort != throttle.SortMerchant {
		return nil, errors.New("not a merchant's file")
	}
	return r.Apply(f, path)
}

// ruleFile says in the log what became of a file; true if it is used.
func (d *device) ruleFile(sort, name string, r *throttle.Rules, err error) bool {
	e := journal.Event{Code: prompt.LogRules, Source: "rules", Fields: []journal.Field{journal.Word("sort", sort), journal.Word("file", filepath.Base(name))}}
	if err != nil {
		e.Level, e.Fields = slog.LevelWarn, append(e.Fields, journal.Word("taken", "no"), journal.Err(err))
	} else {
		e.Fields = append(e.Fields, journal.Word("taken", "yes"), journal.Count("version", r.Version), journal.Word("key", r.KeyID))
	}
	d.journal.Record(e)
	d.rulesBad = d.rulesBad || err != nil && sort != "update"
	return err == nil
}

// staff are the persons that the board file names.
func (d *device) staff() (all []role.Person) {
	for _, p := range d.file.People {
		if r := role.Role(p.Role); p.Number > 0 && p.Number < 100 && role.Known(r) {
			all = append(all, role.Person{Number: p.Number, Name: p.Name, Role: r, Hash: p.PIN})
		}
	}
	return all
}
