package emv_test

import (
	"swipewell/firmware/emv"
	"swipewell/firmware/emv/replay"
	"swipewell/firmware/sim/card"
)

// 1. Bookkeeping of cardholder verification. B3 §10.5, B4 §6.3.4.5.
var cvmCases = []pitfall{
	{name: "unknown-code-then-next", p: list("46001F00"), out: "approved-online", tvr: "0000400000", cvm: "1F0002"},
	{name: "unknown-code-last", p: list("0600"), out: "approved-online", tvr: "0000C00000", cvm: "060001"},
	{name: "proprietary-code", p: list("60001F00"), out: "approved-online", tvr: "0000400000", cvm: "1F0002"},
	{name: "pin-without-pad", p: list("41001F00"), f: config("9F33", "E008C8"), out: "approved-online", tvr: "0000100000", cvm: "1F0002", unsent: []string{"80CA9F17"}},
	{name: "pad-broken", p: list("41001F00"), f: pins("broken"), out: "approved-online", tvr: "0000100000", cvm: "1F0002", unsent: []string{"00200080"}},
	{name: "bypass-stays", p: list("440042001E00"), f: pins("bypass"), out: "approved-online", tvr: "0000080000", cvm: "1E0000", sign: true, unsent: []string{"0020008"}},
	{name: "bypass-and-nothing-left", p: list("4400"), f: pins("bypass"), out: "approved-online", tvr: "0000880000", cvm: "440001"},
	{name: "try-counter-zero", p: both(list("440041001F00"), fault(card.Fault{On: "GET DATA", Answer: "9F1701009000"})), out: "approved-online", tvr: "0000200000", cvm: "1F0002", unsent: []string{"0020008"}},
	{name: "verify-6983", p: both(list("41001F00"), fault(card.Fault{On: "VERIFY", SW: "6983"})), out: "approved-online", tvr: "0000200000", cvm: "1F0002"},
	{name: "verify-6984", p: both(list("41001F00"), fault(card.Fault{On: "VERIFY", SW: "6984"})), out: "approved-online", tvr: "0000200000", cvm: "1F0002"},
	{name: "verify-unforeseen", p: both(list("41001F00"), fault(card.Fault{On: "VERIFY", SW: "6A80"})), out: "terminated/card-status", tvr: "0000000000"},
	{name: "wrong-to-the-end", p: list("41001F00"), f: pins("000000", "000001", "000002"), out: "approved-online", tvr: "0000200000", cvm: "1F0002"},
	{name: "wrong-twice-then-right", p: list("4400"), f: pins("000000", "000001", "123456"), out: "approved-online", tvr: "0000000000", cvm: "440002", tsi: "F800"},
	{name: "plain-right", p: list("0100"), out: "approved-online", tvr: "0000000000", cvm: "010002", sent: []string{"002000800826123456FFFFFFFF"}},
	{name: "own-pin-key", p: both(list("0400"), func(p *card.Profile) { p.PINKey = "pin-1152" }), out: "approved-online", tvr: "0000000000", cvm: "040002"},
	{name: "pin-and-signature", p: list("0500"), out: "approved-online", tvr: "0000000000", cvm: "050000", sign: true},
	{name: "plain-pin-and-signature", p: list("0300"), out: "approved-online", tvr: "0000000000", cvm: "030000", sign: true},
	{name: "online-pin", p: list("0200"), out: "approved-online", tvr: "0000040000", cvm: "020000", sent: []string{"80AE8000"}},
	{name: "signature", p: list("1E00"), out: "approved-online", tvr: "0000000000", cvm: "1E0000", sign: true},
	{name: "fail-and-stop", p: list("00001F00"), out: "approved-online", tvr: "0000800000", cvm: "000001"},
	{name: "nothing-applies", p: list("44030203"), f: config("9F33", "E000C8"), out: "approved-online", tvr: "0000800000", cvm: "3F0001"},
	{name: "unmet-is-skipped", p: list("00041F00"), out: "approved-online", tvr: "0000000000", cvm: "1F0002"},
	{name: "other-currency", p: func(p *card.Profile) { p.CVMList, p.Currency = "0000270F00000000"+"00061F00", "0840" }, out: "approved-online", tvr: "0000000000", cvm: "1F0002"},
	{name: "x-is-binary-equal", p: func(p *card.Profile) { p.CVMList = "000004D200000000" + "000600071F00" }, out: "approved-online", tvr: "0000000000", cvm: "1F0002"},
	{name: "x-is-binary-over", p: func(p *card.Profile) { p.CVMList = "000004D100000000" + "40061E071F00" }, out: "approved-online", tvr: "0000000000", cvm: "1E0700", sign: true},
	{name: "y-under", p: func(p *card.Profile) { p.CVMList = "00000000000004D3" + "1E081F00" }, out: "approved-online", tvr: "0000000000", cvm: "1E0800", sign: true},
	{name: "y-over", p: func(p *card.Profile) { p.CVMList = "00000000000004D1" + "1E091F00" }, out: "approved-online", tvr: "0000000000", cvm: "1E0900", sign: true},
	{name: "y-equal", p: func(p *card.Profile) { p.CVMList = "00000000000004D2" + "000800091F00" }, out: "approved-online", tvr: "0000000000", cvm: "1F0002"},
	{name: "y-in-another-currency", p: func(p *card.Profile) { p.CVMList, p.Currency = "00000000000004D3"+"00081F00", "0840" }, out: "approved-online", tvr: "0000000000", cvm: "1F0002"},
	{name: "y-over-in-another-currency", p: func(p *card.Profile) { p.CVMList, p.Currency = "000004D1000004D1"+"000900071F00", "0840" }, out: "approved-online", tvr: "0000000000", cvm: "1F0002"},
	{name: "no-application-currency", p: both(func(p *card.Profile) { p.CVMList = "000004D3000004D3" + "000600081F00" }, set("9F42", "-")), out: "approved-online", tvr: "0000000000", cvm: "1F0002"},
	{name: "manual-cash", p: list("1F021E04"), f: config("9C", "01"), out: "approved-online", tvr: "0000000000", cvm: "1E0400", sign: true},
	{name: "unattended-cash", p: list("1F020201"), f: config("9C", "01", "9F35", "24"), out: "approved-online", tvr: "0000040000", cvm: "020100"},
	{name: "cashback", p: list("1F021E05"), f: config("9C", "09", "9F03", "000000000100"), out: "approved-online", tvr: "0000000000", cvm: "1E0500", sign: true},
	{name: "not-cash", p: list("1E021F00"), out: "approved-online", tvr: "0000000000", cvm: "1E0200", sign: true},
	{name: "cashback-by-amount", p: list("1F021E05"), f: config("9F03", "000000000100"), out: "approved-online", tvr: "0000000000", cvm: "1E0500", sign: true},
	{name: "not-unattended-cash", p: list("1F011E00"), f: config("9C", "01"), out: "approved-online", tvr: "0000000000", cvm: "1E0000", sign: true},
	{name: "reserved-condition", p: list("000A00801F00"), out: "approved-online", tvr: "0000000000", cvm: "1F0002"},
	{name: "no-cvm-in-aip", p: func(p *card.Profile) { p.AIP = "6C00" }, out: "approved-online", tvr: "0000000000", cvm: "3F0000", tsi: "B800"},
	{name: "list-absent", p: set("8E", "-"), out: "approved-online", tvr: "2000000000", cvm: "3F0000"},
	{name: "list-without-rules", p: list(""), out: "approved-online", tvr: "0000000000", cvm: "3F0000", tsi: "B800"},
	{name: "list-odd", p: list("1F"), out: "terminated/card-data"},
	{name: "no-challenge", p: both(list("44001F00"), fault(card.Fault{On: "CHALLENGE", SW: "6A81"})), out: "approved-online", tvr: "0000000000", cvm: "1F0002", unsent: []string{"0020008"}},
	{name: "challenge-of-seven-bytes", p: both(list("44001F00"), fault(card.Fault{On: "CHALLENGE", Answer: "010203040506079000"})), out: "approved-online", tvr: "0000000000", cvm: "1F0002", unsent: []string{"0020008"}},
	{name: "try-counter-of-two-bytes", p: both(list("4400"), fault(card.Fault{On: "GET DATA", Answer: "9F170200009000"})), out: "approved-online", tvr: "0000000000", cvm: "440002"},
	{name: "try-counter-with-a-status", p: both(list("4400"), fault(card.Fault{On: "GET DATA", Answer: "9F1701006A88"})), out: "approved-online", tvr: "0000000000", cvm: "440002"},
	{name: "pin-key-broken", p: both(list("44001F00"), func(p *card.Profile) { p.PINKey = "pin-1152" }, wire("flip 9F2D")), out: "approved-online", tvr: "0000000000", cvm: "1F0002", unsent: []string{"80CA9F17"}},
	{name: "cancel", f: pins("cancel"), out: "terminated/cancelled"},
	{name: "nobody-enters", f: pins("timeout"), out: "terminated/timed-out"},
}

const tcUnsigned = "801240000111223344556677880601120390000" + "09000"

// 2. Corners of combined data authentication. B2 §6.6.
var cdaCases = []pitfall{
	{name: "tc-signed", card: "credit", out: "approved-offline", tvr: "0000000000", tsi: "E800", tags: map[string]string{"8A": "5931"}, sign: true, sent: []string{"80AE5000"}},
	{name: "arqc-and-tc-signed", card: "credit", f: amount(100000), out: "approved-online", tvr: "0000008000", tsi: "F800", sign: true, sent: []string{"80AE9000", "80AE5000"}},
	{name: "aac-unsigned-format-1", card: "credit", p: func(p *card.Profile) { p.Answer1, p.Format2 = "AAC", false }, out: "declined-offline", tvr: "8000000000", tsi: "6800", tags: map[string]string{"8A": "5A31"}},
	{name: "aac-unsigned-format-2", card: "credit", p: func(p *card.Profile) { p.Answer1 = "AAC" }, out: "declined-offline", tvr: "8000000000"},
	{name: "aac-signed", card: "credit", p: func(p *card.Profile) { p.Answer1, p.SignAAC = "AAC", true }, out: "declined-offline", tvr: "0000000000", tsi: "E800"},
	{name: "key-fails-before", card: "credit", p: wire("flip 9F46"), out: "approved-online", tvr: "0400000000", sign: true, sent: []string{"80AE8000", "80AE4000"}, unsent: []string{"80AE9000", "80AE5000"}},
	{name: "icc-key-missing", card: "credit", p: wire("drop 9F46"), out: "approved-online", tvr: "2400000000", sign: true},
	{name: "bad-signature-on-arqc", card: "credit", p: fault(card.Fault{On: "GENERATE AC", Nth: 1, Flip: 60}), f: amount(100000), out: "declined-offline/bad-signature", tvr: "0400008000", sent: []string{"80AE0000"}},
	{name: "bad-signature-on-tc", card: "credit", p: fault(card.Fault{On: "GENERATE AC", Nth: 1, Flip: 60}), out: "declined-offline/bad-signature", tvr: "0400000000", tags: map[string]string{"8A": "5A31"}, unsent: []string{"80AE0000"}},
	{name: "bad-signature-on-second", card: "credit", p: fault(card.Fault{On: "GENERATE AC", Nth: 2, Flip: 60}), f: amount(100000), out: "refused/bad-signature", tvr: "0400008000", rev: "06"},
	{name: "cid-differs", card: "credit", p: fault(card.Fault{On: "GENERATE AC", Nth: 1, Flip: 7}), out: "declined-offline/bad-signature", tvr: "0400000000"},
	{name: "iad-altered", card: "credit", p: fault(card.Fault{On: "GENERATE AC", Nth: 1, Flip: -1}), out: "declined-offline/bad-signature", tvr: "0400000000"},
	{name: "tc-unsigned", card: "credit", p: fault(card.Fault{On: "GENERATE AC", Nth: 1, Answer: tcUnsigned}), out: "terminated/card-data"},
	{name: "second-tc-unsigned", card: "credit", p: fault(card.Fault{On: "GENERATE AC", Nth: 2, Answer: tcUnsigned}), f: amount(100000), out: "refused/card-data", rev: "06"},
	{name: "tvr-changes-between", card: "credit", f: amount(100000), host: issuer(approve).with(func(h *replay.Host, _ card.Profile, _ emv.State) { h.Before = replay.Texts{"71028600"} }),
		out: "approved-online", tvr: "0000008020", sign: true, sent: []string{"0000008020"}},
	{name: "no-capability-falls-to-dda", card: "credit", f: config("9F33", "E0F8C0"), out: "approved-offline", tvr: "0000000000", sign: true, sent: []string{"00880000", "80AE4000"}},
}

func revokeAs(rid, index, serial string) func(*replay.File) {
	return func(f *replay.File) {
		f.Revoked = []replay.Revoked{{RID: unhex(rid), Index: unhex(index), Serial: unhex(serial)}}
	}
}

// 3. Data and keys of offline authentication. B2 §5, §6.
var odaCases = []pitfall{
	{name: "sfi-11-whole", p: func(p *card.Profile) { p.Extra = "7004DF010101" }, out: "approved-online", tvr: "0000000000"},
	{name: "sfi-11-without-template", p: func(p *card.Profile) { p.Extra = "DF010101" }, out: "approved-online", tvr: "0800000000"},
	{name: "tag-list-more-than-82", p: set("9F4A", "825A"), out: "approved-online", tvr: "0800000000"},
	{name: "tag-list-absent", p: func(p *card.Profile) { p.TagList = false }, out: "approved-online", tvr: "0000000000"},
	{name: "icc-certificate-missing", p: wire("drop 9F46"), out: "approved-online", tvr: "2800000000"},
	{name: "issuer-certificate-missing", p: wire("drop 90"), out: "approved-online", tvr: "2800000000"},
	{name: "remainder-missing", p: wire("drop 92"), out: "approved-online", tvr: "0800000000"},
	{name: "revoked", f: revokeAs("A000000333", "C1", "000001"), out: "approved-online", tvr: "0800000000"},
	{name: "revoked-another-serial", f: revokeAs("A000000333", "C1", "000002"), out: "approved-online", tvr: "0000000000"},
	{name: "revoked-another-index", f: revokeAs("A000000333", "C2", "000001"), out: "approved-online", tvr: "0000000000"},
	{name: "revoked-another-scheme", f: revokeAs("A000000003", "C1", "000001"), out: "approved-online", tvr: "0000000000"},
	{name: "ca-key-expiry-unreadable", f: func(f *replay.File) { f.CAPK[0].Expiry = "2030-01" }, out: "approved-online", tvr: "0800000000"},
	{name: "ca-key-expiry-letters", f: func(f *replay.File) { f.CAPK[0].Expiry = "30A101" }, out: "approved-online", tvr: "0800000000"},
	{name: "ca-key-expired", f: func(f *replay.File) { f.CAPK[0].Expiry = "261125" }, out: "approved-online", tvr: "0800000000"},
	{name: "ca-key-last-day", f: func(f *replay.File) { f.CAPK[0].Expiry = "261126" }, out: "approved-online", tvr: "0000000000"},
	{name: "ca-key-unknown", f: func(f *replay.File) { f.CAPK = nil }, out: "approved-online", tvr: "0800000000"},
	{name: "iin-seven-digits", p: func(p *card.Profile) { p.IIN = "6225880" }, out: "approved-online", tvr: "0000000000"},
	{name: "iin-three-digits", p: func(p *card.Profile) { p.IIN = "622" }, out: "approved-online", tvr: "0000000000"},
	{name: "iin-eight-digits", p: func(p *card.Profile) { p.IIN = "62258800" }, out: "approved-online", tvr: "0000000000"},
	{name: "iin-two-digits", p: func(p *card.Profile) { p.IIN = "62" }, out: "approved-online", tvr: "0800000000"},
	{name: "iin-of-another", p: func(p *card.Profile) { p.IIN = "622589" }, out: "approved-online", tvr: "0800000000"},
	{name: "certificate-month-end", p: func(p *card.Profile) { p.CertExpiry = "1126" }, out: "approved-online", tvr: "0000000000"},
	{name: "certificate-over", p: func(p *card.Profile) { p.CertExpiry = "1026" }, out: "approved-online", tvr: "0800000000"},
	{name: "certificate-month-13", p: func(p *card.Profile) { p.CertExpiry = "1349" }, out: "approved-online", tvr: "0800000000"},
	{name: "hash-algorithm-2", p: func(p *card.Profile) { p.HashAlg = 2 }, out: "approved-online", tvr: "0800000000"},
	{name: "key-algorithm-2", p: func(p *card.Profile) { p.KeyAlg = 2 }, out: "approved-online", tvr: "0800000000"},
	{name: "e-65537", p: func(p *card.Profile) {
		p.CA, p.Issuer, p.ICC = "ca-1152-e65537", "issuer-1152-e65537", "icc-1024-e65537"
	}, out: "approved-online", tvr: "0000000000"},
	{name: "keys-of-512-bits", p: func(p *card.Profile) { p.CA, p.Issuer, p.ICC = "ca-512", "issuer-512", "icc-512" }, out: "approved-online", tvr: "0000000000"},
	{name: "keys-of-1984-bits", p: func(p *card.Profile) { p.CA, p.Issuer, p.ICC = "ca-1984", "issuer-1976", "icc-1408" }, out: "approved-online", tvr: "0000000000"},
	{name: "no-remainder", p: func(p *card.Profile) { p.ICC = "icc-1024-e65537" }, out: "approved-online", tvr: "0000000000"},
	{name: "even-pan", p: func(p *card.Profile) { p.PAN = "6225880000000127" }, out: "approved-online", tvr: "0000000000"},
	{name: "sda", p: func(p *card.Profile) { p.AIP = "5C00" }, out: "approved-online", tvr: "0200000000", tags: map[string]string{"9F45": "DAC0"}},
	{name: "sda-static-data-altered", p: both(func(p *card.Profile) { p.AIP = "5C00" }, wire("flip 5F28")), out: "approved-online", tvr: "4200000000"},
	{name: "sda-signature-missing", p: both(func(p *card.Profile) { p.AIP = "5C00" }, wire("drop 93")), out: "approved-online", tvr: "6200000000"},
	{name: "none-in-common", p: func(p *card.Profile) { p.AIP = "1C00" }, out: "approved-online", tvr: "8000000000", tsi: "7800"},
	{name: "dda-signature-bad", p: fault(card.Fault{On: "INTERNAL", Flip: 60}), out: "approved-online", tvr: "0800000000", tsi: "F800"},
	{name: "dda-status", p: fault(card.Fault{On: "INTERNAL", SW: "6985"}), out: "terminated/card-status", tvr: "0800000000", tsi: "8000"},
	{name: "ddol-without-un", p: func(p *card.Profile) { p.DDOL = "9A03" }, out: "approved-online", tvr: "0800000000", unsent: []string{"00880000"}},
	{name: "ddol-of-the-terminal", p: func(p *card.Profile) { p.DDOL = "" }, out: "approved-online", tvr: "0000000000", sent: []string{"00880000041011121300"}},
}

// 4. Filling of data object lists. B3 §5.4.
var dolCases = []pitfall{
	{name: "numeric-cut-on-the-left", p: func(p *card.Profile) { p.PDOL = "9F0203" }, out: "approved-online", sent: []string{"80A8000005830300123400"}},
	{name: "numeric-filled-on-the-left", p: func(p *card.Profile) { p.PDOL = "9F0208" }, out: "approved-online", sent: []string{"80A800000A8308000000000000123400"}},
	{name: "compressed-filled-with-f", p: func(p *card.Profile) { p.CDOL1 += "5A0C" }, out: "approved-online", sent: []string{"6225880000009000011FFFFF00"}},
	{name: "compressed-cut-on-the-right", p: func(p *card.Profile) { p.CDOL1 += "5A03" }, out: "approved-online", sent: []string{"12000062258800"}},
	{name: "text-filled-on-the-right", p: func(p *card.Profile) { p.PDOL = "9F1E0A" }, f: config("9F1E", "3132333435363738"), out: "approved-online", sent: []string{"80A800000C830A3132333435363738000000"}},
	{name: "binary-cut-on-the-right", p: func(p *card.Profile) { p.PDOL = "9F3302" }, out: "approved-online", sent: []string{"80A80000048302E0F800"}},
	{name: "unknown-and-constructed", p: func(p *card.Profile) { p.PDOL = "DF7F03BF0C049F3501" }, out: "approved-online", sent: []string{"80A800000A8308000000000000002200"}},
	{name: "proprietary-object-of-the-card", p: both(func(p *card.Profile) { p.CDOL1 += "DF0102DF0202" }, set("DF01", "CAFE")), out: "approved-online", sent: []string{"120000CAFE000000"}},
	{name: "length-zero", p: func(p *card.Profile) { p.PDOL = "9A009F3501" }, out: "approved-online", sent: []string{"80A8000003830122"}},
	{name: "no-pdol", p: func(p *card.Profile) { p.PDOL = "" }, out: "approved-online", sent: []string{"80A8000002830000"}},
	{name: "pdol-too-long", p: func(p *card.Profile) { p.PDOL = "9F02F09F03F0" }, out: "terminated/card-data"},
	{name: "pdol-broken", p: func(p *card.Profile) { p.PDOL = "9F02" }, out: "terminated/card-data"},
	{name: "pdol-long-length", p: func(p *card.Profile) { p.PDOL = "9F0290" }, out: "approved-online", sent: []string{"80A8000093838190"}},
	{name: "cdol1-too-long", p: func(p *card.Profile) { p.CDOL1 = "9F02F09F03F0" }, out: "terminated/card-data"},
	{name: "cdol2-too-long", p: func(p *card.Profile) { p.CDOL2 = "8A029F02F09F03F0" }, out: "refused/card-data", rev: "06"},
	{name: "other-amount-absent", f: config("9F03", "-"), out: "approved-online", sent: []string{"80AE400020000000001234000000000000"}},
	{name: "current-values", f: amount(10000), out: "approved-online", tvr: "0000008000", sent: []string{"01560000008000", "80AE4000293030"}},
	{name: "hash-with-own-tdol", p: func(p *card.Profile) { p.CDOL1 += "9814"; p.TDOL = "9F0206" }, out: "approved-online", tvr: "0000000000", tags: map[string]string{"98": "D63B4EDEA972C6DE8D985F106491C491A93C48F8"}},
	{name: "hash-with-default-tdol", p: func(p *card.Profile) { p.CDOL1 += "9814" }, out: "approved-online", tvr: "0000000080", tags: map[string]string{"98": "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709"}},
	{name: "card-cannot-speak-for-the-terminal", p: set("9F02", "000000000001"), out: "approved-online", sent: []string{"80AE400020000000001234"}},
}
