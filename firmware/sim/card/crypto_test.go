package card

import "testing"

func key(s string) Key { var k Key; copy(k[:], unhex(s)); return k }

func kcv(k Key, n int) string { return hexOf(k.tdes(make([]byte, 8))[:n]) }

const imk = "0123456789ABCDEFFEDCBA9876543210"

// TestPublished: values that others published (the tests of pyemv), so that card
// and issuer are proven by something that is neither kernel nor card.
func TestPublished(t *testing.T) {
	aabb := key("AAAAAAAAAAAAAAAABBBBBBBBBBBBBBBB")
	r := func(s string) []byte { return unhex(s) }
	values := func(m map[string]string) map[string][]byte {
		v := map[string][]byte{}
		for t, s := range m {
			v[t] = unhex(s)
		}
		return v
	}
	smiB := SessionKey(MasterKeyA(key(imk), "1234567890123456", "01"), r("ABCDEF1234567890"))
	smc := SessionKey(MasterKeyA(key("11111111111111112222222222222222"), "1234567890123456", "01"), r("ABCDEF1234567890"))
	enc := ScriptEncipher(smc, r("249999FFFFFFFFFF"))
	forced := MasterKeyB(key(imk), "000000000000000005", "23")
	forcedSK := SessionKey(forced, r("001C000000000000"))
	chainMK := MasterKeyA(key(imk), "1234567890123456", "00")
	chainSK := ACKey("18", chainMK, r("001C"))
	chainARQC := Cryptogram("18", chainSK, values(map[string]string{
		"9F02": "000000004000", "9F03": "000000000000", "9F1A": "0124", "95": "8000048000", "5F2A": "0124", "9A": "191105", "9C": "01", "9F37": "52BF4585",
	}), r("1800"), r("001C"), r("06011203A0B800"))
	unblock := MasterKeyA(key("FEDCBA98765432100123456789ABCDEF"), "1234567890123456", "00")
	for _, c := range []struct{ name, got, want string }{
		{"IMK KCV", kcv(key(imk), 3), "08D7B4"},
		{"MK-A", func() string { k := MasterKeyA(key(imk), "99012345678901234", "45"); return hexOf(k[:]) }(), "67F8292358083E5EA7AB7FDA58D53B6B"},
		{"MK-A 17 digits", func() string { k := MasterKeyA(key(imk), "12345678901234567", "01"); return hexOf(k[:]) }(), "73AD54688CEF2934B0979857E3C719F1"},
		{"MK-B 17 digits", func() string { k := MasterKeyB(key(imk), "12345678901234567", "01"); return hexOf(k[:]) }(), "AD406D7F6D7570916D75E5DCAB8CF737"},
		{"MK-B letters", kcv(forced, 2), "DD73"},
		{"MK-B letters, session", kcv(forcedSK, 2), "04F8"},
		{"session key", func() string { k := SessionKey(key(imk), r("001C000000000000")); return hexOf(k[:]) }(), "E9FB384AF807B940FEDCEA613461B0C4"},
		{"AC", hexOf(MAC(aabb, r("000000002000000000000000012400000080000124110309003804823E58000001"), 2)), "3B76CF10FECD8789"},
		{"ARPC method 1", hexOf(ARPC1(aabb, r("1234567890ABCDEF"), [2]byte{0, 0})), "F5E6F44147E2F1B0"},
		{"ARPC method 2", hexOf(ARPC2(aabb, r("1234567890ABCDEF"), r("00000000"), nil)), "9308BEBC"},
		{"ARPC method 2 with data", hexOf(ARPC2(forcedSK, r("8CAD6F2489C640B1"), r("00000000"), r("12345678"))), "E39F1876"},
		{"chain MK", kcv(chainMK, 2), "BAB0"},
		{"chain SK", kcv(chainSK, 2), "22C8"},
		{"chain ARQC, version 18", hexOf(chainARQC), "7A788EA6B8A3E733"},
		{"chain ARPC", hexOf(ARPC2(chainSK, chainARQC, r("00000000"), nil)), "9AF514C1"},
		{"script MAC", hexOf(ScriptMAC(smiB, r("8424000008"), nil, nil)), "CF323F09A0F6AB9E"},
		{"PIN change, data", hexOf(enc), "28367E05DE3381C29D30A6055A8DEB86"},
		{"PIN change, MAC", hexOf(ScriptMAC(smiB, r("8424000210"), nil, enc)), "69DA1EE208823022"},
		{"unblock, session key by ARQC", hexOf(ScriptMAC(SessionKey(unblock, chainARQC), r("8418000008"), append(r("001C"), chainARQC...), nil)), "A4805748F846D851"},
		{"unblock, session key by ATC", hexOf(ScriptMAC(SessionKeyVisaScript(unblock, r("001C")), r("8418000008"), append(r("001C"), chainARQC...), nil)), "04EDE90BC24CC35E"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", c.name, c.got, c.want)
		}
	}
	if back := scriptDecipher(smc, enc); hexOf(back) != "249999FFFFFFFFFF" {
		t.Errorf("%X", back)
	}
}
