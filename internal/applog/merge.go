package applog

import (
	"context"
	"sync"
)

// Merge reads what there is of many logs, and of those that were kept, and gives their lines as one, in the order of time;
// within a log the order is the log's own. Each cursor is left where its log ends. failed learns of logs that cannot be
// read; the others are.
func (r Reader) Merge(ctx context.Context, sources []Source, kept []Kept, bounds Bounds, cursors []*Cursor, take func(Line), failed func(Source, error)) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	lines := make([]chan Line, len(sources), len(sources)+len(kept))
	errs := make([]error, len(sources))
	for _, log := range kept {
		lines = append(lines, channelOf(bounds.Bound(log.Lines)))
	}
	var readers sync.WaitGroup
	for i, source := range sources {
		lines[i] = make(chan Line, 256)
		readers.Go(func() {
			defer close(lines[i])
			errs[i] = r.Copy(ctx, source, bounds, false, cursors[i], func(line Line) {
				select {
				case lines[i] <- line:
				case <-ctx.Done():
				}
			})
		})
	}
	merge(lines, take)
	readers.Wait()
	for i, err := range errs {
		if err != nil && ctx.Err() == nil {
			failed(sources[i], err)
		}
	}
}

func channelOf(lines []Line) chan Line {
	channel := make(chan Line, len(lines))
	for _, line := range lines {
		channel <- line
	}
	close(channel)
	return channel
}

// merge gives the lines of sorted channels in the order of time, until all are closed.
func merge(lines []chan Line, take func(Line)) {
	heads := make([]*Line, len(lines))
	open := make([]bool, len(lines))
	next := func(i int) {
		line, ok := <-lines[i]
		if heads[i], open[i] = nil, ok; ok {
			heads[i] = &line
		}
	}
	for i := range lines {
		next(i)
	}
	for {
		first := -1
		for i, head := range heads {
			if open[i] && (first < 0 || head.At.Before(heads[first].At)) {
				first = i
			}
		}
		if first < 0 {
			return
		}
		take(*heads[first])
		next(first)
	}
}
