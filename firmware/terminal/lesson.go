package terminal

import (
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"swipewell/firmware/card"
	"swipewell/firmware/care"
	"swipewell/firmware/journal"
	"swipewell/firmware/throttle"
	"swipewell/firmware/txn"
	"swipewell/hal"
	"swipewell/ui/prompt"
)

// Lesson is a training session: who learns what, and how it went.
type Lesson struct {
	N      int // of care's lessons
	Op     uint8
	Lang   string
	Marks  care.Marks
	Ended  bool // it is the word of a session that has ended
	Points int
}

// lesson is what a training terminal keeps of it.
type lesson struct {
	Lesson
	sales int  // payments that went through
	asked bool // the question about a repeat was on the screen
	held  bool // a payment had no answer
	over  bool // the marks are given
}

// disguise puts a card of the test range in the place of the one that was drawn:
// no real number gets into a training store. The same card stays the same card
// within one session, and nobody can tell which it was.
func (t *Terminal) disguise(t2 card.Track2) (card.Track2, error) {
	var sum [32]byte
	var err error
	t2.Reveal(func(track []byte) {
		sum, err = card.TrainTag(t.mac, track)
	})
	t2.Wipe()
	if err != nil {
		return card.Track2{}, err
	}
	body := fmt.Sprintf("622588%09d", binary.BigEndian.Uint32(sum[:])%1_000_000_000)
	for d := range 10 {
		raw := []byte(body + string(rune('0'+d)) + "=49125010000000000")
		p, err := card.ParsePAN(raw[:16])
		if err == nil && p.LuhnOK() {
			return card.ParseTrack2(hal.NewSecret(raw))
		}
	}
	return card.Track2{}, card.ErrTrack // one of ten digits always fits
}

// lessonHint says on the ready screen what is to be done.
func (t *Terminal) lessonHint() txn.Cause {
	if l := t.lesson; l != nil && !l.over {
		return txn.Cause{Code: prompt.HintLesson, Args: prompt.Args{N: l.N + 1, Field: t.word(care.LessonKey(l.N) + ".do")}}
	}
	return txn.Cause{}
}

// lessonStep follows one step of a training terminal.
func (t *Terminal) lessonStep(before txn.State) {
	l := t.lesson
	if l == nil || l.over {
		return
	}
	now := t.state
	code, was := string(now.Code), string(before.Code)
	if code != was {
		switch {
		case strings.HasPrefix(code, "A-SAL"):
			l.sales++
			if l.N == care.LessonRepeat && l.asked {
				l.Marks.Wrong++ // a second payment for what was paid
			}
		case now.Phase == txn.Choosing:
			l.asked = true
		case now.Code == prompt.UnknownNoAnswer:
			l.held = true
		case now.Code == prompt.Gated && l.N == care.LessonUnknown:
			l.Marks.Wrong++ // the card was swiped again while its fate was open
		case now.Code == prompt.Cancelled && before.Phase != txn.Choosing && before.Phase != txn.Stopped:
			l.Marks.Undos++
		}
	}
	done := false
	switch l.N {
	case care.LessonSale:
		done = l.sales > 0
	case care.LessonRepeat:
		done = l.asked && before.Phase == txn.Choosing && now.Phase != txn.Choosing || l.asked && l.sales > 1 || now.Code == prompt.RuleDupNow
	case care.LessonUnknown:
		done = l.held && now.Code == prompt.Reversed
	case care.LessonRefund:
		done = now.Code == prompt.RefundDone
	case care.LessonInterface:
		done = l.sales > 0
	}
	if !done {
		return
	}
	l.over, l.Marks.Done, l.Ended = true, true, true
	l.Points = l.Marks.Points()
	t.endLesson()
}

// endLesson goes back to the terminal that sells.
func (t *Terminal) endLesson() {
	l := t.lesson.Lesson
	l.Ended, l.Lang = true, t.state.Durable.Lang
	t.clock.AfterFunc(lessonLook, func() {
		t.post(func() {
			if t.o.Care.Train != nil {
				t.o.Care.Train(l)
			}
		})
	})
}

// lessonLook is how long the last screen of a lesson stays.
const lessonLook = 3 * time.Second

// trained notes what a lesson came to, in the terminal that sells.
func (t *Terminal) trained(l Lesson) {
	if !l.Marks.Done {
		return
	}
	t.noteSoft(throttle.Event{At: t.state.Moment(t.now().Logical).At, Wall: t.wall(), What: throttle.Train, Op: l.Op, N: uint16(l.Points), RC: throttle.RC{byte('0' + l.N), ' '}})
	t.seal("seal.train", fmt.Sprintf("%d %d", l.N+1, l.Points), l.Op)
	t.o.Journal.Record(journal.Event{Code: prompt.LogTrain, Source: "care", Fields: []journal.Field{journal.Count("lesson", l.N+1), journal.Count("operator", int(l.Op)),
		journal.Count("points", l.Points), journal.Count("misuse", l.Marks.Misuse), journal.Count("undos", l.Marks.Undos), journal.Count("wrong", l.Marks.Wrong)}})
	t.care.told = txn.Cause{Code: prompt.HintTrained, Args: prompt.Args{N: l.Points, Field: t.word(care.LessonKey(l.N))}}
}
