package schedule_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"brazier.sh/brazier/internal/schedule"
)

func at(t *testing.T, zone, text string) time.Time {
	t.Helper()
	where, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	moment, err := time.ParseInLocation("2006-01-02 15:04:05", text, where)
	if err != nil {
		t.Fatal(err)
	}
	return moment
}

func TestNext(t *testing.T) {
	tests := map[string]struct{ reason, expression, zone, after, want string }{
		"Daily": {
			reason:     "The plainest there is.",
			expression: "30 2 * * *", zone: "UTC", after: "2026-06-01 12:00:00", want: "2026-06-02T02:30:00Z",
		},
		"NotAgain": {
			reason:     "What was due now is not due again.",
			expression: "30 2 * * *", zone: "UTC", after: "2026-06-01 02:30:00", want: "2026-06-02T02:30:00Z",
		},
		"ClockForward": {
			reason:     "There is no half past two in that night; the day is not left out for it.",
			expression: "30 2 * * *", zone: "Europe/Berlin", after: "2026-03-28 12:00:00", want: "2026-03-29T03:00:00+02:00",
		},
		"AfterClockForward": {
			reason:     "It was due already.",
			expression: "30 2 * * *", zone: "Europe/Berlin", after: "2026-03-29 03:00:00", want: "2026-03-30T02:30:00+02:00",
		},
		"ClockBack": {
			reason:     "The first of two is as good as any.",
			expression: "30 2 * * *", zone: "Europe/Berlin", after: "2026-10-24 12:00:00", want: "2026-10-25T02:30:00+02:00",
		},
		"HourlyWhenClockBack": {
			reason:     "Every hour is every sixty minutes, whatever the clock shows.",
			expression: "30 * * * *", zone: "Europe/Berlin", after: "2026-10-25 01:45:00", want: "2026-10-25T02:30:00+02:00",
		},
		"Weekday": {
			reason:     "Cron's names of days.",
			expression: "0 9 * * MON-FRI", zone: "America/New_York", after: "2026-11-20 10:00:00", want: "2026-11-23T09:00:00-05:00",
		},
		"Every": {
			reason:     "An interval counts from the last time.",
			expression: "@every 90m", zone: "UTC", after: "2026-06-01 12:00:07", want: "2026-06-01T13:30:07Z",
		},
		"LeapDay": {
			reason:     "It may take years.",
			expression: "0 0 29 2 *", zone: "UTC", after: "2026-06-01 12:00:00", want: "2028-02-29T00:00:00Z",
		},
		"Never": {
			reason:     "Or for ever.",
			expression: "0 0 30 2 *", zone: "UTC", after: "2026-06-01 12:00:00", want: "0001-01-01T00:00:00Z",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s, err := schedule.Parse(tt.expression, tt.zone)
			if err != nil {
				t.Fatal(err)
			}
			got := s.Next(at(t, tt.zone, tt.after)).Format(time.RFC3339)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

// TestYear follows schedules through a year, in zones whose clocks are put by an hour, by half of one, the other way
// round in the year, or for a month of fasting, and looks at each second at which they were due.
func TestYear(t *testing.T) {
	zones := []string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "America/St_Johns"}
	for _, zone := range zones {
		t.Run(zone, func(t *testing.T) {
			for _, hour := range []string{"0", "1", "2", "3", "23"} {
				days(t, zone, "15 "+hour+" * * *")
			}
			steady(t, zone, "*/30 * * * *", 30*time.Minute)
			steady(t, zone, "@every 7m", 7*time.Minute)
		})
	}
}

// days wants exactly one time on each day of the year.
func days(t *testing.T, zone, expression string) {
	t.Helper()
	s, err := schedule.Parse(expression, zone)
	if err != nil {
		t.Fatal(err)
	}
	day := at(t, zone, "2026-01-01 12:00:00")
	now := at(t, zone, "2026-01-01 00:00:00").Add(-time.Second)
	for range 365 {
		now = s.Next(now)
		if got, want := now.Format(time.DateOnly), day.Format(time.DateOnly); got != want || now.Nanosecond() != 0 {
			t.Fatalf("%s: due at %s, want a time on %s", expression, now, want)
		}
		day = day.AddDate(0, 0, 1)
	}
}

// steady wants the times of a year to be as far apart as they should.
func steady(t *testing.T, zone, expression string, apart time.Duration) {
	t.Helper()
	s, err := schedule.Parse(expression, zone)
	if err != nil {
		t.Fatal(err)
	}
	end := at(t, zone, "2027-01-01 00:00:00")
	for now := s.Next(at(t, zone, "2026-01-01 00:00:00")); now.Before(end); {
		next := s.Next(now)
		if next.Sub(now) != apart {
			t.Fatalf("%s: due at %s and then at %s, want them %s apart", expression, now, next, apart)
		}
		now = next
	}
}

func TestParseRefuses(t *testing.T) {
	tests := map[string]struct{ reason, expression, zone, want string }{
		"Fields":  {"Six are another cron's.", "0 30 2 * * *", "UTC", "write for example"},
		"Words":   {"There is no such name.", "@fortnightly", "UTC", `"@fortnightly"`},
		"Zone":    {"Nor such a zone.", "@daily", "Mars/Olympus", "write a name such as Europe/Berlin"},
		"InThere": {"One place for the zone.", "TZ=UTC 0 0 * * *", "UTC", "use the field for that"},
		"Empty":   {"Nothing is not a schedule.", "", "UTC", "write for example"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := schedule.Parse(tt.expression, tt.zone); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s\nwant %q in the error, got %v", tt.reason, tt.want, err)
			}
		})
	}
}

// FuzzNext makes sure that whatever is taken for a schedule is due after, and never hangs.
func FuzzNext(f *testing.F) {
	f.Add("30 2 * * *", "Europe/Berlin", int64(1774746000))
	f.Add("@every 1s", "UTC", int64(0))
	f.Add("*/7 1-5 29 2 0", "Australia/Lord_Howe", int64(1e9))
	f.Fuzz(func(t *testing.T, expression, zone string, unix int64) {
		s, err := schedule.Parse(expression, zone)
		if err != nil {
			return
		}
		after := time.Unix(unix%4e9, 0)
		if next := s.Next(after); !next.IsZero() && !next.After(after) {
			t.Errorf("%q in %q: due at %s, which is not after %s", expression, zone, next, after)
		}
	})
}
