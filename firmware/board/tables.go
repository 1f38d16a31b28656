package board

import (
	"crypto/ed25519"
	"fmt"
	"os"
	"strings"

	"swipewell/firmware/emv/table"
	"swipewell/firmware/signature"
	"swipewell/hal"
)

// Tables say whose files of keys and applications for chip cards are believed.
type Tables struct {
	Keys []TablesKey `toml:"key"`
}

// TablesKey is somebody who may sign such a file.
type TablesKey struct {
	Name string `toml:"name"`
	Key  string `toml:"key"` // ed25519 public key, base64, made by postool keygen
}

func (f *File) checkTables() {
	names := map[string]bool{}
	for _, k := range f.Tables.Keys {
		switch pub, err := signature.Key(k.Key); {
		case err != nil:
			f.fault("tables.key", fmt.Sprintf("the key of %q must be 32 bytes in base64", k.Name))
		case k.Name == "" || names[k.Name]:
			f.fault("tables.key", "each needs a name of its own")
		case table.TestSigner(pub) && !f.Bench:
			f.fault("tables.key", fmt.Sprintf("%q is the published test key: only on a board with bench = true", k.Name))
		}
		names[k.Name] = true
	}
	if f.ICC != nil && f.ICC.Tables != "" && len(f.Tables.Keys) == 0 {
		f.fault("icc.tables", "nobody may sign it: [[tables.key]]")
	}
}

// tables reads the file of keys and applications. It is believed whole or not at
// all; a record of it that is not in order is named, and the others are used.
func (op *opener) tables() {
	const device = "tables"
	path := ""
	if op.f.ICC != nil {
		path = op.f.ICC.Tables
	}
	switch wrong := append(op.f.wrong[device], op.f.wrong["icc"]...); {
	case len(wrong) > 0 && (path != "" || len(op.f.wrong[device]) > 0):
		op.report(device, "", hal.Failed, strings.Join(wrong, "; "))
		return
	case path == "":
		op.report(device, "", hal.Skipped, "not in the board file")
		return
	}
	t, err := op.f.readTables(path)
	if err != nil {
		op.report(device, path, hal.Failed, err.Error())
		return
	}
	var refused []string
	for _, err := range t.Refused {
		refused = append(refused, err.Error())
	}
	op.r.Tables = t
	op.report(device, fmt.Sprintf("%s, version %d, signed by %s", path, t.Version, t.KeyID), hal.Loaded, strings.Join(refused, "; "))
}

func (f *File) readTables(path string) (*table.File, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if st.Size() > table.MaxFile {
		return nil, fmt.Errorf("%s: over %d KiB", path, table.MaxFile>>10)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var keys []ed25519.PublicKey
	for _, k := range f.Tables.Keys {
		if pub, err := signature.Key(k.Key); err == nil {
			keys = append(keys, pub)
		}
	}
	return table.LoadFile(string(text), keys, 0)
}
