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

// Check is one condition for the server's health. Do gets a context that ends after checkTimeout.
type Check struct {
	Name    string
	Do      func(ctx context.Context) error
	Warning bool // the server works without it: somebody should look, but no balancer should turn clients away
}

const (
	checkTimeout = 3 * time.Second
	failing      = "failing"
)

// Monitor returns the handler for /healthz and /metrics.
func Monitor(g prometheus.Gatherer, checks ...Check) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) { healthz(w, r, checks) })
	mux.Handle("GET /metrics",
		promhttp.HandlerFor(g, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second}))
	return mux
}

// RegisterProcess adds the metrics of the Go runtime and of the process. Call it once for each registry.
func RegisterProcess(r prometheus.Registerer) error {
	if err := r.Register(collectors.NewGoCollector()); err != nil {
		return err
	}
	return r.Register(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
}

// Health is the answer of /healthz, with the reasons: status 200 if the server works, otherwise 503.
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
	_ = enc.Encode(h) // the client may have gone
}

// look runs all checks at once. A check that ignores its context does not delay the answer.
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
