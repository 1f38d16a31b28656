package care

// Lessons of the training mode.
const (
	LessonSale      = iota // amount, card, check, slip
	LessonRepeat           // the same card again: look at the first payment
	LessonUnknown          // no answer: wait for the reversal
	LessonRefund           // a refund of a payment that was made
	LessonInterface        // a chip is inserted, not swiped
	Lessons
)

// Passed is the mark that passes a lesson.
const Passed = 80

var lessonKeys = [Lessons]string{"lesson.sale", "lesson.repeat", "lesson.unknown", "lesson.refund", "lesson.interface"}

// LessonKey is the name of a lesson among the texts.
func LessonKey(i int) string { return lessonKeys[min(max(i, 0), Lessons-1)] }

// Marks of a lesson: what it begins with, and what each slip costs.
type Marks struct {
	Misuse, Undos, Wrong int  // slips: wrong order or way in, given up, a wrong choice
	Done                 bool // it came to its end
}

// Points is the mark, 0..100.
func (m Marks) Points() int {
	if !m.Done {
		return 0
	}
	return max(100-10*m.Misuse-5*m.Undos-30*m.Wrong, 0)
}

// TrainPage lists the lessons, and what the operator has passed this week.
func (r *Records) TrainPage(op uint8, wall int64) (page []Line) {
	page = append(page, say("train.safe"))
	t := r.Week(op, wall)
	for i := range Lessons {
		mark := "-"
		if t.Lessons[i] > 0 {
			mark = num(t.Lessons[i])
		}
		page = append(page, say("train.row", num(i+1), "@"+lessonKeys[i], mark))
	}
	return append(page, say("train.keys"))
}
