package update

import "testing"

// TestPendingOutlivesARestart: a build that waits for its first start is not called back because the running one
// was started again without the loader, as after a crash.
func TestPendingOutlivesARestart(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		w.boots(t, A, Settled)
		w.install(t, A, 2)
		for range 2 {
			s, image, err := w.at(A).Started()
			if err != nil || s != Settled || image.Version != version(1) {
				t.Fatalf("%v %v %v", s, image.Version, err)
			}
		}
		w.boots(t, B, Trying)
	})
}
