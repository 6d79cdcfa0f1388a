// A worker from Kafka to signed webhooks, as a good Go team would write it: franz-go, net/http,
// crypto/ed25519. Its records are ready events in JSON, keyed by tenant. It delivers each at least
// once, and records nothing but its offsets.
//
//	go-worker -bootstrap ADDRESS -topic NAME -group NAME -ports N,N,... [-connections N] [-seed HEX]
package main

import (
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"flag"
	"log"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	attempts   = 4
	retryAfter = 5 * time.Second
	timeout    = 15 * time.Second
	polled     = 2000
	// A heap that is mostly garbage is collected at each doubling by default. This trades some
	// memory for CPU, as GOGC of the environment may too.
	gcPercent = 400
)

type options struct {
	bootstrap, topic, group string
	authorities             []string // of the endpoints
	connections             int      // to each endpoint
	window                  int      // records in memory
	key                     ed25519.PrivateKey
}

func parse() (options, error) {
	var o options
	flag.StringVar(&o.bootstrap, "bootstrap", "127.0.0.1:9092", "a broker")
	flag.StringVar(&o.topic, "topic", "", "the events")
	flag.StringVar(&o.group, "group", "", "the consumer group")
	flag.IntVar(&o.connections, "connections", 16, "to each endpoint")
	flag.IntVar(&o.window, "window", 10000, "records in memory, of all partitions")
	ports := flag.String("ports", "", "the endpoints: ports of 127.0.0.1")
	seed := flag.String("seed", strings.Repeat("01", ed25519.SeedSize), "of the signing key, in hex")
	flag.Parse()

	bytes, err := hex.DecodeString(*seed)
	if err != nil || len(bytes) != ed25519.SeedSize {
		return o, errors.New("-seed: not 32 bytes in hex")
	}
	if o.topic == "" || o.group == "" || *ports == "" || o.connections < 1 || o.window < 1 {
		return o, errors.New("-topic, -group and -ports are needed, -connections and -window are at least 1")
	}
	o.key = ed25519.NewKeyFromSeed(bytes)
	for port := range strings.SplitSeq(*ports, ",") {
		o.authorities = append(o.authorities, "127.0.0.1:"+port)
	}
	return o, nil
}

type worker struct {
	client *kgo.Client
	lanes  []*lane
	window chan struct{} // a place for each record in memory

	mu         sync.Mutex
	partitions map[int32]*partition
}

func newWorker(o options) (*worker, error) {
	w := &worker{window: make(chan struct{}, o.window), partitions: map[int32]*partition{}}
	client, err := kgo.NewClient(
		kgo.SeedBrokers(o.bootstrap),
		kgo.ConsumerGroup(o.group),
		kgo.ConsumeTopics(o.topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchMaxBytes(4<<20), kgo.FetchMaxPartitionBytes(1<<20),
		kgo.AutoCommitMarks(), kgo.AutoCommitInterval(time.Second),
		kgo.OnPartitionsRevoked(w.giveAway),
		kgo.OnPartitionsLost(func(_ context.Context, _ *kgo.Client, lost map[string][]int32) { w.forget(lost) }),
	)
	if err != nil {
		return nil, err
	}
	w.client = client
	transport := &http.Transport{
		MaxIdleConnsPerHost: o.connections,
		MaxConnsPerHost:     o.connections,
		IdleConnTimeout:     90 * time.Second,
		DisableCompression:  true,
	}
	for _, authority := range o.authorities {
		l := &lane{queue: make(chan *delivery, o.window), ended: w.ended}
		w.lanes = append(w.lanes, l)
		for range o.connections {
			go l.run(newCaller(transport, authority, o.key))
		}
	}
	return w, nil
}

// laneOf chooses by the digits at the end of a tenant's name.
func (w *worker) laneOf(tenant []byte) *lane {
	digits := tenant[max(0, len(tenant)-9):]
	for len(digits) > 0 && (digits[0] < '0' || digits[0] > '9') {
		digits = digits[1:]
	}
	number, _ := strconv.Atoi(string(digits))
	return w.lanes[number%len(w.lanes)]
}

func (w *worker) partitionOf(number int32) *partition {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.partitions[number]
	if p == nil {
		p = &partition{}
		w.partitions[number] = p
	}
	return p
}

func (w *worker) giveAway(ctx context.Context, client *kgo.Client, revoked map[string][]int32) {
	if err := client.CommitMarkedOffsets(ctx); err != nil {
		log.Print(err)
	}
	w.forget(revoked)
}

func (w *worker) forget(lost map[string][]int32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, numbers := range lost {
		for _, number := range numbers {
			if p := w.partitions[number]; p != nil {
				p.lose()
				delete(w.partitions, number)
			}
		}
	}
}

func (w *worker) ended(d *delivery) {
	if last := d.partition.finish(d); last != nil {
		w.client.MarkCommitRecords(last)
	}
	<-w.window
}

// take gives the records to their lanes, and waits where the window is full.
func (w *worker) take(stop context.Context, fetched kgo.FetchTopicPartition) {
	p := w.partitionOf(fetched.Partition)
	for _, record := range fetched.Records {
		select {
		case w.window <- struct{}{}:
		case <-stop.Done():
			return
		}
		d := &delivery{record: record, partition: p}
		p.add(d)
		w.laneOf(record.Key).queue <- d
	}
}

func (w *worker) run(stop context.Context) {
	for stop.Err() == nil {
		fetches := w.client.PollRecords(stop, polled)
		fetches.EachError(func(topic string, partition int32, err error) {
			if stop.Err() == nil {
				log.Printf("%s/%d: %v", topic, partition, err)
			}
		})
		fetches.EachPartition(func(fetched kgo.FetchTopicPartition) { w.take(stop, fetched) })
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := w.client.CommitMarkedOffsets(ctx); err != nil {
		log.Print(err)
	}
	w.client.Close()
}

func main() {
	o, err := parse()
	if err != nil {
		log.Fatal(err)
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	w, err := newWorker(o)
	if err != nil {
		log.Fatal(err)
	}
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer cancel()
	w.run(stop)
}
