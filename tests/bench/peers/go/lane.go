package main

import (
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

type delivery struct {
	record    *kgo.Record
	partition *partition
	body      []byte // made by the first attempt; the others send the same
	id        string
	attempt   int
	ended     bool // guarded by the partition's mutex
}

// A partition has its deliveries in the order of their offsets. What has ended is committed up to
// the first that has not.
type partition struct {
	mu      sync.Mutex
	pending []*delivery
	lost    bool // another worker has it
}

func (p *partition) add(d *delivery) {
	p.mu.Lock()
	p.pending = append(p.pending, d)
	p.mu.Unlock()
}

func (p *partition) lose() {
	p.mu.Lock()
	p.lost = true
	p.mu.Unlock()
}

// finish returns the record up to which all have ended, or nil where that is no further than before.
func (p *partition) finish(d *delivery) *kgo.Record {
	p.mu.Lock()
	defer p.mu.Unlock()
	// Only its offset is needed from now on.
	d.ended, d.body, d.record.Key, d.record.Value = true, nil, nil, nil
	count := 0
	for count < len(p.pending) && p.pending[count].ended {
		count++
	}
	if count == 0 || p.lost {
		return nil
	}
	last := p.pending[count-1].record
	clear(p.pending[:count])
	p.pending = p.pending[count:]
	return last
}

// A lane is an endpoint's: a queue, and as many callers as the endpoint may have connections. So a
// slow endpoint keeps no other's callers busy.
type lane struct {
	queue chan *delivery
	ended func(*delivery)
}

func (l *lane) run(c *caller) {
	for d := range l.queue {
		d.attempt++
		if c.call(d) || d.attempt == attempts {
			l.ended(d)
		} else {
			// Never blocks: a lane has room for a whole window.
			time.AfterFunc(retryAfter, func() { l.queue <- d })
		}
	}
}
