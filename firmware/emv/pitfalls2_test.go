package emv_test

import (
	"swipewell/firmware/emv"
	"swipewell/firmware/emv/replay"
	"swipewell/firmware/sim/card"
)

const (
	debitAID = "A000000333010101"
	otherAID = "A00000033301010199"
)

func noPSE(p *card.Profile) { p.PSE = false }

// second gives the card a further application, which cannot be paid with.
func second(aid, priority string) func(*card.Profile) {
	return func(p *card.Profile) {
		p.More = append(p.More, card.App{AID: aid, Label: "SECOND", Priority: priority})
	}
}

func apps(rows ...replay.App) func(*replay.File) {
	return func(f *replay.File) { f.Apps = rows }
}

func partial(aid string) replay.App { return replay.App{AID: unhex(aid), ASI: "partial"} }
func exact(aid string) replay.App   { return replay.App{AID: unhex(aid)} }

func choose(i ...int) func(*replay.File) { return func(f *replay.File) { f.Choose = i } }

// 5. Selection. B1 §12.
var selectCases = []pitfall{
	{name: "list-of-aids", p: noPSE, out: "approved-online", cands: []string{debitAID}, sent: []string{"00A4040008A00000033301010200"}},
	{name: "partial-and-next", p: both(noPSE, second(otherAID, "02")), f: all(apps(partial("A000000333")), choose(0)), out: "approved-online", cands: []string{debitAID, otherAID}, sent: []string{"00A4040205A000000333"}},
	{name: "partial-not-allowed", p: both(noPSE, second(otherAID, "02")), f: apps(exact("A000000333"), exact(debitAID)), out: "approved-online", cands: []string{debitAID}, unsent: []string{"00A40402"}},
	{name: "overlapping-aids", f: apps(partial("A000000333"), exact(debitAID)), out: "approved-online", cands: []string{debitAID}, tags: map[string]string{"9F06": debitAID}},
	{name: "overlapping-aids-without-pse", p: noPSE, f: apps(partial("A000000333"), exact(debitAID)), out: "approved-online", cands: []string{debitAID}},
	{name: "card-blocked", p: fault(card.Fault{On: "SELECT", Nth: 1, SW: "6A81"}), out: "terminated/card-blocked"},
	{name: "card-blocked-in-the-list", p: both(noPSE, fault(card.Fault{On: "SELECT", Nth: 2, SW: "6A81"})), out: "terminated/card-blocked"},
	{name: "card-blocked-at-last", p: fault(card.Fault{On: "SELECT", Nth: 2, SW: "6A81"}), out: "terminated/card-blocked"},
	{name: "application-blocked", p: both(noPSE, fault(card.Fault{On: "SELECT", Nth: 2, Answer: "6F128408A000000333010101A50650044445424D6283"})), out: "terminated/no-application"},
	{name: "pse-blocked", p: fault(card.Fault{On: "SELECT", Nth: 1, SW: "6283"}), out: "approved-online"},
	{name: "pse-fci-bad", p: fault(card.Fault{On: "SELECT", Nth: 1, Answer: "6F028400" + "9000"}), out: "approved-online"},
	{name: "pse-sfi-11", p: fault(card.Fault{On: "SELECT", Nth: 1, Answer: "6F15840E315041592E5359532E4444463031A50388010B9000"}), out: "approved-online", unsent: []string{"00B2015C"}},
	{name: "directory-status", p: fault(card.Fault{On: "READ RECORD", Nth: 1, SW: "6D00"}), out: "approved-online", sent: []string{"00A4040008A00000033301010200"}},
	{name: "directory-garbage", p: fault(card.Fault{On: "READ RECORD", Nth: 1, Answer: "70039F9000"}), out: "approved-online"},
	{name: "directory-without-end", p: func(p *card.Profile) {
		for i := 1; i <= 40; i++ {
			p.Faults = append(p.Faults, card.Fault{On: "READ RECORD", Nth: i, Answer: "701061" + "0E" + "4F08A0000003330101015002" + "4142" + "9000"})
		}
	}, out: "terminated/card-data", unsent: []string{"00B2210C"}},
	{name: "confirm-the-only-one", p: func(p *card.Profile) { p.Priority = "81" }, f: choose(0), out: "approved-online"},
	{name: "confirm-refused", p: func(p *card.Profile) { p.Priority = "81" }, f: choose(1), out: "terminated/cancelled"},
	{name: "confirm-impossible", p: func(p *card.Profile) { p.Priority = "81" }, f: func(f *replay.File) { f.CannotChoose = true }, out: "terminated/no-application"},
	{name: "priority-decides", p: func(p *card.Profile) {
		p.Priority = "02"
		p.More = []card.App{{AID: otherAID, Label: "SECOND", Priority: "00"}, {AID: "A00000033301010188", Label: "THIRD", Priority: "83"}}
	}, f: all(apps(partial("A000000333")), func(f *replay.File) { f.CannotChoose = true }), out: "approved-online", cands: []string{debitAID, "A00000033301010188", otherAID}},
	{name: "gpo-6985-and-another", p: second(otherAID, "01"), f: all(apps(partial("A000000333")), choose(1)), out: "approved-online", cands: []string{debitAID}, tags: map[string]string{"84": debitAID}},
	{name: "gpo-6985-and-nothing-left", p: fault(card.Fault{On: "GPO", SW: "6985"}), out: "terminated/no-application"},
	{name: "gpo-other-status", p: fault(card.Fault{On: "GPO", SW: "6A81"}), out: "terminated/card-status"},
	{name: "final-select-of-another-name", p: fault(card.Fault{On: "SELECT", Nth: 2, Answer: "6F118408A000000333010102A505500344454" + "29000"}), out: "terminated/no-application"},
	{name: "final-select-status", p: fault(card.Fault{On: "SELECT", Nth: 2, SW: "6A82"}), out: "terminated/no-application"},
	{name: "nothing-in-common", f: apps(exact("A0000000031010")), out: "terminated/no-application"},
	{name: "mute", p: fault(card.Fault{On: "SELECT", Mute: true}), out: "terminated/card-lost"},
}

// 6. T=0: the same sale over every way of splitting an exchange. ISO/IEC 7816-3 §10.3.
var t0Cases = []pitfall{
	{name: "plain", t0: "plain", out: "approved-online", tvr: "0000000000"},
	{name: "exact-lengths-6c", t0: "exact", out: "approved-online", tvr: "0000000000"},
	{name: "byte-by-byte", t0: "bytes", out: "approved-online", tvr: "0000000000"},
	{name: "waits", t0: "waits", out: "approved-online", tvr: "0000000000"},
	{name: "answers-in-chunks-61", t0: "chunks", out: "approved-online", tvr: "0000000000"},
	{name: "warning-then-data", t0: "warning", p: noPSE, out: "terminated/no-application"},
	{name: "signature-of-248-bytes", card: "credit", t0: "plain", f: amount(100000), out: "approved-online", tvr: "0000008000", sign: true},
	{name: "error-instead-of-a-procedure-byte", t0: "plain", p: fault(card.Fault{On: "GPO", SW: "6985"}), out: "terminated/no-application"},
}

func offlineOnly(f *replay.File) { f.Config["9F35"] = unhex("23") }

func velocity(lower, upper string, atc, last int) func(*card.Profile) {
	return func(p *card.Profile) { p.Lower, p.Upper, p.ATC, p.LastOnline = lower, upper, atc, last }
}

func random(b string) func(*replay.File) {
	return func(f *replay.File) { f.Random[1] = unhex(b) }
}

func noIAC(p *card.Profile) { p.IACDefault, p.IACDenial, p.IACOnline = "", "", "" }

// 7. Risk management and action analysis. B3 §10.6, §10.7.
var riskCases = []pitfall{
	{name: "floor-reached", f: amount(10000), out: "approved-online", tvr: "0000008000", sent: []string{"80AE8000"}},
	{name: "floor-not-reached", f: amount(9999), out: "approved-online", tvr: "0000000000", sent: []string{"80AE4000"}},
	{name: "floor-with-the-log", f: func(f *replay.File) { f.Log = 8766 }, out: "approved-online", tvr: "0000008000"},
	{name: "floor-just-under-with-the-log", f: func(f *replay.File) { f.Log = 8765 }, out: "approved-online", tvr: "0000000000"},
	{name: "floor-unknown", f: config("9F1B", "-"), out: "approved-online", tvr: "0000008000"},
	{name: "exception-file", f: func(f *replay.File) { f.Exception = true }, out: "approved-online", tvr: "1000000000", sent: []string{"80AE8000"}},
	{name: "forced-online", f: func(f *replay.File) { f.ForceOnline = true }, out: "approved-online", tvr: "0000000800", sent: []string{"80AE8000"}},
	{name: "random-below-threshold", f: all(config("DF15", "00002000", "DF16", "50", "DF17", "20"), random("13")), out: "approved-online", tvr: "0000001000", sent: []string{"80AE8000"}},
	{name: "random-missed", f: all(config("DF15", "00002000", "DF16", "50", "DF17", "20"), random("14")), out: "approved-online", tvr: "0000000000"},
	{name: "biased-hit", f: all(config("DF15", "000003E8", "DF16", "99", "DF17", "00"), random("01")), out: "approved-online", tvr: "0000001000"},
	{name: "biased-missed", f: all(config("DF15", "000003E8", "DF16", "99", "DF17", "00"), random("02")), out: "approved-online", tvr: "0000000000"},
	{name: "random-not-offline-only", f: all(offlineOnly, config("DF15", "00002000", "DF16", "99", "DF17", "99"), random("00")), out: "approved-offline", tvr: "0000000000", tags: map[string]string{"8A": "5933"}},
	{name: "lower-limit", p: velocity("01", "05", 9, 5), out: "approved-online", tvr: "0000004000"},
	{name: "upper-limit", p: velocity("01", "04", 9, 5), out: "approved-online", tvr: "0000006000"},
	{name: "within-limits", p: velocity("05", "06", 9, 5), out: "approved-online", tvr: "0000000000"},
	{name: "counter-not-grown", p: velocity("05", "06", 9, 10), out: "approved-online", tvr: "0000006000"},
	{name: "counters-missing", p: both(velocity("05", "06", 9, 5), list("1F00"), fault(card.Fault{On: "GET DATA", SW: "6A88"})), out: "approved-online", tvr: "0000006000"},
	{name: "new-card", p: velocity("05", "06", 0, 0), out: "approved-online", tvr: "0008000000"},
	{name: "one-limit-is-none", p: velocity("01", "", 9, 5), out: "approved-online", tvr: "0000000000", unsent: []string{"80CA9F36"}},
	{name: "no-risk-in-aip", p: func(p *card.Profile) { p.AIP = "7400" }, f: amount(100000), out: "approved-online", tvr: "0000000000", tsi: "F000"},
	{name: "risk-always", p: func(p *card.Profile) { p.AIP = "7400" }, f: all(amount(100000), func(f *replay.File) { f.RiskAlways = true }), out: "approved-online", tvr: "0000008000", tsi: "F800"},
	{name: "denial-before-online", p: func(p *card.Profile) { p.IACDenial = "0010008000" }, f: amount(10000), out: "declined-offline", tvr: "0000008000", tags: map[string]string{"8A": "5A31"}, sent: []string{"80AE0000"}},
	{name: "denial-of-the-terminal", f: all(config("DF13", "0010008000"), amount(10000)), out: "declined-offline", tvr: "0000008000"},
	{name: "iac-absent", p: both(noIAC, list("46001F00")), out: "approved-online", tvr: "0000400000", sent: []string{"80AE8000"}},
	{name: "iac-absent-denial-is-zero", p: both(noIAC, list("0600")), f: config("DF13", "-"), out: "approved-online", tvr: "0000C00000"},
	{name: "no-codes-at-all", p: noIAC, f: config("DF11", "-", "DF12", "-", "DF13", "-"), out: "approved-online", tvr: "0000000000", sent: []string{"80AE4000"}},
	{name: "online-only", f: config("9F35", "21"), out: "approved-online", tvr: "0000000000", sent: []string{"80AE8000"}},
	{name: "online-only-unable", f: config("9F35", "21"), host: neverSent, out: "declined-offline", tvr: "0000000000", tags: map[string]string{"8A": "5A33"}},
	{name: "unable-approved", host: neverSent, out: "approved-offline", tvr: "0000000000", tags: map[string]string{"8A": "5933"}},
	{name: "unable-declined", f: amount(10000), host: neverSent, out: "declined-offline", tvr: "0000008000", tags: map[string]string{"8A": "5A33"}},
	{name: "unable-card-declines", p: func(p *card.Profile) { p.Answer2 = "AAC" }, host: neverSent, out: "declined-offline", tags: map[string]string{"8A": "5A33"}},
	{name: "offline-only-default-declines", f: all(offlineOnly, amount(10000)), out: "declined-offline", tvr: "0000008000", tags: map[string]string{"8A": "5A31"}, sent: []string{"80AE0000"}},
}

func withoutProof(h *replay.Host, _ card.Profile, _ emv.State) { h.AuthData = nil }

func wrongProof(h *replay.Host, _ card.Profile, _ emv.State) { h.AuthData[0] ^= 1 }

func needIssuer(p *card.Profile) { p.NeedIssuer = true }

func throughCDOL(p *card.Profile) { p.AIP = "7800" }

// 8. The issuer's answer and the second cryptogram. B3 §10.9, §10.11.
var onlineCases = []pitfall{
	{name: "proof-by-command", p: needIssuer, out: "approved-online", tsi: "F800", sent: []string{"008200000A"}},
	{name: "proof-by-cdol2", p: both(needIssuer, throughCDOL), out: "approved-online", tsi: "E800", unsent: []string{"00820000"}},
	{name: "proof-wrong", host: issuer(approve).with(wrongProof), out: "approved-online", tvr: "0000000040", tsi: "F800", sent: []string{"0000000040"}},
	{name: "proof-wrong-card-refuses", p: needIssuer, host: issuer(approve).with(wrongProof), out: "refused", tvr: "0000000040", rev: "06"},
	{name: "proof-wrong-in-cdol2", p: both(needIssuer, throughCDOL), host: issuer(approve).with(wrongProof), out: "refused", tvr: "0000000000", rev: "06"},
	{name: "no-proof", host: issuer(approve).with(withoutProof), out: "approved-online", tvr: "0000000000", tsi: "E800", unsent: []string{"00820000"}},
	{name: "proof-too-short", host: issuer(approve).with(func(h *replay.Host, _ card.Profile, _ emv.State) { h.AuthData = h.AuthData[:7] }), out: "approved-online", tvr: "0000000040", unsent: []string{"00820000"}},
	{name: "proof-of-sixteen-bytes", host: issuer(approve).with(func(h *replay.Host, _ card.Profile, _ emv.State) { h.AuthData = append(h.AuthData, 0, 0, 0, 0, 0, 0) }), out: "approved-online", tvr: "0000000040", sent: []string{"0082000010"}},
	{name: "proof-of-seventeen-bytes", host: issuer(approve).with(func(h *replay.Host, _ card.Profile, _ emv.State) {
		h.AuthData = append(h.AuthData, 0, 0, 0, 0, 0, 0, 0)
	}), out: "approved-online", tvr: "0000000040", unsent: []string{"00820000"}},
	{name: "declined", host: decline, out: "declined-online", tags: map[string]string{"8A": "3531"}, sent: []string{"80AE0000"}},
	{name: "declined-and-card-errs", p: fault(card.Fault{On: "GENERATE AC", Nth: 2, SW: "6F00"}), host: decline, out: "declined-online/card-status"},
	{name: "declined-and-card-says-tc", p: func(p *card.Profile) { p.Answer2 = "TC" }, host: decline, out: "declined-online/bad-cryptogram"},
	{name: "second-is-arqc", p: func(p *card.Profile) { p.Answer2 = "ARQC" }, out: "refused/bad-cryptogram", rev: "06"},
	{name: "second-is-reserved", p: func(p *card.Profile) { p.Answer2 = "RFU" }, out: "refused/bad-cryptogram", rev: "06"},
	{name: "second-is-aac", p: func(p *card.Profile) { p.Answer2 = "AAC" }, out: "refused", rev: "06"},
	{name: "first-stronger-than-asked", p: func(p *card.Profile) { p.Answer1 = "TC" }, f: amount(10000), out: "terminated/bad-cryptogram"},
	{name: "first-is-reserved", p: func(p *card.Profile) { p.Answer1 = "RFU" }, out: "terminated/bad-cryptogram"},
	{name: "second-status-after-approval", p: fault(card.Fault{On: "GENERATE AC", Nth: 2, SW: "6985"}), out: "refused/card-status", rev: "06"},
	{name: "withdrawn-after-approval", p: fault(card.Fault{On: "GENERATE AC", Nth: 2, Mute: true}), out: "refused/card-lost", rev: "06"},
	{name: "withdrawn-at-proof", p: fault(card.Fault{On: "EXTERNAL", Mute: true}), out: "refused/card-lost", rev: "06"},
	{name: "no-answer", host: noAnswer, out: "unknown", rev: "98", tags: map[string]string{"8A": "5A33"}, sent: []string{"80AE0000"}},
	{name: "no-answer-and-no-default-code", p: func(p *card.Profile) { p.IACDefault = "0000000000" }, f: config("DF11", "0000000000"), host: noAnswer, out: "unknown", rev: "98", sent: []string{"80AE0000"}},
	{name: "no-answer-and-card-says-tc", p: func(p *card.Profile) { p.Answer2 = "TC" }, host: noAnswer, out: "unknown/bad-cryptogram", rev: "98"},
	{name: "no-answer-and-card-gone", p: fault(card.Fault{On: "GENERATE AC", Nth: 2, Mute: true}), host: noAnswer, out: "unknown/card-lost", rev: "98"},
}

// script is an issuer's answer with templates before and after the last cryptogram.
func script(before, after func(card.Issuer, card.Profile, []byte) []replay.Hex) issuer {
	return issuer(approve).with(func(h *replay.Host, p card.Profile, s emv.State) {
		i, arqc := card.IssuerOf(p), value(s, 0x9F26)
		if before != nil {
			for _, x := range before(i, p, arqc) {
				h.Before = append(h.Before, upper(x))
			}
		}
		if after != nil {
			for _, x := range after(i, p, arqc) {
				h.After = append(h.After, upper(x))
			}
		}
	})
}

type templates = func(card.Issuer, card.Profile, []byte) []replay.Hex

// unblock is a PIN unblock; bad spoils its MAC.
func unblock(tag, id string, bad bool) templates {
	return func(i card.Issuer, p card.Profile, arqc []byte) []replay.Hex {
		c := i.Command(p.PAN, p.PSN, arqc, 0x24, 0, 0, nil)
		if bad {
			c[len(c)-1] ^= 1
		}
		return []replay.Hex{card.Script(tag, unhex(id), c)}
	}
}

// three are commands of which the second has a wrong MAC.
func three(tag string) templates {
	return func(i card.Issuer, p card.Profile, arqc []byte) []replay.Hex {
		ok := i.Command(p.PAN, p.PSN, arqc, 0x24, 0, 0, nil)
		bad := append([]byte(nil), ok...)
		bad[len(bad)-1] ^= 1
		return []replay.Hex{card.Script(tag, unhex("00000009"), ok, bad, i.Command(p.PAN, p.PSN, arqc, 0x1E, 0, 0, nil))}
	}
}

func raw(s ...string) templates {
	return func(card.Issuer, card.Profile, []byte) []replay.Hex {
		var out []replay.Hex
		for _, x := range s {
			out = append(out, unhex(x))
		}
		return out
	}
}

func and(a, b templates) templates {
	return func(i card.Issuer, p card.Profile, arqc []byte) []replay.Hex {
		return append(a(i, p, arqc), b(i, p, arqc)...)
	}
}

// 9. Issuer scripts. B3 §10.10, B4 Annex A5.
var scriptCases = []pitfall{
	{name: "before-done", host: script(unblock("71", "00000001", false), nil), out: "approved-online", tvr: "0000000000", tsi: "FC00", tags: map[string]string{"9F5B": "2000000001"}},
	{name: "before-failed", host: script(unblock("71", "00000001", true), nil), out: "approved-online", tvr: "0000000020", tsi: "FC00", tags: map[string]string{"9F5B": "1100000001"}},
	{name: "after-done", host: script(nil, unblock("72", "00000002", false)), out: "approved-online", tvr: "0000000000", tsi: "FC00", tags: map[string]string{"9F5B": "2000000002"}},
	{name: "after-failed", host: script(nil, unblock("72", "00000002", true)), out: "approved-online", tvr: "0000000010", tsi: "FC00", tags: map[string]string{"9F5B": "1100000002"}},
	{name: "both-and-repeated", host: script(and(unblock("71", "00000001", false), unblock("71", "00000003", true)), and(unblock("72", "00000002", false), unblock("72", "00000004", true))),
		out: "approved-online", tvr: "0000000030", tags: map[string]string{"9F5B": "20000000011100000003" + "20000000021100000004"}},
	{name: "second-command-fails", host: script(three("71"), nil), out: "approved-online", tvr: "0000000020", tags: map[string]string{"9F5B": "1200000009"}, unsent: []string{"841E0000"}},
	{name: "warnings-go-on", p: fault(card.Fault{On: "SCRIPT", SW: "6200"}), host: script(three("71"), nil), out: "approved-online", tvr: "0000000000", tags: map[string]string{"9F5B": "2000000009"}, sent: []string{"841E0000"}},
	{name: "warning-63-goes-on", p: fault(card.Fault{On: "SCRIPT", SW: "63C1"}), host: script(nil, three("72")), out: "approved-online", tvr: "0000000000", tags: map[string]string{"9F5B": "2000000009"}},
	{name: "no-identifier", host: script(unblock("71", "", false), nil), out: "approved-online", tags: map[string]string{"9F5B": "2000000000"}},
	{name: "command-without-mac", host: script(raw("710786058424000000"), nil), out: "approved-online", tvr: "0000000020", tags: map[string]string{"9F5B": "1100000000"}},
	{name: "broken-tlv-inside", host: script(raw("7109"+"860584240000008605"), nil), out: "approved-online", tvr: "0000000020", tags: map[string]string{"9F5B": "1000000000"}, unsent: []string{"84240000"}},
	{name: "broken-template-after", host: script(nil, raw("7209"+"8605")), out: "approved-online", tvr: "0000000010", tags: map[string]string{"9F5B": "1000000000"}},
	{name: "command-too-short", host: script(raw("7105"+"8603842400"), nil), out: "approved-online", tvr: "0000000020", tags: map[string]string{"9F5B": "1000000000"}},
	{name: "identifier-of-three-bytes", host: script(raw("71069F1803000007"), nil), out: "approved-online", tvr: "0000000020", tags: map[string]string{"9F5B": "1000000000"}},
	{name: "command-of-four-bytes", host: script(raw("7106"+"860484240000"), nil), out: "approved-online", tvr: "0000000020", tags: map[string]string{"9F5B": "1100000000"}, sent: []string{"84240000"}},
	{name: "empty-script", host: script(raw("71069F180400000007"[:2]+"07"+"9F180400000007"), nil), out: "approved-online", tvr: "0000000000", tags: map[string]string{"9F5B": "2000000007"}},
	{name: "withdrawn-in-the-last-script", p: fault(card.Fault{On: "SCRIPT", Mute: true}), host: script(nil, and(unblock("72", "00000002", false), unblock("72", "00000004", false))), out: "approved-online", tvr: "0000000010"},
	{name: "withdrawn-in-the-first-script", p: fault(card.Fault{On: "SCRIPT", Mute: true}), host: script(unblock("71", "00000001", false), unblock("72", "00000002", false)), out: "refused/card-lost", rev: "06",
		tags: map[string]string{"9F5B": "0000000001" + "0000000002"}},
	{name: "block-with-a-decline", host: issuer(decline).with(func(h *replay.Host, p card.Profile, s emv.State) {
		i := card.IssuerOf(p)
		h.After = replay.Texts{upper(card.Script("72", unhex("00000005"), i.Command(p.PAN, p.PSN, value(s, 0x9F26), 0x1E, 0, 0, nil)))}
	}), out: "declined-online", tags: map[string]string{"9F5B": "2000000005"}},
}

func expiry(d string) func(*card.Profile) { return func(p *card.Profile) { p.Expiry = d } }

// 10. Errors and dates. B3 §7.2, §7.5, §10.4, B4 §6.7.3.
var errorCases = []pitfall{
	{name: "object-twice", p: wire("dup 5A"), out: "terminated/card-data"},
	{name: "pan-missing", p: set("5A", "!-"), out: "terminated/card-data"},
	{name: "expiry-missing", p: set("5F24", "!-"), out: "terminated/card-data"},
	{name: "cdol1-missing", p: set("8C", "-"), out: "terminated/card-data"},
	{name: "cdol2-missing", p: set("8D", "-"), out: "terminated/card-data"},
	{name: "expiry-of-two-bytes", p: set("5F24", "4912"), out: "terminated/card-data"},
	{name: "expiry-month-13", p: expiry("491331"), out: "terminated/card-data"},
	{name: "pan-of-letters", p: set("5A", "62258A0000009000011F"), out: "terminated/card-data"},
	{name: "afl-bad", p: func(p *card.Profile) { p.AFL = "08020100" }, out: "terminated/card-data"},
	{name: "afl-empty", p: fault(card.Fault{On: "GPO", Answer: "80027C009000"}), out: "terminated/card-data"},
	{name: "record-missing", p: func(p *card.Profile) { p.AFL = "0801020010010201180107 00" }, out: "terminated/card-status"},
	{name: "record-with-tail", p: fault(card.Fault{On: "READ RECORD", Nth: 3, Answer: "70055F2002414200" + "9000"}), out: "terminated/card-data"},
	{name: "record-of-another-template", p: fault(card.Fault{On: "READ RECORD", Nth: 3, Answer: "71055F20024142" + "9000"}), out: "terminated/card-data"},
	{name: "cid-of-two-bytes", p: fault(card.Fault{On: "GENERATE AC", Nth: 1, Answer: "77169F270280009F360200019F26081122334455667788" + "9000"}), out: "terminated/card-data"},
	{name: "ac-of-seven-bytes", p: fault(card.Fault{On: "GENERATE AC", Nth: 1, Answer: "77149F2701809F360200019F260711223344556677" + "9000"}), out: "terminated/card-data"},
	{name: "answer-too-short", p: fault(card.Fault{On: "GENERATE AC", Nth: 1, Answer: "800A80000111223344556677" + "9000"}), out: "terminated/card-data"},
	{name: "cryptogram-status", p: fault(card.Fault{On: "GENERATE AC", Nth: 1, SW: "6985"}), out: "terminated/card-status"},
	{name: "withdrawn-at-cryptogram", p: fault(card.Fault{On: "GENERATE AC", Nth: 1, Mute: true}), out: "terminated/card-lost"},
	{name: "last-day-is-valid", p: expiry("261126"), out: "approved-online", tvr: "0000000000"},
	{name: "day-after", p: expiry("261125"), out: "approved-online", tvr: "0040000000"},
	{name: "year-49-is-2049", p: expiry("491231"), out: "approved-online", tvr: "0000000000"},
	{name: "year-50-is-1950", p: expiry("501231"), out: "approved-online", tvr: "0040000000"},
	{name: "not-yet-effective", p: func(p *card.Profile) { p.Effective = "261127" }, out: "approved-online", tvr: "0020000000"},
	{name: "effective-today", p: func(p *card.Profile) { p.Effective = "261126" }, out: "approved-online", tvr: "0000000000"},
	{name: "other-version", p: func(p *card.Profile) { p.Version = "0031" }, out: "approved-online", tvr: "0080000000"},
	{name: "version-absent", p: func(p *card.Profile) { p.Version = "" }, out: "approved-online", tvr: "0000000000"},
	{name: "service-not-allowed", p: func(p *card.Profile) { p.AUC = "0000" }, out: "declined-offline", tvr: "0010000000"},
	{name: "abroad-not-allowed", p: func(p *card.Profile) { p.AUC, p.Country = "A900", "0840" }, out: "declined-offline", tvr: "0010000000"},
	{name: "cashback-not-allowed", p: func(p *card.Profile) { p.AUC = "FF00" }, f: config("9F03", "000000000100"), out: "declined-offline", tvr: "0010000000"},
	{name: "refund-elsewhere", p: both(list("1F00"), func(p *card.Profile) { p.AUC = "0100" }), f: config("9C", "20"), out: "approved-online", tvr: "0000000000"},
	{name: "issuer-country-absent", p: both(func(p *card.Profile) { p.AUC = "0100" }, set("5F28", "-")), out: "approved-online", tvr: "0000000000"},
	{name: "atm-only-card", p: func(p *card.Profile) { p.AUC = "FEC0" }, out: "declined-offline", tvr: "0010000000"},
	{name: "cash-at-home", p: both(list("1F00"), func(p *card.Profile) { p.AUC = "8100" }), f: config("9C", "01"), out: "approved-online", tvr: "0000000000"},
	{name: "atm", p: both(list("1F00"), func(p *card.Profile) { p.AUC = "8200" }), f: config("9C", "01", "9F35", "14"), out: "approved-online", tvr: "0000000000"},
}
