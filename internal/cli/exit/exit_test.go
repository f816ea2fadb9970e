package exit_test

import (
	"errors"
	"fmt"
	"testing"

	"brazier.sh/brazier/internal/cli/exit"
)

func TestOf(t *testing.T) {
	cause := errors.New("the flag is wrong")
	tests := map[string]struct {
		reason     string
		err        error
		want       exit.Code
		wantSilent bool
	}{
		"Nil":     {reason: "No error is success.", err: nil, want: exit.Success},
		"Plain":   {reason: "An error without a code is a failure that is printed.", err: cause, want: exit.Failure},
		"Code":    {reason: "A bare code is a job's own and has been explained.", err: exit.Code(52), want: 52, wantSilent: true},
		"Zero":    {reason: "A bare zero ends well.", err: exit.Code(0), want: exit.Success, wantSilent: true},
		"Wrapped": {reason: "A code in a wrapped error counts and its words are printed.", err: fmt.Errorf("job: %w", exit.Code(7)), want: 7},
		"With":    {reason: "An error may bring its code along.", err: exit.With(exit.Usage, cause), want: exit.Usage},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := exit.Of(tt.err); got != tt.want {
				t.Errorf("%s\nOf: got %d, want %d", tt.reason, got, tt.want)
			}
			if got := exit.Silent(tt.err); got != tt.wantSilent {
				t.Errorf("%s\nSilent: got %t, want %t", tt.reason, got, tt.wantSilent)
			}
		})
	}
	if err := exit.With(exit.Usage, cause); !errors.Is(err, cause) || err.Error() != cause.Error() {
		t.Errorf("With must keep the cause and its words, got %v", err)
	}
	if err := exit.With(exit.Usage, nil); err != nil {
		t.Errorf("With of nil must be nil, got %v", err)
	}
}
