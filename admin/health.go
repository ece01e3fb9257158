package admin

import (
	"context"
	"encoding/json"
	"net/http"
	"parley/internal/background"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Check is one thing that must be well for the server to be. Do gets a context that ends after checkTimeout.
type Check struct {
	Name    string
	Do      func(ctx context.Context) error
	Warning bool // without it the server serves all the same: somebody should look, but no balancer turn clients away
}

const (
	checkTimeout = 3 * time.Second
	failing      = "failing"
)

// Monitor gives the handler for /healthz and /metrics.
func Monitor(g prometheus.Gatherer, checks ...Check) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) { healthz(w, r, checks) })
	mux.Handle("GET /metrics", promhttp.HandlerFor(g, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second}))
	return mux
}

// RegisterProcess adds the metrics of the Go runtime and of the process. Once in each registry.
func RegisterProcess(r prometheus.Registerer) error {
	if err := r.Register(collectors.NewGoCollector()); err != nil {
		return err
	}
	return r.Register(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
}

// Health is what /healthz answers: with 200 where the server serves, otherwise with 503; and the reasons.
type Health struct {
	Status string            `json:"status"` // "ok", "warning" or "failing"
	Checks map[string]string `json:"checks"` // "ok" or the reason, by name
}

func healthz(w http.ResponseWriter, r *http.Request, checks []Check) {
	h, status := look(r.Context(), checks), http.StatusOK
	if h.Status == failing {
		status = http.StatusServiceUnavailable
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	_ = enc.Encode(h) // who asked may have gone
}

// look makes all checks at once. One that does not heed its context does not keep the answer waiting.
func look(ctx context.Context, checks []Check) Health {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	h := Health{Status: "ok", Checks: make(map[string]string)}
	var mu sync.Mutex // guards h
	var wg sync.WaitGroup
	for _, c := range checks {
		h.Checks[c.Name] = "no answer"
	}
	for _, c := range checks {
		wg.Go(func() {
			result := "ok"
			if err := c.Do(ctx); err != nil {
				result = err.Error()
			}
			mu.Lock()
			h.Checks[c.Name] = result
			mu.Unlock()
		})
	}
	background.Wait(ctx, wg.Wait)
	mu.Lock()
	defer mu.Unlock()
	out := Health{Status: "ok", Checks: make(map[string]string)}
	for _, c := range checks {
		result := h.Checks[c.Name]
		out.Checks[c.Name] = result
		switch {
		case result == "ok":
		case !c.Warning:
			out.Status = failing
		case out.Status == "ok":
			out.Status = "warning"
		}
	}
	return out
}
