package console

import (
	"strings"
	"testing"
)

// What is said before a YMODEM session is read by the sender, too: a C or a G in it
// would be taken for the receiver's, and every answer would then be one block late,
// so that sb takes a refused bundle for a good one. YM §4.
func TestFlashTextAsksForNothing(t *testing.T) {
	for _, text := range words["flash-ready"] {
		if strings.ContainsAny(text, "CG\x06\x15\x18") {
			t.Errorf("%q has a byte that YMODEM's sender takes for an answer", text)
		}
	}
}
