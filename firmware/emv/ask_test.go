package emv_test

import (
	"reflect"
	"testing"

	"swipewell/firmware/emv"
	"swipewell/firmware/sim/card"
)

// asks runs a sale and keeps every question; answers are taken in their order.
func asks(t *testing.T, p card.Profile, answers ...emv.Input) (list []emv.Output, o emv.Outcome) {
	t.Helper()
	cfg, txn := setup(t, p)
	cfg.Apps = []emv.App{{AID: unhex("A000000333"), Partial: true}}
	c, err := card.New(p)
	if err != nil {
		t.Fatal(err)
	}
	s, out, err := emv.Begin(cfg, txn)
	if err != nil {
		t.Fatal(err)
	}
	for {
		var in emv.Input
		switch x := out.(type) {
		case emv.Outcome:
			return list, x
		case emv.Command:
			in = emv.ParseResponse(c.Transmit(x.APDU))
		case emv.Verify:
			list = append(list, x)
			in, answers = answers[0], answers[1:]
		default:
			list = append(list, x)
			if len(answers) == 0 {
				t.Fatalf("nothing to answer %+v with", x)
			}
			in, answers = answers[0], answers[1:]
		}
		s, out = emv.Step(s, in)
	}
}

func TestQuestions(t *testing.T) {
	yes := emv.Host{Approved: true, ARC: [2]byte{'0', '0'}}
	p := profile(t, "debit", func(p *card.Profile) { p.CVMList = "0000000000000000" + "4400" + "0200" })
	wrong := func(left int) emv.Response { return emv.Response{SW: 0x63C0 | uint16(left)} }
	list, o := asks(t, p, emv.PIN{Handle: 11}, wrong(2), emv.PIN{Handle: 12}, wrong(1), emv.PIN{Handle: 13}, wrong(0), emv.PIN{Handle: 14}, emv.Facts{}, yes)
	if o.String() != "approved-online" {
		t.Fatal(o)
	}
	icc, err := card.FindKey(p.ICC)
	if err != nil {
		t.Fatal(err)
	}
	pins, n := []emv.AskPIN{
		{Kind: emv.EncipheredPIN, Left: 3}, {Kind: emv.EncipheredPIN, Left: 2, Bad: true}, {Kind: emv.EncipheredPIN, Left: 1, Bad: true, Last: true}, {Kind: emv.OnlinePIN, Left: -1},
	}, 0
	handle := uint64(11)
	for _, q := range list {
		switch q := q.(type) {
		case emv.AskPIN:
			if n == len(pins) || q != pins[n] {
				t.Errorf("PIN %d: %+v", n, q)
			}
			n++
		case emv.Verify:
			if q.Handle != handle || q.Header != [4]byte{0, 0x20, 0, 0x88} || !reflect.DeepEqual(q.Modulus, icc.N) || !reflect.DeepEqual(q.Exponent, icc.E) || len(q.Challenge) != 8 {
				t.Errorf("%+v", q)
			}
			handle++
		case emv.AskFacts:
			var got string
			q.PAN.Reveal(func(d []byte) { got = string(d) })
			if got != p.PAN || q.PSN != 1 {
				t.Errorf("%v, sequence number %d", q.PAN, q.PSN)
			}
		case emv.AskOnline:
			if !q.HasPIN || q.PINHandle != 14 {
				t.Errorf("%+v", q)
			}
		default:
			t.Errorf("%T", q)
		}
	}
	if n != len(pins) || handle != 14 {
		t.Errorf("%d PINs, handle %d", n, handle)
	}
}

func TestQuestionsOfChoice(t *testing.T) {
	p := profile(t, "debit", func(p *card.Profile) {
		p.CVMList, p.PSN = "0000000000000000"+"1F00", ""
		p.Priority = "83"
		p.More = []card.App{{AID: "A00000033301010199", Label: "SECOND", Priority: "02"}}
	})
	list, o := asks(t, p, emv.Choice{Index: 0}, emv.Choice{Index: 0}, emv.Facts{}, emv.Host{})
	if o.String() != "declined-online" && o.String() != "declined-offline" {
		t.Error(o)
	}
	first, ok1 := list[0].(emv.AskChoice)
	second, ok2 := list[1].(emv.AskChoice)
	if !ok1 || !ok2 || len(first.Candidates) != 2 || first.Confirm || first.Again || len(second.Candidates) != 1 || !second.Confirm || !second.Again {
		t.Fatalf("%+v\n%+v", list[0], list[1])
	}
	if a := first.Candidates[0]; upper(a.AID) != "A00000033301010199" || string(a.Label) != "SECOND" || a.Priority != 2 || a.Confirm {
		t.Errorf("%+v", a)
	}
	if a := second.Candidates[0]; upper(a.AID) != p.AID || a.Priority != 3 || !a.Confirm {
		t.Errorf("%+v", a)
	}
	if f, ok := list[2].(emv.AskFacts); !ok || f.PSN != 0 {
		t.Errorf("%+v", list[2])
	}
	if q, ok := list[3].(emv.AskOnline); !ok || q.HasPIN {
		t.Errorf("%+v", list[3])
	}
}
