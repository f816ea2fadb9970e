package evidence

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// MaxLog is how much of a log is read. Kubelet begins a new file at 10 MiB where it is not told otherwise, and gives the
// last one.
const MaxLog = 32 << 20

// Room is how much of a log is kept, in bytes of text. The zero value is DriverLog.
type Room struct {
	// Strong is for passages that tell of an error, Mild for warnings. Of either the first and the last are kept.
	Strong, Mild int
	// Tail is for the last lines, of which there are no more than TailLines.
	Tail, TailLines int
}

// DriverLog is the room of a driver's log, ExecutorLog of an executor's, of which there may be several.
func DriverLog() Room { return Room{Strong: 40 << 10, Mild: 8 << 10, Tail: 12 << 10, TailLines: 60} }

// ExecutorLog is the room of an executor's log.
func ExecutorLog() Room { return Room{Strong: 8 << 10, Mild: 2 << 10, Tail: 4 << 10, TailLines: 30} }

const (
	// longest is how much of a line is looked at, so that one of JSON is read as a whole.
	longest = 16 << 10
	// readable is how much of the text of a line is searched for secrets, of which maxLine are kept.
	readable = 4 * maxLine
)

// ScanLog reads a container's log, as Kubernetes gives it with timestamps or without, and returns of it what tells of
// trouble, in the order in which it was said, and the last lines. of says whose log it is.
func ScanLog(log io.Reader, of v1alpha1.Log, room Room) v1alpha1.Log {
	if room == (Room{}) {
		room = DriverLog()
	}
	s := newScanner(room)
	limited := &io.LimitedReader{R: log, N: MaxLog}
	lines := bufio.NewReaderSize(limited, longest)
	err := readLines(lines, s.line)
	s.end()

	of.Total, of.Lines, of.Dropped = s.number, s.kept(), s.strong.dropped+s.mild.dropped
	switch {
	case err != nil:
		of.Missing = say(fmt.Sprintf("the log breaks off after line %d: %v", s.number, err), maxLine)
	case limited.N <= 0:
		of.Missing = fmt.Sprintf("the log goes on after its first %d MiB", MaxLog>>20)
	}
	return of
}

// readLines calls line with each line, of which it leaves away what is too long to be looked at.
func readLines(r *bufio.Reader, line func(text string, whole bool)) error {
	for {
		text, err := r.ReadSlice('\n')
		whole := !errors.Is(err, bufio.ErrBufferFull)
		if len(text) > 0 {
			line(strings.TrimRight(string(text), "\r\n"), whole)
		}
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = r.ReadSlice('\n')
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// scanner is where ScanLog is in a log.
type scanner struct {
	room   Room
	number int64
	// open is the passage that the next line may belong to, which reader knows.
	open   *passage
	reader passageReader
	// inKey says that the line is one of a private key.
	inKey bool

	strong, mild window
	tail         tail
	seen         map[string]*repeats
}

func newScanner(room Room) *scanner {
	return &scanner{
		room: room, strong: window{half: room.Strong / 2}, mild: window{half: room.Mild / 2},
		tail: tail{bytes: room.Tail, lines: room.TailLines}, seen: make(map[string]*repeats),
	}
}

func (s *scanner) line(text string, whole bool) {
	s.number++
	at, text := stamp(text)
	text = s.withoutKeys(plain(text))
	if !whole {
		text = cutWord(text, len(text)-1)
	}
	lines, grade := classify(text)
	for i, text := range lines {
		line := v1alpha1.LogLine{Number: s.number, At: at, Text: cutWord(text, readable)}
		s.tail.add(line)
		if i > 0 {
			s.follow(line)
			continue
		}
		s.first(line, grade)
	}
}

// first takes in a line that may begin a passage.
func (s *scanner) first(line v1alpha1.LogLine, grade grade) {
	if s.open != nil && s.reader.goesOn(s.open, line, grade) {
		return
	}
	s.end()
	if grade == nothing {
		return
	}
	s.open = &passage{grade: grade}
	s.open.add(line)
	s.reader = newPassageReader(line.Text)
}

// follow takes in a line that was said together with the one before it.
func (s *scanner) follow(line v1alpha1.LogLine) {
	if s.open != nil {
		s.reader.goesOn(s.open, line, nothing)
	}
}

// end puts the passage away that is open.
func (s *scanner) end() {
	if s.open == nil {
		return
	}
	done := s.open
	s.open = nil
	key := done.key()
	known := s.seen[key]
	if known == nil && len(s.seen) < maxKinds {
		known = &repeats{first: done}
		s.seen[key] = known
	}
	if known != nil {
		if known.count++; known.count > keptOfKind {
			return
		}
	}
	if done.grade == strong {
		s.strong.add(done)
	} else {
		s.mild.add(done)
	}
}

const (
	// maxKinds is of how many kinds of passages it is remembered that there was one.
	maxKinds = 1000
	// keptOfKind is how many passages are kept that differ in numbers only.
	keptOfKind = 3
)

// repeats counts passages of a kind.
type repeats struct {
	first *passage
	count int64
}

// kept returns the lines that are kept, without secrets.
func (s *scanner) kept() []v1alpha1.LogLine {
	for _, known := range s.seen {
		if known.count > keptOfKind {
			known.first.lines[0].Count = known.count
		}
	}
	lines := slices.Concat(s.strong.all(), s.mild.all())
	have := make(map[int64]bool, len(lines))
	for _, line := range lines {
		have[line.Number] = true
	}
	for _, line := range s.tail.kept {
		if !have[line.Number] {
			lines = append(lines, line)
		}
	}
	slices.SortStableFunc(lines, func(a, b v1alpha1.LogLine) int { return int(a.Number - b.Number) })
	for i := range lines {
		lines[i].Text = cut(Redact(lines[i].Text), maxLine)
	}
	return lines
}

// withoutKeys blots out the lines of a private key, which do not tell by themselves what they are.
func (s *scanner) withoutKeys(text string) string {
	begin, end := strings.Contains(text, "PRIVATE KEY") && strings.Contains(text, "-----BEGIN"), strings.Contains(text, "-----END")
	switch {
	case begin && !end:
		s.inKey = true
		return text // Redact knows it
	case s.inKey && (end || !keyText(text)):
		s.inKey = false
		if end {
			return Blot
		}
	case s.inKey:
		return Blot
	}
	return text
}

// keyText reports whether text can be a line of a private key: base64 or one of its headers.
func keyText(text string) bool {
	text = strings.TrimSpace(text)
	return !strings.Contains(text, " ") || strings.HasPrefix(text, "Proc-Type:") || strings.HasPrefix(text, "DEK-Info:")
}

// stamp takes the time off a line that kubelet has put there.
func stamp(text string) (*metav1.MicroTime, string) {
	before, after, ok := strings.Cut(text, " ")
	if !ok && len(before) < len("2006-01-02T15:04:05Z") || len(before) > len(time.RFC3339Nano) || strings.Count(before, ":") < 2 {
		return nil, text
	}
	at, err := time.Parse(time.RFC3339Nano, before)
	if err != nil {
		return nil, text
	}
	return new(metav1.NewMicroTime(at.UTC())), after
}

// cutWord shortens text to limit bytes and leaves away the word that it cuts: what is left of it may not look like the
// secret that it is the beginning of.
func cutWord(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	text = text[:max(0, limit)]
	return text[:max(0, strings.LastIndexAny(text, " \t,;&"))] + cutMark
}

// cutLine cuts text after its first line.
func cutLine(text string) (first, rest string, ok bool) { return strings.Cut(text, "\n") }
