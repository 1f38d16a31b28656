package acquirer

import (
	"strings"
	"testing"
)

// The same block is no repeat where nothing random is in it; of another session or
// another card it is.
func TestPINBlocksThatMustDiffer(t *testing.T) {
	for name, c := range map[string]struct {
		now     block
		withPAN bool
		want    string
	}{
		"the same PIN again":            {block{1, "62250001", "000002"}, true, ""},
		"another session":               {block{2, "62250001", "000002"}, true, "session before"},
		"another card":                  {block{1, "62250002", "000002"}, true, "another card"},
		"another card, no number in it": {block{1, "62250002", "000002"}, false, ""},
	} {
		x := &terminal{}
		if why := x.repeated("12345678", block{1, "62250001", "000001"}, c.withPAN); why != "" {
			t.Errorf("%s: the first is a repeat: %s", name, why)
		}
		if why := x.repeated("12345678", c.now, c.withPAN); (why == "") != (c.want == "") || !strings.Contains(why, c.want) {
			t.Errorf("%s: %q, want %q", name, why, c.want)
		}
		if why := x.repeated("other", c.now, c.withPAN); why != "" {
			t.Errorf("%s: another block is a repeat: %s", name, why)
		}
	}
}

// What is an error of a run: a STAN that a sale uses again, not one of an advice that
// is repeated until it is answered; nothing that a script has excused.
func TestFaults(t *testing.T) {
	h := &Host{findings: []Finding{{Name: FindDuplicate, MTI: "0220"}, {Name: FindDuplicate, MTI: "0200"}, {Name: FindTotals}, {Name: FindFrame}, {Name: FindMAC},
		{Name: FindPINRepeat}, {Name: FindStaleKey, Benign: true}}}
	names := func(fs []Finding) (s string) {
		for _, f := range fs {
			s += f.Name + f.MTI + " "
		}
		return s
	}
	if got := names(h.Faults()); got != "duplicate0200 mac pin-repeat " {
		t.Error(got)
	}
	if got := names(h.Faults(FindMAC, FindDuplicate)); got != "pin-repeat " {
		t.Error(got)
	}
}

// Each way of spoiling changes what it says and leaves the rest.
func TestSpoil(t *testing.T) {
	w := workingKeys{pik: unhex("807A23AD32B36D457AE91FDF927570EA"), mak: unhex("5BB5C72CD00B7338")}
	good := w.bundle(unhex(BenchTMK))
	for how, want := range map[string]struct{ from, to, length int }{
		"":           {0, 0, 40},
		spoilCorrupt: {3, 4, 40},
		spoilCheck:   {39, 40, 40},
		spoilShort:   {0, 0, 39},
		spoilWeak:    {0, 20, 40},
	} {
		got := w.spoil(good, how, unhex(BenchTMK))
		if len(got) != want.length {
			t.Errorf("%q: %d bytes", how, len(got))
			continue
		}
		for i := range got {
			if in := i >= want.from && i < want.to; !in && got[i] != good[i] {
				t.Errorf("%q changed byte %d", how, i)
			}
		}
		if want.to > want.from && got[want.from:want.to] == good[want.from:want.to] {
			t.Errorf("%q changed nothing", how)
		}
	}
	s := spoils{"corrupt", 2}
	if a, b, c := s.take(), s.take(), s.take(); a != "corrupt" || b != "corrupt" || c != "" {
		t.Error(a, b, c)
	}
	h := &Host{}
	for words, bad := range map[string]bool{"": false, "corrupt": false, "weak -n 3": false, "normal": false, "sideways": true, "corrupt -n 0": true} {
		if err := h.commandKeys(strings.Fields(words)); (err != nil) != bad {
			t.Errorf("keys %s: %v", words, err)
		}
	}
}
