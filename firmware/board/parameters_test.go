package board

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"swipewell/firmware/parameter"
)

// A file changes what it names and nothing else, and the board file stays as it was.
func TestWith(t *testing.T) {
	f := &File{Merchant: Merchant{Name: "old", NameEN: "Old"}, Service: &Service{Phone: "1", Port: "/dev/ttyS0"}, HostList: []Host{{Name: "a", Address: "a:1"}},
		Acquirer: &Acquirer{TID: "20260001", MAC: "ecb", AnswerTimeout: Duration{30 * time.Second}, Hosts: []string{"b:2"}}}
	p, err := parameter.Parse("version = 1\n[merchant]\nname = \"new\"\n[acquirer]\nhosts = [\"c:3\"]\npin_timeout = \"40s\"\n")
	if err != nil {
		t.Fatal(err)
	}
	n := f.With(p)
	if n.Merchant != (Merchant{"new", "Old"}) || n.Acquirer.TID != "20260001" || n.Acquirer.MAC != "ecb" || n.Acquirer.AnswerTimeout.Seconds() != 30 || n.Acquirer.PINTimeout.Seconds() != 40 || n.Service.Phone != "1" {
		t.Errorf("%+v %+v", n, n.Acquirer)
	}
	if hs := n.Hosts(); len(hs) != 1 || hs[0].Address != "c:3" {
		t.Errorf("hosts %+v", hs)
	}
	if f.Merchant.Name != "old" || f.Acquirer.Hosts[0] != "b:2" || len(f.HostList) != 1 || f.Acquirer.PINTimeout.Duration != 0 {
		t.Error("the board file itself was changed")
	}
	sets := Sets(p)
	var on []string
	for _, name := range slices.Sorted(maps.Keys(sets)) {
		if sets[name] {
			on = append(on, name)
		}
	}
	if got := strings.Join(on, " "); got != "acquirer.hosts acquirer.pin_timeout merchant.name" {
		t.Error(got)
	}
	if (&File{}).With(p).Acquirer != nil {
		t.Error("a file made an acquirer where the board has none")
	}
}

func TestParameterKeys(t *testing.T) {
	const good = "[[parameters.key]]\nname = \"acquirer\"\nkey = \"Brd/yJ0rl4VDPdN6m5ijyPo38D2ysswOeb52+HsiPSE=\"\n"
	for _, c := range []struct {
		text string
		keys int
	}{
		{good, 1},
		{"", 0},
		{good + good, 0}, // the same name twice
		{good + "[[parameters.key]]\nkey = \"AAAA\"\n", 0}, // one that is none closes the section
		{good + "[[parameters.key]]\nnme = \"x\"\n", 0},    // so does an unknown key
	} {
		f := &File{text: c.text, wrong: map[string][]string{}}
		if err := f.parse(); err != nil {
			t.Fatal(err)
		}
		f.checkParameters()
		if n := len(f.ParameterKeys()); n != c.keys {
			t.Errorf("%q: %d keys, want %d; %v", c.text, n, c.keys, f.wrong)
		}
	}
}
