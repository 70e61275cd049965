package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

type options struct {
	operation, accessKey, secretKey, bucket, prefix string
	port, size, connections                         int
	first, keys                                     uint64
	seconds                                         float64
	count                                           int64
}

type workload struct {
	*options
	client  *minio.Core
	body    []byte
	puts    atomic.Uint64
	numbers atomic.Uint64

	lock      sync.Mutex
	deletable []string // Written by this run of mixed and not deleted yet.
}

func newWorkload(o *options) (*workload, error) {
	switch o.operation {
	case "put", "get", "stat", "delete", "list", "mixed":
	default:
		return nil, fmt.Errorf("no operation %q", o.operation)
	}
	client, err := minio.NewCore(fmt.Sprintf("127.0.0.1:%d", o.port), &minio.Options{
		Creds:  credentials.NewStaticV4(o.accessKey, o.secretKey, ""),
		Region: "us-east-1",
		Transport: &http.Transport{
			MaxIdleConnsPerHost: o.connections, MaxConnsPerHost: o.connections, DisableCompression: true,
		},
		MaxRetries: 1, // A second try would hide an error, and count as one operation.
	})
	if err != nil {
		return nil, err
	}
	w := &workload{options: o, client: client, body: make([]byte, o.size)}
	source := rand.NewChaCha8([32]byte{})
	source.Read(w.body)
	w.numbers.Store(o.first)
	return w, nil
}

// The name of a number, as load/workload.cc has it.
func (w *workload) key(prefix string, n uint64) string {
	n += 0x9e3779b97f4a7c15
	n = (n ^ (n >> 30)) * 0xbf58476d1ce4e5b9
	n = (n ^ (n >> 27)) * 0x94d049bb133111eb
	return fmt.Sprintf("%s%016x", prefix, n^(n>>31))
}

func (w *workload) one() error {
	if w.operation != "mixed" {
		return w.do(w.operation)
	}
	// The shares of warp's mixed benchmark.
	switch share := rand.IntN(100); {
	case share < 45:
		return w.do("get")
	case share < 75:
		return w.do("stat")
	case share < 90:
		return w.putNew()
	}
	w.lock.Lock()
	if len(w.deletable) == 0 {
		w.lock.Unlock()
		return w.putNew()
	}
	key := w.deletable[0]
	w.deletable = w.deletable[1:]
	w.lock.Unlock()
	return w.client.RemoveObject(context.Background(), w.bucket, key, minio.RemoveObjectOptions{})
}

func (w *workload) putNew() error {
	key := w.key(w.prefix+"new-", w.numbers.Add(1))
	if err := w.put(key); err != nil {
		return err
	}
	w.lock.Lock()
	defer w.lock.Unlock()
	w.deletable = append(w.deletable, key)
	return nil
}

func (w *workload) put(key string) error {
	w.puts.Add(1)
	_, err := w.client.Client.PutObject(context.Background(), w.bucket, key, bytes.NewReader(w.body),
		int64(w.size), minio.PutObjectOptions{})
	return err
}

func (w *workload) do(operation string) error {
	ctx := context.Background()
	switch operation {
	case "put":
		return w.put(w.key(w.prefix, w.numbers.Add(1)-1))
	case "delete":
		key := w.key(w.prefix, w.numbers.Add(1)-1)
		return w.client.RemoveObject(ctx, w.bucket, key, minio.RemoveObjectOptions{})
	case "stat":
		_, err := w.client.StatObject(ctx, w.bucket, w.key(w.prefix, rand.Uint64N(w.keys)), minio.StatObjectOptions{})
		return err
	case "list":
		page, err := w.client.ListObjectsV2(w.bucket, "", "", "", "", 1000)
		if err == nil && len(page.Contents) != int(min(w.keys, 1000)) {
			err = fmt.Errorf("a page of %d keys", len(page.Contents))
		}
		return err
	}
	body, _, _, err := w.client.GetObject(ctx, w.bucket, w.key(w.prefix, rand.Uint64N(w.keys)), minio.GetObjectOptions{})
	if err != nil {
		return err
	}
	defer body.Close()
	count, err := io.Copy(io.Discard, body)
	if err == nil && count != int64(w.size) {
		err = fmt.Errorf("an object of %d bytes", count)
	}
	return err
}
