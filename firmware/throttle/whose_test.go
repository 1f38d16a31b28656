package throttle

import (
	"testing"

	"pgregory.net/rapid"
)

// The sum is that of the persons; forgiving one takes that one's alone.
func TestWhose(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var d Desk
		want := map[int]int{}
		for range rapid.IntRange(0, 30).Draw(r, "steps") {
			who := rapid.SampledFrom([]int{1, 2, 90, 99}).Draw(r, "who")
			if rapid.Bool().Draw(r, "right") {
				d = d.Forgive(who)
				delete(want, who)
			} else {
				d = d.Count(who)
				want[who]++
			}
			sum := 0
			for _, n := range want {
				sum += n
			}
			if d.Wrong != sum || len(d.wrongs()) != len(want) {
				r.Fatalf("%+v, want %v", d, want)
			}
		}
	})
	// A store of before has a sum without names.
	if d := (Desk{Wrong: 3}).Forgive(90); d.Wrong != 3 {
		t.Errorf("%+v", d)
	}
}
