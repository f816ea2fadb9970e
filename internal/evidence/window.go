package evidence

import "brazier.sh/brazier/api/brazier/v1alpha1"

// window keeps the first passages and the last ones, each within half of its room.
type window struct {
	half        int
	first, last []*passage
	// used are the bytes of either; full says that the first ones are settled.
	usedFirst, usedLast int
	full                bool
	dropped             int64
}

func (w *window) add(p *passage) {
	if !w.full && w.usedFirst+p.size <= w.half {
		w.first = append(w.first, p)
		w.usedFirst += p.size
		return
	}
	w.full = true
	w.last = append(w.last, p)
	w.usedLast += p.size
	for w.usedLast > w.half && len(w.last) > 1 {
		w.usedLast -= w.last[0].size
		w.dropped += int64(len(w.last[0].lines))
		w.last = w.last[1:]
	}
}

func (w *window) all() []v1alpha1.LogLine {
	var lines []v1alpha1.LogLine
	for _, passages := range [][]*passage{w.first, w.last} {
		for _, p := range passages {
			lines = append(lines, p.lines...)
		}
	}
	return lines
}

// tail keeps the last lines.
type tail struct {
	bytes, lines int
	kept         []v1alpha1.LogLine
	used         int
}

func (t *tail) add(line v1alpha1.LogLine) {
	t.kept = append(t.kept, line)
	t.used += size(line)
	for (len(t.kept) > t.lines || t.used > t.bytes) && len(t.kept) > 1 {
		t.used -= size(t.kept[0])
		t.kept = t.kept[1:]
	}
}

// size is how much room a line takes in a record.
func size(line v1alpha1.LogLine) int {
	const around = 60 // its number, its time and the names of its fields
	return min(len(line.Text), maxLine) + around
}
