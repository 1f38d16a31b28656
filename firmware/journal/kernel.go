package journal

import (
	"log/slog"

	"swipewell/firmware/journal/kmsg"
	"swipewell/ui/prompt"
)

// Kernel takes the messages of one life of the kernel into the journal, each once.
type Kernel struct {
	j    *Journal
	boot string // the beginning of the kernel's boot id
	next uint64 // the first message that is not in the journal
	lost uint64 // of the kernel's, since the last entry: written over before they were read
}

// Kernel goes on behind the last message of this life of the kernel that the journal has:
// a start of the program finds the kernel's ring as it was.
func (j *Journal) Kernel(bootID string) (*Kernel, error) {
	k := &Kernel{j: j, boot: clip(word(bootID), 8)}
	es, err := j.Query(Filter{Code: prompt.LogKernel, Last: 1})
	for _, e := range es {
		if n, ok := e.Get("kseq").(int64); ok && e.Get("kernel") == k.boot {
			k.next = uint64(n) + 1
		}
	}
	return k, err
}

// Take keeps a message. Its text passes the sieve: a program may have written it. What is
// for those who debug a kernel is left out.
func (k *Kernel) Take(m kmsg.Message) {
	if k.j == nil || m.Seq < k.next {
		return
	}
	if k.next > 0 {
		k.lost += m.Seq - k.next
	}
	if k.next = m.Seq + 1; m.Level < slog.LevelInfo {
		return
	}
	e := Entry{Level: m.Level.String(), Code: prompt.LogKernel, Source: "kernel", Msg: clip(Sieve(m.Text), kmsg.MaxText),
		Fields: []Pair{{Key: "kernel", Value: k.boot}, {Key: "kseq", Value: int64(min(m.Seq, 1<<62))}, {Key: "at", Value: m.At.String()}}}
	if m.User {
		e.Source = "kernel.user"
	}
	if k.lost > 0 {
		e.Fields = append(e.Fields, Pair{Key: "lost", Value: int64(min(k.lost, 1<<62))})
	}
	k.lost = 0
	k.j.add(e)
}
