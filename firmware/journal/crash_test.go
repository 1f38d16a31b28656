package journal

import (
	"strings"
	"testing"

	"swipewell/ui/prompt"
)

// A stack that the runtime printed: no argument and no register of it is kept, and it is bounded.
func TestCrashed(t *testing.T) {
	stack := "goroutine 7 [running]:\nmain.block({0x26, 0x4f, 0x2, 0x11, 0x9a, ...}, 0xc000012345)\n\t/src/pin.go:12 +0x1d\n" +
		"swipewell/keys.(*Slot).Open(0xc0000a, {0x12345678, 0x10})\n\t/src/slot.go:9 +0x2\nmain.f(...)\nrax    0x4111111111111111\nrip    0x1\ncreated by main.main in goroutine 1\n" +
		strings.Repeat("main.deep(0x1)\n\t/src/deep.go:1\n", 2000)
	j := testOpen(t, Opts{})
	j.Crashed(prompt.LogCrash, "panic: pan 4111111111111111", stack)
	es, err := j.Query(Filter{})
	if err != nil || len(es) != 1 {
		t.Fatal(es, err)
	}
	got := es[0].Get("stack").(string)
	for _, secret := range []string{"0x26", "0x4f", "0x12345678", "rax", "0xc0000", "0x4111"} {
		if strings.Contains(got, secret) {
			t.Errorf("%q is in the stack", secret)
		}
	}
	for _, want := range []string{"main.block(...)", "/src/pin.go:12 +0x1d", "swipewell/keys.(*Slot).Open(...)", "main.f(...)", "goroutine 7 [running]:", "created by main.main"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in the stack:\n%.500s", want, got)
		}
	}
	if len(got) > 12<<10 || es[0].Msg != "panic: pan ********" {
		t.Errorf("%d bytes, %q", len(got), es[0].Msg)
	}
}
