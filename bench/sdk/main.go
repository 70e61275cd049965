// kura_sdk_load does what kura_load does, through an SDK: minio-go, the one that MinIO's own tools use.
//
// Its requests are those of real clients (payloads signed in chunks, more headers, multipart uploads of large
// objects), and cost the server what real clients cost. It is slower than one server core: read its CPU
// figures, not its rates. Same arguments, same names of objects and same line of JSON as kura_load.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

type outcome struct {
	Operations int     `json:"operations"`
	Seconds    float64 `json:"seconds"`
	ClientCPU  float64 `json:"client_cpu_s"`
	Puts       uint64  `json:"puts"`
	PutBytes   uint64  `json:"put_bytes"`
	P50        float64 `json:"p50_us"`
	P99        float64 `json:"p99_us"`
}

func cpuSeconds() float64 {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano()).Seconds()
}

func refuse(status int, why ...any) {
	fmt.Fprintln(os.Stderr, append([]any{"kura_sdk_load:"}, why...)...)
	os.Exit(status)
}

func percentile(sorted []float64, share float64) float64 {
	return sorted[int(share*float64(len(sorted)-1))]
}

func parse() *options {
	if len(os.Args) < 2 {
		refuse(2, "usage: kura_sdk_load put|get|stat|delete|list|mixed --port N ...")
	}
	o := &options{operation: os.Args[1]}
	flags := flag.NewFlagSet("kura_sdk_load", flag.ExitOnError)
	flags.IntVar(&o.port, "port", 0, "on 127.0.0.1")
	flags.StringVar(&o.accessKey, "access-key", "", "")
	flags.StringVar(&o.secretKey, "secret-key", "", "")
	flags.StringVar(&o.bucket, "bucket", "", "")
	flags.StringVar(&o.prefix, "prefix", "", "of every key")
	flags.Uint64Var(&o.first, "first", 0, "number of the first key that put or delete takes")
	flags.Uint64Var(&o.keys, "keys", 1, "get and stat: keys there are, numbered from 0")
	flags.IntVar(&o.size, "size", 4096, "bytes of an object")
	flags.IntVar(&o.connections, "connections", 64, "each has one request in flight")
	flags.Float64Var(&o.seconds, "seconds", 0, "no new request after so long")
	flags.Int64Var(&o.count, "count", 0, "nor after so many")
	flags.Parse(os.Args[2:])
	if o.seconds <= 0 && o.count == 0 {
		o.count = 1
	}
	return o
}

func main() {
	o := parse()
	w, err := newWorkload(o)
	if err != nil {
		refuse(2, err)
	}
	var started atomic.Int64
	var workers sync.WaitGroup
	latencies := make([][]float64, o.connections)
	begun, cpuBefore := time.Now(), cpuSeconds()
	for lane := range o.connections {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for o.seconds <= 0 || time.Since(begun).Seconds() < o.seconds {
				if n := started.Add(1); o.count != 0 && n > o.count {
					return
				}
				at := time.Now()
				if err := w.one(); err != nil {
					refuse(1, o.operation+":", err)
				}
				latencies[lane] = append(latencies[lane], float64(time.Since(at).Nanoseconds())/1000)
			}
		}()
	}
	workers.Wait()
	seconds := time.Since(begun).Seconds()
	all := slices.Concat(latencies...)
	slices.Sort(all)
	line, _ := json.Marshal(outcome{len(all), seconds, cpuSeconds() - cpuBefore, w.puts.Load(),
		w.puts.Load() * uint64(o.size), percentile(all, 0.5), percentile(all, 0.99)})
	fmt.Println(string(line))
}
