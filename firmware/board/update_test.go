package board

import (
	"bytes"
	"crypto/sha256"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"swipewell/firmware/update"
	"swipewell/firmware/update/bundle"
	"swipewell/hal"
)

const updKey = "Brd/yJ0rl4VDPdN6m5ijyPo38D2ysswOeb52+HsiPSE="

// slots makes a board with builds in DIR; port is the kind.
func slots(t *testing.T, port string) (text, dir string) {
	t.Helper()
	dir = t.TempDir()
	image := []byte("a build")
	first := update.First(update.Image{Version: bundle.Version{Major: 1}, Size: int64(len(image)), Sum: sha256.Sum256(image), Schemas: bundle.Schemas{Lo: 1, Hi: 4}})
	write := func(name string, b []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write("slot.a", image)
	keys := "\ninbox = \"" + dir + "/in/box\"\n[[update.key]]\nid = \"k\"\nkey = \"" + updKey + "\"\n"
	if port == "plain" {
		b, err := update.AppendText(first)
		if err != nil {
			t.Fatal(err)
		}
		write("boot.0", b)
		return good + "[update]\ndir = \"" + dir + "\"" + keys, dir
	}
	b, err := update.AppendEnv(first, 4096)
	if err != nil {
		t.Fatal(err)
	}
	write("state", append(b, b...))
	write("slot.b", make([]byte, 5000))
	return good + "[update]\nport = \"uboot\"\nstate = \"" + dir + "/state\"\nslots = [\"" + dir + "/slot.a\", \"" + dir + "/slot.b\"]" + keys, dir
}

// TestSlots: both kinds of loader; the running slot is not open for writing, and
// without a loader's word which it is nothing is taken.
func TestSlots(t *testing.T) {
	for _, port := range []string{"plain", "uboot"} {
		for _, running := range []string{"A", "B", ""} {
			t.Run(port+" "+running, func(t *testing.T) {
				t.Setenv(envSlot, running)
				text, dir := slots(t, port)
				f, err := read(t, text)
				if err != nil || len(f.wrong["update"]) > 0 {
					t.Fatal(err, f.wrong["update"])
				}
				r := f.Open(Opts{})
				defer r.Close()
				state, why := hal.Skipped, ""
				for _, d := range r.Report {
					if d.Device == "update" {
						state, why = d.State, d.Why
					}
				}
				if running != "A" { // B runs on neither: the record knows nothing of it, or it is not there
					if state != hal.Failed || r.Update != nil || why == "" {
						t.Errorf("%v %q", state, why)
					}
					return
				}
				s := r.Update
				if state != hal.Loaded || s == nil || s.Running != update.A || s.Product != "swipewell" || len(s.Keys.Production) != 1 || s.Keys.Need != 1 {
					t.Fatalf("%v %q %+v", state, why, s)
				}
				if _, err := s.Slots[update.A].WriteAt([]byte("x"), 0); err == nil {
					t.Error("the running build can be written over")
				}
				if _, err := s.Slots[update.B].WriteAt([]byte("new"), 0); err != nil {
					t.Error(err)
				}
				if port == "plain" && s.SlotSize != bundle.MaxImage || port == "uboot" && s.SlotSize != 7 {
					t.Errorf("a slot of %d bytes", s.SlotSize)
				}
				rec, err := s.Port.Load()
				if err != nil || s.Port.Save(rec) != nil {
					t.Error(err)
				}
				if b, err := os.ReadFile(filepath.Join(dir, "slot.b")); err != nil || !bytes.HasPrefix(b, []byte("new")) {
					t.Error(err)
				}
			})
		}
	}
}

// TestUpdateMistakes: each stops updates and is named.
func TestUpdateMistakes(t *testing.T) {
	text, _ := slots(t, "plain")
	for name, c := range map[string]struct{ from, to, want string }{
		"port":        {"[update]\n", "[update]\nport = \"rauc\"\n", "update.port"},
		"no dir":      {"dir = ", "env_size = 4096 #", "update.dir: missing"},
		"no inbox":    {"inbox = ", "inbox_mb = 4 #", "update.inbox: missing"},
		"key":         {updKey, "AAAA", `the key of "k"`},
		"too few":     {"[update]\n", "[update]\nneed = 2\n", "2 must have signed, and there are 1 keys"},
		"twice":       {"[[update.key]]", "need = 2\n[[update.key]]\nid = \"again\"\nkey = \"" + updKey + "\"\n[[update.key]]", "stands twice"},
		"development": {"bench = true\n", "", ""},
		"inbox size":  {"[update]\n", "[update]\ninbox_mb = 5000\n", "update.inbox_mb"},
	} {
		s := strings.Replace(text, c.from, c.to, 1)
		if name == "development" {
			s, c.want = strings.Replace(s, "id = \"k\"", "id = \"k\"\ndevelopment = true", 1), "on a bench only"
		}
		f, err := read(t, s)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if all := strings.Join(f.wrong["update"], "\n"); !strings.Contains(all, c.want) {
			t.Errorf("%s: %q does not say %q", name, all, c.want)
		}
		if r := f.Open(Opts{}); r.Update != nil {
			t.Errorf("%s: updates are taken", name)
		}
	}
}
