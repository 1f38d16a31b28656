package role

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/crypto/argon2"
)

func TestHashAndVerify(t *testing.T) {
	h, err := Hash("2580")
	if err != nil {
		t.Fatal(err)
	}
	other, _ := Hash("2580")
	if h == other || strings.Contains(h, "2580$") {
		t.Error("no salt of its own")
	}
	if !Verify(h, []byte("2580")) || !Verify(other, []byte("2580")) {
		t.Error("the right PIN is refused")
	}
	for _, bad := range []string{"", "2581", "25800", "258"} {
		if Verify(h, []byte(bad)) {
			t.Errorf("%q passes", bad)
		}
	}
	for _, hash := range []string{"", "2580", "$argon2i$v=19$m=7168,t=5,p=1$AAAA$AAAA", strings.Replace(h, "m=7168", "m=9999999", 1), strings.Replace(h, "t=5", "t=99", 1), h[:len(h)-2]} {
		if Verify(hash, []byte("2580")) {
			t.Errorf("%.20s… passes", hash)
		}
	}
	sum := argon2.IDKey([]byte("2580"), []byte("abc"), passes, memory, threads, keyLen)
	if Verify(fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, memory, passes, threads, b64.EncodeToString([]byte("abc")), b64.EncodeToString(sum)), []byte("2580")) {
		t.Error("a salt of three bytes passes")
	}
	for _, pin := range []string{"", "123", "1234567890123", "12a4", "１２３４"} {
		if _, err := Hash(pin); !errors.Is(err, ErrPIN) {
			t.Errorf("%q: %v", pin, err)
		}
	}
}

func FuzzVerify(f *testing.F) {
	f.Add("$argon2id$v=19$m=7168,t=5,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "2580")
	f.Fuzz(func(t *testing.T, hash, pin string) {
		if len(hash) < 60 && Verify(hash, []byte(pin)) {
			t.Error("passes")
		}
	})
}
