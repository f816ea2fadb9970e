package invoices

import "time"

// The shop's year. It is fixed: a file that depended on today's date could not be checked against anything.
const shopYear = 2025

// Opening hours, in seconds of the day.
const (
	opens  = 7 * 3600
	closes = 20 * 3600
)

// Trade by month and by weekday (from Sunday), 100 being an ordinary one.
var (
	monthTrade   = [12]int64{72, 70, 85, 88, 96, 90, 80, 78, 112, 128, 165, 140}
	weekdayTrade = [7]int64{30, 100, 104, 106, 112, 95, 60}
)

// hourTrade is the trade of each hour between opening and closing.
var hourTrade = [13]int64{2, 5, 8, 11, 12, 14, 12, 10, 9, 7, 5, 3, 2}

type day struct {
	date   string // 2025-01-31
	month  int    // 0 is January
	weight int64
}

type year struct {
	days   []day
	weight int64
}

// newYear lays out the trade of every day: seasons, weekdays, a fifth more business from January to December, and days
// on which the shop is closed.
func newYear() year {
	var y year
	for date := time.Date(shopYear, time.January, 1, 0, 0, 0, 0, time.UTC); date.Year() == shopYear; date = date.AddDate(0, 0, 1) {
		d := day{date: date.Format(time.DateOnly), month: int(date.Month()) - 1}
		growth := 1000 + 200*int64(date.YearDay())/365
		d.weight = monthTrade[d.month] * weekdayTrade[date.Weekday()] * growth
		switch {
		case date.YearDay() == 1, date.Month() == time.December && (date.Day() == 25 || date.Day() == 26):
			d.weight = 0
		case date.Month() == time.December && date.Day() > 20:
			d.weight /= 4
		}
		y.days = append(y.days, d)
		y.weight += d.weight
	}
	return y
}

// openingSecond returns the second of the day at which done of the day's total lines have been sold. It never falls, so
// lines are written in the order of their time.
func openingSecond(done, total int64) int {
	var sum int64
	for _, trade := range hourTrade {
		sum += trade
	}
	left := done * sum * 3600 / total // in units of trade-seconds
	for hour, trade := range hourTrade {
		if left < trade*3600 {
			return opens + hour*3600 + int(left/trade)
		}
		left -= trade * 3600
	}
	return closes - 1
}
