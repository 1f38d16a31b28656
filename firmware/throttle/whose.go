package throttle

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Count notes a wrong PIN of a person.
func (d Desk) Count(who int) Desk {
	d.Wrong++
	n := d.wrongs()
	n[who]++
	d.Whose = whose(n)
	return d
}

// Forgive takes back the wrong PINs of a person who has keyed the right one. Those
// of others stay: one's own PIN must not buy tries at another's.
func (d Desk) Forgive(who int) Desk {
	n := d.wrongs()
	d.Wrong = max(d.Wrong-n[who], 0)
	delete(n, who)
	d.Whose = whose(n)
	return d
}

func (d Desk) wrongs() map[int]int {
	m := map[int]int{}
	for f := range strings.FieldsSeq(d.Whose) {
		a, b, _ := strings.Cut(f, ":")
		who, err1 := strconv.Atoi(a)
		n, err2 := strconv.Atoi(b)
		if err1 == nil && err2 == nil && n > 0 {
			m[who] += n
		}
	}
	return m
}

// whose is at most as long as there are tries before the desk closes.
func whose(m map[int]int) string {
	var parts []string
	for who := range m {
		parts = append(parts, fmt.Sprintf("%d:%d", who, m[who]))
	}
	slices.Sort(parts)
	return strings.Join(parts, " ")
}
