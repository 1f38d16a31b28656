package terminal

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"swipewell/firmware/journal"
	"swipewell/firmware/journal/shelf"
	"swipewell/firmware/store"
	"swipewell/hal"
	"swipewell/ui/prompt"
)

// anchorRow is the journal's last checkpoint, kept with money: whoever cuts the
// journal's end off must also take back the store, and cannot make the seal. ADR 33.
type anchorRow struct {
	Stream string `json:"stream"`
	Root   string `json:"root"`
	Era    uint32 `json:"era"`
	N      uint32 `json:"n"`
	Seq    uint64 `json:"seq"`
	Hash   string `json:"hash"`
	Mac    string `json:"mac"`
}

func (a anchorRow) sum(mac func([]byte) ([32]byte, error)) (string, error) {
	a.Mac = ""
	b, err := json.Marshal(a)
	if err != nil {
		return "", err
	}
	m, err := mac(append([]byte("v1|anchor|"), b...))
	return hex.EncodeToString(m[:]), err
}

const anchorPrefix = "anchor/"

// anchorRows are those that changed since the last money commit.
func (t *Terminal) anchorRows() (rows []store.Row) {
	if t.board.Keys == nil || t.o.Train {
		return nil
	}
	for _, a := range t.o.Journal.Anchors() {
		if t.care.anchored[a.Stream] == a.Anchor {
			continue
		}
		r := anchorRow{Stream: a.Stream, Root: hex.EncodeToString(a.Root[:]), Era: a.Era, N: a.N, Seq: a.Seq, Hash: hex.EncodeToString(a.Hash[:])}
		var err error
		if r.Mac, err = r.sum(t.mac); err != nil {
			t.o.Log.Warn("anchor", "err", err)
			return nil
		}
		rows = append(rows, careRow(anchorPrefix+a.Stream, r))
		if t.care.anchored == nil {
			t.care.anchored = map[string]shelf.Anchor{}
		}
		t.care.anchored[a.Stream] = a.Anchor
	}
	return rows
}

// nameForLog says in the journal whose card a transaction is: by a name that
// only the journal has.
func (t *Terminal) nameForLog(tx string, sum [32]byte) {
	t.o.Journal.RecordCard(tx, t.o.Journal.Ref(sum))
}

// JournalAnchors are the checkpoints of the journal that were kept with money. One
// that the device did not make is an error.
func JournalAnchors(st *store.Store, keys hal.KeyStore) (out []journal.Anchor, err error) {
	mac := func(b []byte) ([32]byte, error) { return keys.HMAC(hal.SlotCardRef, scopeGeneration, b) }
	err = st.Rows(store.Care, nil, func(k, v []byte) error {
		if !strings.HasPrefix(string(k), anchorPrefix) {
			return nil
		}
		var r anchorRow
		if err := json.Unmarshal(v, &r); err != nil {
			return err
		}
		sum, err := r.sum(mac)
		if err != nil {
			return err
		}
		if sum != r.Mac {
			return fmt.Errorf("%s: the anchor of %s at entry %d is not the device's", prompt.LogJournal, r.Stream, r.Seq)
		}
		a := journal.Anchor{Stream: r.Stream, Anchor: shelf.Anchor{Era: r.Era, N: r.N, Seq: r.Seq}}
		root, e1 := hex.DecodeString(r.Root)
		hash, e2 := hex.DecodeString(r.Hash)
		if e1 != nil || e2 != nil || len(root) != len(a.Root) || len(hash) != len(a.Hash) {
			return fmt.Errorf("terminal: anchor of %s: not a key and a hash", r.Stream)
		}
		copy(a.Root[:], root)
		copy(a.Hash[:], hash)
		out = append(out, a)
		return nil
	})
	return out, err
}
